"""ImageNet weights to start from: out of a folder, or from the publisher, never without a checksum.

`python -m inference.training.cli.backbones convert FILE.pth FILE.safetensors` turns PyTorch's own file into
one that holds numbers only. Here is the one place where a pickle is opened, in its restricted form, by
whoever runs the command on their own machine.
"""

import hashlib
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from digests import sha256_hex
from inference.engine.networks import Backbone, Network

CHUNK = 1 << 20
MAX_BYTES = 1 << 30
TIMEOUT_SECONDS = 30
COMMAND = "python -m inference.training.cli.backbones convert"


class BackboneMissing(Exception):
    """No weights to start from; the sentence says where to get them."""


class BackboneRefused(Exception):
    """Weights that are not what they should be, or of a kind that can run code."""


def fill(module: nn.Module, network: Network, folder: Path | None, *, base_url: str = "") -> str:
    """Put the published weights into a fresh module; where they came from, in words for the card.

    folder: looked into first, and where a download is kept. Raises BackboneMissing, BackboneRefused.
    """
    backbone = network.backbone
    if backbone is None:
        raise BackboneMissing(f"{network.title} has no published weights to start from.")
    tensors = {
        backbone.prefix + name: tensor.float() for name, tensor in _found(backbone, folder, base_url).items()
    }
    own = module.state_dict()
    fitting = {name: tensor for name, tensor in tensors.items() if name in own}
    wrong = [name for name, tensor in fitting.items() if tensor.shape != own[name].shape]
    kept = {name: tensor for name, tensor in fitting.items() if name not in wrong}
    if not kept:
        raise BackboneRefused(f"{backbone.file} holds nothing that fits {network.title}.")
    module.load_state_dict(kept, strict=False)
    return f"{backbone.file} ({len(kept)} tensors; {backbone.licence})"


def _found(backbone: Backbone, folder: Path | None, base_url: str) -> dict[str, Tensor]:
    path = folder / backbone.file if folder else None
    if path and path.exists():
        return _opened(path, backbone.sha256)
    if folder:
        _refuse_pickles(folder, backbone)
    return _downloaded(backbone, path, base_url)


def _refuse_pickles(folder: Path, backbone: Backbone) -> None:
    """Whoever put a .pth there meant it to be used: say how, rather than download another."""
    name = backbone.file.split("_")[0]
    for pickled in sorted([*folder.glob(f"{name}*.pth"), *folder.glob(f"{name}*.pt")]):
        raise BackboneRefused(
            f"{pickled.name} is a pickle, which can run code when it is opened. Convert it on your own "
            f"machine: {COMMAND} {pickled.name} {backbone.file}"
        )


def _opened(path: Path, sha256: str) -> dict[str, Tensor]:
    content = path.read_bytes()
    if sha256 and sha256_hex(content) != sha256:
        raise BackboneRefused(f"{path.name} does not have the checksum it should have.")
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise BackboneRefused(f"{path.name} is no safetensors file: {error}.") from None
    return tensors


def _downloaded(backbone: Backbone, keep: Path | None, base_url: str) -> dict[str, Tensor]:
    """From the publisher, held to the publisher's hash, converted, and kept when there is a folder."""
    url = base_url + backbone.url.rsplit("/", maxsplit=1)[1] if base_url else backbone.url
    with tempfile.TemporaryDirectory() as scratch:
        pickled = Path(scratch) / "download.pth"
        _fetch(url, pickled, backbone)
        tensors = converted(pickled)
    if keep:
        write(tensors, keep)
    return tensors


def _fetch(url: str, to: Path, backbone: Backbone) -> None:
    """The whole file or BackboneMissing; its hash or BackboneRefused."""
    advice = (
        f"Put {backbone.file} into a folder and name it with --weights-dir, or train without: --from-scratch."
    )
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise BackboneRefused(f"{url} is not an https address.")
    digest, size = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, to.open("wb") as file:  # noqa: S310
            expected = int(answer.headers.get("Content-Length") or -1)
            while chunk := answer.read(CHUNK):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise BackboneRefused(f"{url} sends more than {MAX_BYTES >> 20} MiB.")
                digest.update(chunk)
                file.write(chunk)
    except (OSError, ValueError) as fault:
        raise BackboneMissing(f"{url} could not be fetched ({_words(fault)}). {advice}") from None
    if expected not in {-1, size}:
        raise BackboneMissing(f"{url} stopped after {size} of {expected} bytes. {advice}")
    if not digest.hexdigest().startswith(backbone.published_sha256):
        raise BackboneRefused(f"{url} does not have the checksum that its publisher states.")


def _words(fault: Exception) -> str:
    if isinstance(fault, urllib.error.HTTPError):
        return f"the server answered {fault.code}"
    return str(getattr(fault, "reason", fault))


def converted(pickled: Path) -> dict[str, Tensor]:
    """The tensors of a PyTorch state file, opened in the form that runs no code. Raises BackboneRefused."""
    try:
        state = torch.load(pickled, map_location="cpu", weights_only=True)  # noqa: TID251 - the one door
    except Exception as fault:  # noqa: BLE001 - whatever a damaged archive raises
        raise BackboneRefused(f"{pickled.name} could not be opened safely: {type(fault).__name__}.") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise BackboneRefused(f"{pickled.name} holds more than tensors.")
    return {str(name): tensor.contiguous() for name, tensor in state.items()}


def write(tensors: dict[str, Tensor], path: Path) -> None:
    """Tensors as safetensors at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(safetensors.torch.save(tensors))
    partial.replace(path)
