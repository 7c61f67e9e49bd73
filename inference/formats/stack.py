"""The one shape every scan takes once it has been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inference.formats.affine import Affine
from inference.formats.regions import Region
from inference.formats.spacing import aspect_of

Modality = Literal["ultrasound", "mri"]
Plane = Literal["axial", "coronal", "sagittal", ""]
SourceFormat = Literal["png", "jpeg", "tiff", "bmp", "gif", "mp4", "avi", "mpeg", "dicom", "nifti"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class PictureStack:
    """Grey frames of one scan, de-identified, and where they came from.

    pixels: (frames, rows, columns), uint8 or uint16, native byte order, C order,
        more signal is brighter (MONOCHROME1 has been inverted). Where plane is "axial" the
        frames go from foot to head; anterior is up, the patient's left is right. Others
        keep the order and plane of the file.
    pixel_spacing: millimetres (between rows, between columns), as in DICOM
        PixelSpacing; None when nothing in the file states it.
    pixel_spacing_source: which field stated it, e.g. "PixelSpacing",
        "SequenceOfUltrasoundRegions", "NIfTI pixdim", "phantom"; "" when unknown.
    pixel_aspect: spacing between rows over spacing between columns, where a file states only that
        (PixelAspectRatio, the density of a PNG, JPEG or TIFF); None when pixel_spacing says it or nothing
        does.
    regions: parts with scales of their own; outside of them the picture has none. () where pixel_spacing, or
        nothing, holds everywhere. Where all agree, pixel_spacing is their scale too.
    slice_spacing: millimetres between neighbouring frames of a volume.
    affine: of a volume, from (column, row, frame, 1) to millimetres towards the patient's left, back and head
        (as DICOM has them): three rows of four; None where nothing says how it lies. affine_source: what
        says it; "" without one.
    rescale: (slope, intercept): original value = stored value * slope + intercept.
    window: (WindowCenter, WindowWidth) in stored values, when the file states one.
    acquisition: allow-listed, non-identifying DICOM keywords and their values.
    """

    pixels: Pixels
    modality: Modality
    original_sha256: str
    source_format: SourceFormat
    plane: Plane = ""
    pixel_spacing: tuple[float, float] | None = None
    pixel_spacing_source: str = ""
    pixel_aspect: float | None = None
    regions: tuple[Region, ...] = ()
    slice_spacing: float | None = None
    affine: Affine | None = None
    affine_source: str = ""
    rescale: tuple[float, float] = (1.0, 0.0)
    window: tuple[float, float] | None = None
    acquisition: Mapping[str, str | int | float] = field(default_factory=dict)

    @property
    def is_volume(self) -> bool:
        """Neighbouring frames are neighbouring slices, not moments of a loop."""
        return self.slice_spacing is not None

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width; 1 where nothing says it."""
        return aspect_of(self.pixel_spacing, self.pixel_aspect)
