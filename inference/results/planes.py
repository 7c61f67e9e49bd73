"""The other two planes of a volume, cut out of its stored pixels: no value between two slices is made up.

A cut goes through all frames at one row, or at one column. Its rows are the frames, the last one on top, so
that of axial frames, which go from foot to head, the head is up. Each cut is read out of the stored file by
itself, so that a browser holds one picture of each plane and not the volume.
"""

from dataclasses import dataclass
from typing import IO, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from blobs import store
from inference.models import Image
from inference.results import images

Across = Literal["rows", "columns"]
"""What a cut has one of, and the axis of the stack along which one cut lies behind the other."""
AXES: dict[str, int] = {"rows": 1, "columns": 2}

Letters = tuple[str, str, str, str]
"""Where the head (H), the feet (F), anterior (A), posterior (P), right (R) and left (L) lie of what is drawn:
on top, at the right, at the bottom, at the left."""
_OF_AXIAL: dict[str, tuple[str, Letters]] = {
    "frames": ("axial", ("A", "L", "P", "R")),
    "rows": ("coronal", ("H", "L", "F", "R")),
    "columns": ("sagittal", ("H", "P", "F", "A")),
}


@dataclass(frozen=True)
class Plane:
    """count: how many cuts lie behind one another. rows, columns: of each. spacing: mm of its pixels.

    name: "axial", "coronal" or "sagittal"; "" where nothing says how the frames lie. letters: None then.
    """

    across: str
    name: str
    letters: Letters | None
    count: int
    rows: int
    columns: int
    spacing: tuple[float, float]


def letters_of(image: Image) -> Letters | None:
    """Of the frames as they are stored; None where nothing says how they lie."""
    return _OF_AXIAL["frames"][1] if image.plane == "axial" else None


def planes_of(image: Image) -> list[Plane]:
    """The two that can be cut; [] of what is no volume, or has no one scale."""
    if not image.is_volume or image.spacing is None or image.slice_spacing is None or image.parts:
        return []
    if image.frames < 2:
        return []
    down, right = image.spacing
    sides = {"rows": (image.rows, image.columns, right), "columns": (image.columns, image.rows, down)}
    return [
        Plane(across, *_named(image, across), count, image.frames, columns, (image.slice_spacing, width))
        for across, (count, columns, width) in sides.items()
    ]


def plane_of(image: Image, across: str) -> Plane | None:
    """The one that is meant; None where the image has none of it."""
    return next((plane for plane in planes_of(image) if plane.across == across), None)


def _named(image: Image, across: str) -> tuple[str, Letters | None]:
    return _OF_AXIAL[across] if image.plane == "axial" else ("", None)


def cut(image: Image, across: str, number: int) -> NDArray[Any]:
    """(frames from the last to the first, columns or rows); IndexError past the end.

    Raises BlobUnavailable.
    """
    axis = AXES[across]
    with store.open_unverified(image.pixels_id) as file:
        shape, dtype = images.header(file)
        if not 0 <= number < shape[axis]:
            raise IndexError(number)
        voxels = np.memmap(cast("IO[bytes]", file.file), dtype, "r", file.tell(), shape)
        return np.ascontiguousarray(np.take(voxels, number, axis)[::-1])
