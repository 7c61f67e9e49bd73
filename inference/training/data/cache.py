"""What one training prepares and the next needs again, in a folder, under a name that says what it came from.

That is the pictures' bytes, how they were asked for, and the code that made them: a picture that was replaced
or a head finder that was improved is never answered with what was kept before.
"""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digests import canonical_json, sha256_hex
from inference.engine.preprocessing.prepare import RECIPES
from inference.training.data.examples import Examples, Source, joined, prepared
from inference.training.data.sources import sources_in

UNUSED_DAYS = 30
"""What nobody asked for in this time is removed when something new is kept."""
PART = 400
"""Pictures that are prepared before they are kept."""
ROOMS = ("engine", "formats", "phantom", "training")
"""Of inference: whose code makes and prepares pictures."""

Arrays = Mapping[str, NDArray[Any]]


def examples(
    folder: Path | None,
    name: str,
    sources: Sequence[Source],
    recipe_id: str,
    pictures_sha256: str = "",
    *,
    gated: bool = False,
) -> Examples:
    """As `prepared`, kept in the folder. pictures_sha256: `contents_sha256` of the folder they come from.

    PART by PART, so that a training that is stopped while it prepares pictures goes on there.
    """
    parts = [sources[start : start + PART] for start in range(0, max(len(sources), 1), PART)]
    recipe = RECIPES[recipe_id].sha256
    found = []
    for part in parts:
        asked = [recipe, pictures_sha256, [list(source[:3]) for source in part], gated]
        make = partial(_prepared, part, recipe_id, gated)
        found.append(_examples(kept(folder, name, asked, make)))
    return joined(found)


def _prepared(sources: Sequence[Source], recipe_id: str, gated: bool) -> Arrays:
    return _arrays(prepared(sources, recipe_id, gated=gated))


def kept(folder: Path | None, name: str, asked: object, make: Callable[[], Arrays]) -> Arrays:
    """Arrays that `make` gives, or gave before for the same `asked` (plain JSON values); None keeps nothing.

    A file is there whole or not at all, whatever stops the training.
    """
    if folder is None:
        return make()
    path = folder / f"{name}-{sha256_hex(canonical_json([_code_sha256(), asked]))[:16]}.npz"
    if path.exists():
        path.touch()
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    made = make()
    folder.mkdir(parents=True, exist_ok=True)
    _forget_unused(folder)
    _write(path, made)
    return made


def contents_sha256(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's files: equal for equal pictures, wherever they lie.

    Of a folder that holds several sources, those that training knows.
    """
    parts = [folder / source for source in sources_in(folder)] or [folder]
    return _digest(folder, (path for part in parts for path in part.rglob("*") if path.is_file()))


@cache
def _code_sha256() -> str:
    inside = Path(__file__).parents[2]
    return _digest(inside, (path for room in ROOMS for path in (inside / room).rglob("*.py")))


def _digest(folder: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        with path.open("rb") as file:
            digest.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()} {name}\n".encode())
    return digest.hexdigest()


def _write(path: Path, arrays: Mapping[str, Any]) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as file:
        np.savez(file, **arrays)
    Path(file.name).replace(path)


def _forget_unused(folder: Path) -> None:
    oldest = time.time() - UNUSED_DAYS * 24 * 3600
    for path in folder.iterdir():
        if path.suffix in {".npz", ".npy", ".new"} and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _arrays(found: Examples) -> Arrays:
    return {
        "tensor": found.tensor,
        "labels": found.labels,
        "groups": found.groups,
        "names": np.array(found.names, np.str_),
        "refused": np.array(list(found.refused.items()), np.str_).reshape(-1, 2),
        "codes": found.codes,
    }


def _examples(arrays: Arrays) -> Examples:
    names = tuple(str(name) for name in arrays["names"])
    refused = {str(name): str(reason) for name, reason in arrays["refused"]}
    return Examples(arrays["tensor"], arrays["labels"], arrays["groups"], names, refused, arrays["codes"])
