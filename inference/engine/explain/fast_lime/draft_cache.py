"""Drafts of networks, kept in a folder: making one takes seconds, reading one takes none.

A draft belongs to all that it was made of: the weights, the modality whose phantoms set its scales, the
source of the engine, and the versions of what makes and runs it.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MOST_BYTES = 1 << 29
"""Of all drafts together; those used longest ago make room."""
ENGINE = Path(__file__).resolve().parents[2]
MAKERS = ("torch", "torchvision", "onnx", "onnxscript", "onnx-ir", "onnxruntime", "numpy")
_folder: list[Path] = []


def keep_in(folder: Path | None) -> None:
    """Where drafts are kept from now on, for the whole process; None to keep none.

    Nobody makes the folder here: where it is away, nothing may be laid down in its place.
    """
    _folder[:] = [folder] if folder else []


def kept(made_of: Sequence[str], make: Callable[[], bytes]) -> bytes:
    """The draft of that name, from the folder if it is there and whole, else made and kept.

    A folder that cannot be used costs time and nothing else.
    """
    if not _folder:
        return make()
    name = hashlib.sha256(repr((tuple(made_of), _made_by())).encode()).hexdigest()
    path = _folder[0] / f"{name}.draft"
    draft = _read(path)
    if draft is None:
        draft = make()
        with suppress(OSError):
            _write(path, draft)
    return draft


def _read(path: Path) -> bytes | None:
    """A kept draft begins with its own SHA-256."""
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    draft = content[32:]
    return draft if hashlib.sha256(draft).digest() == content[:32] else None


def _write(path: Path, draft: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="making-", delete=False) as file:
        try:
            file.write(hashlib.sha256(draft).digest() + draft)
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


@cache
def _made_by() -> tuple[str, ...]:
    sources = hashlib.sha256()
    for path in sorted(ENGINE.rglob("*.py")):
        sources.update(path.read_bytes())
    return (sources.hexdigest(), *(f"{name} {_version(name)}" for name in MAKERS))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
