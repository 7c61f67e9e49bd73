"""Whole volumes made of real ones: ventricle walls moved to other widths, mantles folded as late ones are.

Every volume at hand shows ventriculomegaly and none a late normal brain. Each is kept as it is and made anew
with normal, borderline and wide atria, smooth and folded, labels and all: what an atrium measures is known
from the labels (`true_plane`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.ventricles.calipers import Painted, Plane, atrial_plane
from inference.formats.stack import PictureStack
from inference.training.input_gate.vgg16_gate.heads import atlas_volume
from inference.training.synthesis.atlas import MILLIMETRES, VENTRICLES, walls_moved
from inference.training.synthesis.late import gyrified

DEEP_GREY = 6
MARGIN = 14
"""Voxels of black kept around the brain."""
KINDS: tuple[tuple[str, tuple[float, float] | None, bool], ...] = (
    ("as acquired", None, False),
    ("normal", (4.5, 8.5), False),
    ("normal, late", (4.5, 8.5), True),
    ("borderline, late", (8.5, 11.5), True),
    ("wide, late", (11.0, 19.0), True),
)
"""Name, range of atrial widths in mm, folded or not."""

Volume = NDArray[np.float32]
Labels = NDArray[np.int16]


@dataclass(frozen=True)
class Made:
    """A volume (slices, rows, columns), foot to head, anterior up, 0.8 mm. picture 0..1 on black.

    widths: of the atria, by the labels, mm.
    """

    group: str
    kind: str
    picture: Volume
    labels: Labels
    widths: tuple[float, ...]


def made_volumes(folder: Path, seed: int, *, quick: bool = False) -> Iterator[Made]:
    """Every kind of every volume; equal arguments give equal volumes. quick: the first three kinds."""
    for path in sorted(one.parent for one in folder.glob("*/parcellation.nii.gz")):
        picture, labels = _tight(path)
        for number, (kind, range_mm, late) in enumerate(KINDS[:3] if quick else KINDS):
            rng = np.random.default_rng([seed, number, *path.name.encode()])
            yield _made(rng, path.name, kind, picture, labels, range_mm, late=late)


def _made(
    rng: np.random.Generator,
    group: str,
    kind: str,
    picture: Volume,
    labels: Labels,
    range_mm: tuple[float, float] | None,
    *,
    late: bool,
) -> Made:
    if range_mm:
        picture, labels = _of_width(picture, labels, float(rng.uniform(*range_mm)))
    if late:
        picture, labels = gyrified(rng, picture, labels)
    return Made(group, kind, picture, labels, true_widths(labels))


def _of_width(picture: Volume, labels: Labels, width_mm: float) -> tuple[Volume, Labels]:
    """Walls moved evenly, twice: what moving them did to the atria is measured in between."""
    inward = (max(true_widths(labels)) - width_mm) / 2 / MILLIMETRES
    first = walls_moved(picture, labels, inward)
    left = (max(true_widths(first[1]), default=0.0) - width_mm) / 2 / MILLIMETRES
    return walls_moved(picture, labels, inward + left)


def true_widths(labels: Labels) -> tuple[float, ...]:
    """Of the atria by a volume's labels, mm, the patient's right first."""
    plane = true_plane(labels)
    return tuple(one.width_mm for one in plane.calipers) if plane else ()


def true_plane(labels: Labels) -> Plane | None:
    """The atria as the labels show them, by the engine's own rule."""
    levels = np.flatnonzero((labels == DEEP_GREY).any(axis=(1, 2)))
    return atrial_plane([painted_labels(labels[level]) for level in levels])


def painted_labels(labels: Labels) -> Painted:
    """A slice of labels as a network that knew them would paint it."""
    ventricle, brain, deep_grey = (
        np.asarray(ndimage.gaussian_filter(part.astype(np.float32), 0.5), np.float32)
        for part in (labels == VENTRICLES, labels > 0, labels == DEEP_GREY)
    )
    return Painted(ventricle, brain, deep_grey, MILLIMETRES)


def thickened(picture: Volume, axis: int, count: int) -> tuple[Volume, float]:
    """Slices of `count` voxels along an axis, each the mean of what it holds; their thickness in mm."""
    whole = picture.shape[axis] // count * count
    parts = np.take(picture, np.arange(whole), axis=axis)
    shape = [*parts.shape[:axis], whole // count, count, *parts.shape[axis + 1 :]]
    return np.asarray(parts.reshape(shape).mean(axis=axis + 1), np.float32), count * MILLIMETRES


def as_stack(pixels: NDArray[np.uint16], spacing: Sequence[float]) -> PictureStack:
    """An axial volume as a NIfTI file brings it. spacing: of slices, rows and columns, in mm."""
    return PictureStack(
        pixels=np.ascontiguousarray(pixels),
        modality="mri",
        original_sha256="",
        source_format="nifti",
        plane="axial",
        pixel_spacing=(spacing[1], spacing[2]),
        pixel_spacing_source="NIfTI pixdim",
        slice_spacing=spacing[0],
    )


def _tight(path: Path) -> tuple[Volume, Labels]:
    picture, labels, mask = atlas_volume(path)
    inside = mask | (labels > 0)
    box = tuple(
        slice(max(int(at[0]) - MARGIN, 0), int(at[-1]) + MARGIN)
        for at in (np.flatnonzero(inside.any(axis=away)) for away in ((1, 2), (0, 2), (0, 1)))
    )
    level = np.clip(picture * mask / np.percentile(picture[mask], 99.5), 0, 1.2)
    return np.asarray(level[box], np.float32), labels[box]
