"""Weights to start from: out of a folder or from a server, with the right checksum or not at all."""

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from inference.engine.networks import NETWORKS, Network
from inference.training.cli.backbones import main
from inference.training.fitting.backbones import BackboneMissing, BackboneRefused, converted, fill

PUBLISHED = {"conv1.weight": torch.full((64, 3, 7, 7), 0.5), "fc.weight": torch.zeros(1000, 512)}


@pytest.fixture
def pickled(tmp_path) -> Path:
    """A state file as torchvision publishes them."""
    path = tmp_path / "published" / "resnet18-test.pth"
    path.parent.mkdir()
    torch.save(PUBLISHED, path)
    return path


@pytest.fixture
def network(pickled) -> Network:
    """ResNet18, whose publisher states the hash of our file."""
    digest = hashlib.sha256(pickled.read_bytes()).hexdigest()[:8]
    backbone = NETWORKS["resnet18"].backbone
    own = replace(backbone, url=f"https://publisher.example/{pickled.name}", published_sha256=digest)
    return replace(NETWORKS["resnet18"], backbone=own)


class Publisher(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; a name with "short" promises more than it sends."""

    def log_message(self, *args) -> None:
        pass

    def send_header(self, keyword: str, value: str) -> None:
        longer = keyword == "Content-Length" and self.server.cuts_short
        super().send_header(keyword, str(int(value) + 100) if longer else value)


@pytest.fixture
def server(pickled) -> Iterator[http.server.ThreadingHTTPServer]:
    folder = str(pickled.parent)
    found = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: Publisher(*args, directory=folder)
    )
    found.cuts_short = False
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def address(server) -> str:
    return f"http://127.0.0.1:{server.server_port}/"


def test_published_weights_are_fetched_checked_converted_and_kept(network, server, tmp_path):
    module, folder = network.build(), tmp_path / "kept"
    origin = fill(module, network, folder, base_url=address(server))
    assert origin.startswith("resnet18_imagenet.safetensors (1 tensors")
    assert torch.equal(module.state_dict()["trunk.conv1.weight"], PUBLISHED["conv1.weight"])
    server.shutdown()
    again = network.build()
    fill(again, network, folder)
    assert torch.equal(again.state_dict()["trunk.conv1.weight"], PUBLISHED["conv1.weight"]), "from the folder"


def test_weights_with_another_hash_than_the_publisher_states_are_refused(network, server, pickled, tmp_path):
    pickled.write_bytes(pickled.read_bytes() + b"x")
    with pytest.raises(BackboneRefused, match="checksum that its publisher states"):
        fill(network.build(), network, tmp_path / "kept", base_url=address(server))
    assert not (tmp_path / "kept").exists(), "nothing is kept of it"


def test_a_download_that_stops_early_leaves_nothing(network, server, tmp_path):
    server.cuts_short = True
    with pytest.raises(BackboneMissing, match=r"stopped after|could not be fetched"):
        fill(network.build(), network, tmp_path / "kept", base_url=address(server))
    assert not (tmp_path / "kept").exists()


def test_a_server_without_the_file_is_named_with_what_to_do(network, server, pickled):
    pickled.unlink()
    with pytest.raises(BackboneMissing, match=r"the server answered 404.*--weights-dir"):
        fill(network.build(), network, None, base_url=address(server))


def test_a_server_that_is_down_is_named_with_what_to_do(network):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(BackboneMissing, match=r"could not be fetched.*--from-scratch"):
        fill(network.build(), network, None, base_url=f"http://127.0.0.1:{port}/")


def test_weights_come_over_an_encrypted_line(network):
    with pytest.raises(BackboneRefused, match="is not an https address"):
        fill(network.build(), network, None, base_url="http://publisher.example/")


def test_a_pth_in_the_folder_is_refused_with_the_command_that_converts_it(network, pickled):
    with pytest.raises(BackboneRefused, match=r"backbones convert resnet18-test\.pth resnet18_imagenet"):
        fill(network.build(), network, pickled.parent)


def test_the_command_converts_a_state_file(pickled, tmp_path):
    out = tmp_path / "out.safetensors"
    assert main(["convert", str(pickled), str(out)]) == 0
    assert torch.equal(safetensors.torch.load_file(out)["conv1.weight"], PUBLISHED["conv1.weight"])


class Evil:
    def __reduce__(self):
        return print, ("code that came with the weights ran",)


def test_code_inside_a_state_file_does_not_run(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    torch.save({"a": Evil()}, path)
    with pytest.raises(BackboneRefused, match="could not be opened safely"):
        converted(path)
    assert main(["convert", str(path), str(tmp_path / "out.safetensors")]) == 1
    assert "code that came" not in capsys.readouterr().out
    assert not (tmp_path / "out.safetensors").exists()


def test_a_changed_file_in_the_folder_is_refused(tmp_path):
    network = NETWORKS["vgg16"]
    safetensors.torch.save_file({"features.0.bias": torch.zeros(64)}, tmp_path / network.backbone.file)
    with pytest.raises(BackboneRefused, match="does not have the checksum"):
        fill(network.build(), network, tmp_path)


def test_a_network_without_published_weights_says_so():
    with pytest.raises(BackboneMissing, match="no published weights"):
        fill(NETWORKS["cnn"].build(), NETWORKS["cnn"], None)
