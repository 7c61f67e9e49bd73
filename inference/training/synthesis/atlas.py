"""Training pictures from real MRI volumes with tissue labels.

Every volume at hand shows ventriculomegaly. Here the ventricle walls of its slices are moved, in or out,
until the widest place has a wanted width: the brain beside them is stretched along, the skull stays. Both
labels are made that way from the same slices, so that source, contrast and the traces of the moving are
the same on both sides. Half of the pictures are painted anew from the moved labels in chance contrasts,
as SynthSeg does (Billot et al. 2023), and half stand in chance surroundings instead of on black.
"""

from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.formats.stack import PictureStack
from inference.training.data.examples import Source

VENTRICLES, WHITE_MATTER, OUTER_FLUID = 2, 1, 4
MILLIMETRES = 0.8
DILATED_MM = 10.0
NORMAL_MM = (4.0, 8.5)
WIDE_MM = (10.5, 22.0)
SLICES = 8
REACH_MM = 12.0
"""How far from the ventricles the brain is stretched when their walls move."""
FLUID_LEVEL = (0.8, 1.0)
TISSUE_LEVEL = (0.25, 0.7)

Slice = NDArray[np.float32]
Labels = NDArray[np.int16]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Look:
    """How one slice is shown. width_mm: None leaves the walls where they are. seed None: as acquired."""

    width_mm: float | None
    seed: int | None = None


def atlas_sources(folder: Path, variants: int, seed: int) -> tuple[list[Source], list[Source]]:
    """Slices of each volume, and what is made of them; a volume is a group.

    First every slice as it was acquired and once with a normal width: figures rest on these. Then slices
    with moved walls in chance looks, `variants` of either label, to learn from.
    """
    plain: list[Source] = []
    made: list[Source] = []
    for volume in sorted(path.parent for path in folder.glob("*/parcellation.nii.gz")):
        rng = np.random.default_rng([seed, len(plain)])
        for index in dilated_slices(volume, rng):
            plain += _named(
                volume, index, "plain", [("ventriculomegaly", Look(None)), ("normal", _narrow(rng))]
            )
            made += _named(volume, index, "made", _chance_looks(variants, rng))
    return plain, made


def _narrow(rng: np.random.Generator) -> Look:
    return Look(float(rng.uniform(*NORMAL_MM)))


def _chance_looks(variants: int, rng: np.random.Generator) -> list[tuple[str, Look]]:
    return [
        (label, Look(float(rng.uniform(*widths)), int(rng.integers(2**31))))
        for _ in range(variants)
        for label, widths in (("normal", NORMAL_MM), ("ventriculomegaly", WIDE_MM))
    ]


def _named(volume: Path, index: int, kind: str, looks: list[tuple[str, Look]]) -> list[Source]:
    return [
        (f"{volume.name}/{index}/{kind}-{n}", label, volume.name, partial(slice_stack, volume, index, look))
        for n, (label, look) in enumerate(looks)
    ]


def slice_stack(volume: Path, index: int, look: Look) -> PictureStack:
    """One axial slice in that look; equal arguments give equal pixels."""
    picture, labels = _volume(volume)
    level, parts = picture[index] / np.percentile(picture, 99.9), labels[index]
    if look.width_mm is not None:
        level, parts = moved(level, parts, look.width_mm)
    if look.seed is not None:
        level = _dressed(level, parts, np.random.default_rng(look.seed))
    pixels = np.clip(level / max(float(level.max()), 1e-6) * 65535, 0, 65535).astype(np.uint16)
    return PictureStack(
        pixels=pixels[None], modality="mri", original_sha256="", source_format="nifti", plane="axial"
    )


def labelled_slices(volume: Path) -> Labels:
    """The tissue labels of a volume (slices, rows, columns)."""
    return _volume(volume)[1]


def widest_mm(ventricles: Mask) -> float:
    """Diameter of the largest circle that fits into the ventricles of a slice."""
    return float(2 * MILLIMETRES * ndimage.distance_transform_edt(ventricles).max())


def moved(picture: Slice, labels: Labels, width_mm: float) -> tuple[Slice, Labels]:
    """The slice and its labels with ventricle walls moved until the widest place measures `width_mm`."""
    inward = (widest_mm(labels == VENTRICLES) - width_mm) / 2 / MILLIMETRES
    return walls_moved(picture, labels, inward)


def walls_moved(picture: Slice, labels: Labels, inward: float) -> tuple[Slice, Labels]:
    """A slice or volume and its labels with all ventricle walls moved `inward` pixels (out if negative)."""
    ventricles = labels == VENTRICLES
    depth = ndimage.distance_transform_edt(~ventricles) - ndimage.distance_transform_edt(ventricles)
    depth = ndimage.gaussian_filter(depth, 1.0)
    shift = _wall_shift(depth, inward)
    slopes = np.gradient(depth)
    steep = reduce(np.hypot, slopes) + 1e-6
    places = np.indices(picture.shape)
    grid = [place + shift * slope / steep for place, slope in zip(places, slopes, strict=True)]
    return (
        np.asarray(ndimage.map_coordinates(picture, grid, order=1, mode="nearest"), np.float32),
        np.asarray(ndimage.map_coordinates(labels, grid, order=0, mode="nearest"), np.int16),
    )


def _wall_shift(depth: NDArray[np.float64], inward: float) -> NDArray[np.float64]:
    """How much further out to look, in pixels, at a signed distance from the wall (negative inside)."""
    reach = max(REACH_MM / MILLIMETRES, 2.5 * abs(inward))
    stretched = np.where(depth < -inward, depth + inward, (depth + inward) * reach / (reach + inward))
    return np.asarray(np.where(depth < reach, stretched - depth, 0.0))


def _dressed(picture: Slice, labels: Labels, rng: np.random.Generator) -> Slice:
    """Another contrast, another coil, other surroundings, another resolution."""
    level = _repainted(picture, labels, rng) if rng.random() < 0.5 else picture
    if rng.random() < 0.5:
        level = _surrounded(level, labels > 0, rng)
    shape = picture.shape
    coil = ndimage.zoom(rng.normal(0, 0.25, (4, 4)), (shape[0] / 4, shape[1] / 4), order=3)
    level = level * np.exp(coil * rng.uniform(0, 1))
    level = ndimage.gaussian_filter(level, rng.uniform(0.0, 1.6))
    noisy = level + rng.normal(0, 1, shape) * rng.uniform(0, 0.05) * (level > 0)
    return np.asarray(np.maximum(noisy, 0), np.float32)


def _repainted(picture: Slice, labels: Labels, rng: np.random.Generator) -> Slice:
    """Every tissue at a chance level, fluid brightest as T2 has it, with a share of its own texture."""
    painted = np.zeros_like(picture)
    kept = rng.uniform(0.3, 1.0)
    for label in np.unique(labels[labels > 0]):
        here = labels == label
        fluid = label in (VENTRICLES, OUTER_FLUID)
        level = rng.uniform(*(FLUID_LEVEL if fluid else TISSUE_LEVEL))
        painted[here] = level + kept * (picture[here] - picture[here].mean())
    return np.asarray(ndimage.gaussian_filter(painted, 0.6), np.float32)


def _surrounded(picture: Slice, brain: Mask, rng: np.random.Generator) -> Slice:
    """Fluid, skull and the mother around a brain that was cut out, instead of black."""
    away = ndimage.distance_transform_edt(~brain) * MILLIMETRES
    fluid, skull = rng.uniform(0.0, 3.0), rng.uniform(1.0, 3.0)
    rough = ndimage.gaussian_filter(rng.normal(0, 1, picture.shape), rng.uniform(3, 10))
    outside = rng.uniform(0.15, 0.7) + 0.15 * rough / (rough.std() + 1e-6)
    around = np.where(away < fluid, rng.uniform(0.6, 1.0), np.where(away < fluid + skull, 0.05, outside))
    return np.where(brain, picture, np.maximum(around, 0.01)).astype(np.float32)


def dilated_slices(volume: Path, rng: np.random.Generator) -> list[int]:
    """Slices through the upper half of the ventricles that are as wide as ventriculomegaly."""
    _, labels = _volume(volume)
    widths = np.array([widest_mm(part == VENTRICLES) for part in labels])
    wide = np.flatnonzero(widths >= DILATED_MM)
    return sorted(rng.choice(wide, min(SLICES, len(wide)), replace=False).tolist())


@lru_cache(maxsize=1)
def _volume(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Picture and labels as (slices, rows, columns): foot to head, anterior up, patient's left right."""
    picture, labels = (axial(folder / name) for name in ("srr.nii.gz", "parcellation.nii.gz"))
    return picture, labels.astype(np.int16)


def axial(path: Path) -> NDArray[np.float32]:
    """A volume as (slices, rows, columns): foot to head, anterior up, patient's left right."""
    image = nibabel.as_closest_canonical(nibabel.load(path))  # type: ignore[no-untyped-call]
    return np.asarray(image.dataobj, np.float32).transpose(2, 1, 0)[:, ::-1, ::-1]
