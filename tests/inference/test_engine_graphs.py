"""Graphs come without weights: with those of a file put in, each says what its module says."""

import io
import json

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch
from engine_models import packed, record_of

from inference.engine import catalogue
from inference.engine.backends import export_graphs, graphs
from inference.engine.backends.with_onnxruntime import stage_of
from inference.engine.backends.with_torch import tensors_of
from inference.engine.explain.fast_lime import draft_cache, drafts
from inference.engine.weights.loaded_model import WeightsMismatch, load


def filled(module: torch.nn.Module) -> torch.nn.Module:
    """Weights that no two layers share, and normalisations that do something."""
    torch.manual_seed(7)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            spread = 0.5 + torch.rand(tensor.shape)
            tensor.copy_(spread if "running_var" in name else torch.randn(tensor.shape) * 0.1)
    return module.eval()


@pytest.mark.parametrize("name", export_graphs.EXPORTED)
def test_every_graph_says_what_its_module_says(name):
    build, shape = export_graphs.EXPORTED[name]
    traced = filled(build())
    pictures = np.random.default_rng(1).random((5, *shape)).astype(np.float32)
    with torch.inference_mode():
        wanted = traced(torch.from_numpy(pictures))
    found = stage_of(name, tensors_of(traced.module))(pictures)
    for ours, theirs in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        scale = float(theirs.abs().max())
        assert ours == pytest.approx(theirs.numpy(), abs=2e-5 * scale), name


@pytest.mark.parametrize("name", export_graphs.EXPORTED)
def test_no_graph_holds_weights_or_says_where_it_was_made(name):
    model = onnx.load(graphs.SHIPPED / f"{name}.onnx", load_external_data=False)
    large = [one.name for one in model.graph.initializer if len(one.raw_data) > export_graphs.SMALL]
    assert large == []
    content = (graphs.SHIPPED / f"{name}.onnx").read_bytes()
    assert b".py" not in content
    assert len(content) < 64 << 10


def test_every_graph_that_is_shipped_is_exported_by_the_command():
    assert {path.stem for path in graphs.SHIPPED.glob("*.onnx")} == set(export_graphs.EXPORTED)


def test_the_command_writes_the_same_graph_again(tmp_path, monkeypatch):
    """By the same versions; another exporter may write the same thing otherwise."""
    chosen = {name: export_graphs.EXPORTED[name] for name in ("cnn",)}
    monkeypatch.setattr(export_graphs, "EXPORTED", chosen)
    said = io.StringIO()
    export_graphs.main(said, tmp_path / "graphs")
    assert said.getvalue().startswith("cnn: ")
    ours, theirs = (
        json.loads((folder / "cnn.json").read_text()) for folder in (graphs.SHIPPED, tmp_path / "graphs")
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: tensors.pop("head.4.bias"), "lacking: head.4.bias"),
        (lambda tensors: tensors.update({"head.9.bias": torch.zeros(2)}), "unknown: head.9.bias"),
        (
            lambda tensors: tensors.update({"head.4.bias": torch.zeros(3)}),
            r"head.4.bias is \(3,\), not \(2,\)",
        ),
    ],
)
def test_tensors_that_are_not_the_networks_are_refused_by_name(change, said):
    tensors = safetensors.torch.load(packed("cnn"))
    change(tensors)
    content = safetensors.torch.save(tensors)
    with pytest.raises(WeightsMismatch, match=said):
        load(record_of(content, "cnn"), content)


@pytest.fixture
def folder(tmp_path, drafts):
    kept = tmp_path / "drafts"
    kept.mkdir()
    draft_cache.keep_in(kept)
    yield kept
    draft_cache.keep_in(drafts)


def made(content: bytes, *made_of: str) -> bytes:
    return draft_cache.kept(made_of or ("weights", "network", "mri"), lambda: content)


def test_a_draft_is_made_once_for_what_it_was_made_of(folder):
    assert made(b"first") == b"first"
    assert made(b"never made") == b"first"
    assert made(b"other", "other weights", "network", "mri") == b"other"
    assert len(list(folder.iterdir())) == 2


def test_a_damaged_draft_is_made_anew(folder):
    made(b"a draft of some length")
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-3] + b"...")
    assert made(b"made anew") == b"made anew"
    assert made(b"never made") == b"made anew"


def test_a_folder_that_is_away_stops_nobody_and_nothing_is_laid_in_its_place(folder):
    folder.rmdir()
    assert made(b"draft") == b"draft"
    assert not folder.exists()


def test_drafts_used_longest_ago_make_room(folder, monkeypatch):
    made(bytes(1000))
    (first,) = folder.iterdir()
    monkeypatch.setattr(draft_cache, "MOST_BYTES", 1500)
    made(bytes(1000), "another")
    assert not first.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_process_of_its_own_makes_the_same_draft_as_one_that_has_torch(monkeypatch):
    shipped = catalogue.newest("resnet18", "mri")
    weights = load(shipped.record, shipped.content()).weights
    here = drafts._made(weights, "mri")
    monkeypatch.delitem(drafts.sys.modules, "torch")
    assert drafts._made(weights, "mri") == here


def test_without_torch_there_is_no_draft(monkeypatch):
    shipped = catalogue.newest("resnet18", "mri")
    model = load(shipped.record, shipped.content())
    monkeypatch.setattr(drafts, "find_spec", lambda _: None)
    assert drafts.drafted(model.weights, "x", model.backend, "mri", 1) is None


def test_a_maker_that_ends_badly_is_a_fault_and_leaves_nothing(folder, monkeypatch):
    shipped = catalogue.newest("resnet18", "mri")
    model = load(shipped.record, shipped.content())
    monkeypatch.delitem(drafts.sys.modules, "torch")
    monkeypatch.setattr(drafts, "MAKER", "inference.engine.explain.fast_lime.absent")
    with pytest.raises(drafts.DraftFailed, match="absent"):
        drafts.drafted(model.weights, "x", model.backend, "mri", 1)
    assert list(folder.iterdir()) == []
