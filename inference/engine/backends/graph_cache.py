"""Graphs of networks and their drafts, kept in a folder: making one takes seconds, reading one takes none.

A graph belongs to all that it was made of: parameters, buffers and plain attributes of the module and its
parts, the source of the engine and of the parts' classes, and the versions of what makes and runs it. A
module with an attribute that cannot be written down exactly has no name, and its graph is made each time.
"""

import hashlib
import inspect
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

MOST_BYTES = 1 << 30
"""Of all graphs together; those used longest ago make room."""
ENGINE = Path(__file__).resolve().parents[1]
MAKERS = ("torch", "torchvision", "onnx", "onnxscript", "onnx-ir", "onnxruntime", "numpy")
OF_TORCH = frozenset(vars(nn.Module()))
PLAIN = (bool, int, float, str, bytes, type(None), torch.dtype, torch.device)
_folder: list[Path] = []


def keep_in(folder: Path | None) -> None:
    """Where graphs are kept from now on, for the whole process; None to keep none.

    Nobody makes the folder here: where it is away, nothing may be laid down in its place.
    """
    _folder[:] = [folder] if folder else []


def kept(module: nn.Module, how: Sequence[object], make: Callable[[], bytes]) -> bytes:
    """The graph of the module, from the folder if it is there and whole, else made and kept.

    how: what else decides what `make` makes. A folder that cannot be used costs time and nothing else.
    """
    name = _name(module, how) if _folder else None
    if name is None:
        return make()
    path = _folder[0] / f"{name}.onnx"
    graph = _read(path)
    if graph is None:
        graph = make()
        with suppress(OSError):
            _write(path, graph)
    return graph


def _read(path: Path) -> bytes | None:
    """A kept graph begins with its own SHA-256."""
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    graph = content[32:]
    return graph if hashlib.sha256(graph).digest() == content[:32] else None


def _write(path: Path, graph: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="making-", delete=False) as file:
        try:
            file.write(hashlib.sha256(graph).digest() + graph)
            file.close()
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
    files = sorted(path.parent.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
    total = 0
    for one in files:
        total += one.stat().st_size
        if total > MOST_BYTES:
            one.unlink(missing_ok=True)


def _name(module: nn.Module, how: Sequence[object]) -> str | None:
    """SHA-256 of all that a graph depends on; None where that cannot be said."""
    digest = hashlib.sha256(repr((tuple(how), _made_by())).encode())
    sources = set()
    for name, part in module.named_modules():
        own = {key: value for key, value in vars(part).items() if key not in OF_TORCH}
        if not all(_is_plain(value) for value in own.values()):
            return None
        digest.update(repr((name, type(part).__qualname__, part.training, sorted(own.items()))).encode())
        sources.add(_source_of(type(part)))
    digest.update(repr(sorted(sources)).encode())
    for name, tensor in _tensors(module):
        held = tensor.detach().cpu().contiguous()
        digest.update(repr((name, held.dtype, tuple(held.shape))).encode())
        digest.update(held.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _is_plain(value: object) -> bool:
    """Whether its repr says all of it."""
    if isinstance(value, dict):
        return all(_is_plain(one) for pair in value.items() for one in pair)
    if isinstance(value, (tuple, list)):
        return all(_is_plain(one) for one in value)
    if isinstance(value, type):  # of a version, or of a source, that counts anyway
        return value.__module__.partition(".")[0] in {"torch", "torchvision", "inference"}
    return isinstance(value, PLAIN)


def _source_of(kind: type[nn.Module]) -> str:
    try:
        source = Path(inspect.getfile(kind)).read_bytes()
    except (OSError, TypeError):  # made at run time, or of C
        source = b""
    return f"{kind.__module__}.{kind.__qualname__} {hashlib.sha256(source).hexdigest()}"


@cache
def _made_by() -> tuple[str, ...]:
    sources = hashlib.sha256()
    for path in sorted(ENGINE.rglob("*.py")):
        sources.update(path.read_bytes())
    return (sources.hexdigest(), *(f"{name} {version(name)}" for name in MAKERS))
