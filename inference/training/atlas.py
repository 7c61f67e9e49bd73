"""Training pictures from real MRI volumes with ventricle labels.

Every volume at hand shows ventriculomegaly. A normal is made from the same slice by drawing the walls of
the ventricles in until the widest place has a normal width, and filling what is left with the white matter
beside it: source, contrast and everything but the ventricles stay the same on both sides.
"""

from functools import lru_cache, partial
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.formats.stack import PictureStack
from inference.training.data import Source

VENTRICLES = 2
MILLIMETRES = 0.8
DILATED_MM = 10.0
NORMAL_MM = (4.5, 8.5)
SLICES = 8

Slice = NDArray[np.float32]
Mask = NDArray[np.bool_]


def atlas_sources(folder: Path, seed: int) -> list[Source]:
    """Some dilated slices of each volume, as they are and with drawn-in ventricles; a volume is a group."""
    sources: list[Source] = []
    for volume in sorted(path.parent for path in folder.glob("*/parcellation.nii.gz")):
        rng = np.random.default_rng([seed, len(sources)])
        for index in _dilated_slices(volume, rng):
            target = float(rng.uniform(*NORMAL_MM))
            name = f"{volume.name}/{index}"
            sources.append((name, "ventriculomegaly", volume.name, partial(slice_stack, volume, index, None)))
            narrow = partial(slice_stack, volume, index, target)
            sources.append((f"{name}/{target:.1f}mm", "normal", volume.name, narrow))
    return sources


def slice_stack(volume: Path, index: int, width_mm: float | None) -> PictureStack:
    """One axial slice, its ventricles drawn in to `width_mm` when that is given."""
    picture, ventricles = _volume(volume)
    level = picture[index]
    if width_mm is not None:
        level = narrowed(level, ventricles[index], width_mm)
    pixels = np.clip(level / picture.max() * 65535, 0, 65535).astype(np.uint16)
    return PictureStack(
        pixels=pixels[None], modality="mri", original_sha256="", source_format="nifti", plane="axial"
    )


def widest_mm(ventricles: Mask) -> float:
    """Diameter of the largest circle that fits into the ventricles of a slice."""
    return float(2 * MILLIMETRES * ndimage.distance_transform_edt(ventricles).max())


def narrowed(picture: Slice, ventricles: Mask, width_mm: float) -> Slice:
    """The slice with ventricle walls drawn in evenly until the widest place measures `width_mm`."""
    depth = ndimage.distance_transform_edt(ventricles)
    kept = depth > max(float(depth.max()) - width_mm / (2 * MILLIMETRES), 0)
    edge = ndimage.binary_dilation(ventricles, iterations=2)
    nearest = ndimage.distance_transform_edt(edge, return_distances=False, return_indices=True)
    matter = ndimage.gaussian_filter(picture[tuple(nearest)], 1.0)
    fluid = float(np.median(picture[depth > depth.max() / 2]))
    share = ndimage.gaussian_filter(kept.astype(np.float32), 0.7)
    redrawn = share * fluid + (1 - share) * matter
    return np.where(edge, redrawn, picture).astype(np.float32)


def _dilated_slices(volume: Path, rng: np.random.Generator) -> list[int]:
    """Slices through the upper half of the ventricles that are as wide as ventriculomegaly."""
    _, ventricles = _volume(volume)
    widths = np.array([widest_mm(mask) for mask in ventricles])
    wide = np.flatnonzero(widths >= DILATED_MM)
    return sorted(rng.choice(wide, min(SLICES, len(wide)), replace=False).tolist())


@lru_cache(maxsize=1)
def _volume(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Picture and ventricles as (slices, rows, columns): foot to head, anterior up, patient's left right."""
    picture, labels = (_axial(folder / name) for name in ("srr.nii.gz", "parcellation.nii.gz"))
    return picture, labels == VENTRICLES


def _axial(path: Path) -> NDArray[np.float32]:
    image = nibabel.as_closest_canonical(nibabel.load(path))  # type: ignore[no-untyped-call]
    return np.asarray(image.dataobj, np.float32).transpose(2, 1, 0)[:, ::-1, ::-1]
