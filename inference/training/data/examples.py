"""Examples for training: labelled pictures and phantoms, prepared as the engine prepares scans."""

import csv
import io
import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digests import sha256_hex
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import LABELS
from inference.formats.stack import PictureStack
from inference.training.data.groups import check_groups
from inference.training.data.sources import heads, sources_in, stack_of
from refusals import Refusal


@dataclass(frozen=True)
class Examples:
    """Prepared pictures: tensor float32 (n, 1, size, size), and for each its truth.

    labels: index into LABELS, -1 for pictures of neither class. groups: what may never be split.
    names: where each came from. refused: pictures that could not be prepared, with the reason.
    codes: of each, why the recipe's gate would refuse it, "" where it answers; all "" where it was not asked.
    """

    tensor: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    names: tuple[str, ...]
    refused: Mapping[str, str]
    codes: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Examples":
        """The examples in these rows, in this order."""
        kept = np.arange(len(self))[rows]
        return Examples(
            self.tensor[kept],
            self.labels[kept],
            self.groups[kept],
            tuple(self.names[row] for row in kept),
            self.refused,
            self.codes[kept],
        )

    def of_class(self) -> "Examples":
        """Only those with one of the two labels."""
        return self.take(self.labels >= 0)


COLUMNS = ("file", "label", "group")
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
Source = tuple[str, str, str, Callable[[], PictureStack]]
"""Name, label, group, and how to get the scan."""
Prepared = tuple[NDArray[np.float32] | None, str]
"""A network's input and the gate's code, or none and the reason."""


def joined(parts: Sequence[Examples]) -> Examples:
    """Several sets as one, in order."""
    return Examples(
        np.concatenate([part.tensor for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.groups for part in parts]),
        tuple(name for part in parts for name in part.names),
        {name: reason for part in parts for name, reason in part.refused.items()},
        np.concatenate([part.codes for part in parts]),
    )


def prepared(
    sources: Iterable[Source], recipe_id: str, *, processes: int = 2, gated: bool = False
) -> Examples:
    """Every source through the engine's own preprocessing; what it refuses is set aside with the reason.

    gated: the recipe's gate is asked as well; what it refuses is kept, with the code of the refusal.
    """
    listed = list(sources)
    results = _mapped(partial(_prepare_one, recipe_id, gated), listed, processes)
    both = list(zip(listed, results, strict=True))
    good = [(source, tensor, word) for source, (tensor, word) in both if tensor is not None]
    refused = {source[0]: word for source, (tensor, word) in both if tensor is None}
    size = RECIPES[recipe_id].size
    return Examples(
        np.stack([tensor for _, tensor, _ in good]) if good else np.zeros((0, 1, size, size), np.float32),
        np.array([LABELS.index(s[1]) if s[1] in LABELS else -1 for s, _, _ in good], np.int64),
        np.array([source[2] for source, _, _ in good], np.str_),
        tuple(source[0] for source, _, _ in good),
        refused,
        np.array([word for _, _, word in good], np.str_),
    )


def _mapped(work: Callable[[Source], Prepared], listed: list[Source], processes: int) -> list[Prepared]:
    """In order, by several processes; by this one alone where it may have no children, as in a worker."""
    if multiprocessing.current_process().daemon:
        return [work(source) for source in listed]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(work, listed, chunksize=8))


def _prepare_one(recipe_id: str, gated: bool, source: Source) -> Prepared:
    stack, recipe, code = source[3](), RECIPES[recipe_id], ""
    try:
        if gated:
            return np.asarray(prepare(stack, recipe).tensor[0]), ""
    except Refusal as refused:
        code = refused.code
    try:
        return np.asarray(prepare(stack, recipe, scope=False).tensor[0]), code
    except Refusal as refused:
        return None, refused.detail


def folder_sources(folder: Path) -> list[Source]:
    """The pictures of a folder with their labels and groups. Raises GroupLeak, ValueError, FileNotFoundError.

    labels.csv names file, label and group. Without one, a folder's name is the label of what is in it, and a
    folder in there holds one group; a picture that stands directly in its class is a group of its own.
    A folder of the sources that inference.training.data.sources knows gives all their heads.
    """
    if sources_in(folder):
        return _several(folder)
    rows = _listed(folder) if (folder / "labels.csv").exists() else _by_class(folder)
    check_groups([group for _, _, group in rows], [file for file, _, _ in rows])
    return [(file, label, group, partial(picture_stack, folder / file)) for file, label, group in rows]


def _several(data: Path) -> list[Source]:
    known = heads(data)
    check_groups([one.group for one in known], [one.file for one in known])
    return [(one.file, one.shows, one.group, partial(stack_of, data, one.file, one.mm)) for one in known]


def _listed(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / "labels.csv").open(newline="") as file:
        table = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise ValueError(f"labels.csv in {folder} has no column {' and no column '.join(missing)}.")
        return [(row["file"], row["label"], row["group"]) for row in table]


def _by_class(folder: Path) -> list[tuple[str, str, str]]:
    """A group's name carries no class, so that one patient in two classes is one group all the same."""
    found = []
    for path in sorted(folder.glob("*/**/*")):
        if path.suffix.lower() in PICTURES:
            inside = path.relative_to(folder)
            group = inside.parts[1] if len(inside.parts) > 2 else inside.as_posix()
            found.append((inside.as_posix(), inside.parts[0], group))
    if not any(label in LABELS for _, label, _ in found):
        raise FileNotFoundError(f"{folder} has neither labels.csv nor folders named {' and '.join(LABELS)}.")
    return found


def picture_stack(path: Path) -> PictureStack:
    """A trusted local ultrasound picture; uploads go through inference.formats instead."""
    content = path.read_bytes()
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    return PictureStack(
        pixels=pixels[None].copy(),
        modality="ultrasound",
        original_sha256=sha256_hex(content),
        source_format="jpeg",
    )
