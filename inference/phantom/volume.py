"""A stack of axial MRI slices through one head, foot to head."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.formats.stack import PictureStack
from inference.phantom.export import nifti_bytes
from inference.phantom.geometry import head_distance, head_height_mm
from inference.phantom.mri import mri_view, paint_mri
from inference.phantom.records import NO_DEFECTS, Defects, HeadSpec, Mask, OfHead
from inference.phantom.tissue import ventricle_pair
from inference.phantom.view import View


@dataclass(frozen=True)
class VolumePhantom(OfHead):
    """A synthetic MRI volume and the truth about it.

    pixels: uint8 (slices, rows, columns), foot to head, anterior up, the patient's left on the right.
    Masks: bool, same shape. ventricular_slice: the slice nearest to the transventricular plane.
    """

    pixels: NDArray[np.uint8]
    pixel_spacing: tuple[float, float]
    slice_spacing: float
    head: Mask
    ventricles: Mask
    ventricular_slice: int
    seed: int
    spec: HeadSpec
    defects: Defects

    def nifti(self) -> bytes:
        """An uncompressed NIfTI-1 file in RAS+ orientation, marked as synthetic in its description."""
        return nifti_bytes(self.pixels, self.pixel_spacing, self.slice_spacing)

    def stack(self) -> PictureStack:
        """The volume as the engine takes it, as if decoded from `nifti()`."""
        return PictureStack(
            pixels=self.pixels,
            modality="mri",
            original_sha256=hashlib.sha256(self.nifti()).hexdigest(),
            source_format="nifti",
            plane="axial",
            pixel_spacing=self.pixel_spacing,
            pixel_spacing_source="phantom",
            slice_spacing=self.slice_spacing,
        )


def volume(
    spec: HeadSpec,
    *,
    seed: int,
    defects: Defects = NO_DEFECTS,
    size: int = 160,
    slice_spacing: float = 3.0,
) -> VolumePhantom:
    """Slices `slice_spacing` mm apart through most of the head; motion also shifts whole slices."""
    still = replace(defects, tilt=0.0)
    first = mri_view(np.random.default_rng([3, seed]), spec, still, size)
    below, above = (int(share * head_height_mm(spec) / slice_spacing) for share in (0.45, 0.75))
    jolts = np.random.default_rng([4, seed]).normal(0.0, 5.0 * defects.motion, (below + above + 1, 2))
    views = [
        _at_height(first, defects, n * slice_spacing, jolt)
        for n, jolt in zip(range(-below, above + 1), jolts, strict=True)
    ]
    slices = [_slice(spec, view, still, seed, number) for number, view in enumerate(views)]
    pixels, head, ventricles = (np.stack(layer) for layer in zip(*slices, strict=True))
    return VolumePhantom(
        pixels=pixels,
        pixel_spacing=first.pixel_spacing,
        slice_spacing=slice_spacing,
        head=head,
        ventricles=ventricles,
        ventricular_slice=below,
        seed=seed,
        spec=spec,
        defects=defects,
    )


def _at_height(view: View, defects: Defects, height: float, jolt: NDArray[np.float64]) -> View:
    centre = view.centre[0] + float(jolt[0]), view.centre[1] + float(jolt[1])
    return replace(view, lift=height, centre=centre, slope=(0.25 * defects.tilt, 0.12 * defects.tilt))


def _slice(
    spec: HeadSpec, view: View, defects: Defects, seed: int, number: int
) -> tuple[NDArray[np.uint8], Mask, Mask]:
    """Pixels, head and ventricles of one slice; contrast is redrawn alike for each, noise is not."""
    noise = np.random.default_rng([5, seed, number])
    signal = paint_mri(np.random.default_rng([6, seed]), noise, spec, view, defects)
    at = view.head(*view.screen())
    skull = head_distance(spec, at)
    ventricles, _ = ventricle_pair(spec, skull, at)
    return np.round(np.clip(signal, 0, 1) * 255).astype(np.uint8), skull < 0, ventricles < 0
