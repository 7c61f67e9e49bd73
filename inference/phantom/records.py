"""What a phantom is: the head (anatomy), the defects of one acquisition, and the finished picture."""

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inference.formats.stack import Modality, PictureStack
from inference.phantom.export import png_bytes

Label = Literal["normal", "ventriculomegaly"]
ATRIAL_LIMIT_MM = 10.0  # SMFM Consult Series #45: ventriculomegaly from 10 mm, at any gestational age

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class LateralVentricle:
    """One lateral ventricle in the transventricular plane; lengths in mm, angles in degrees.

    atrial_width_mm: inner to inner, perpendicular to the long axis, at the glomus.
    atrium_offset_mm: from the midline to the centre of the atrium.
    atrium_position_mm: of the glomus, backwards from the centre of the head.
    axis_angle_deg: of the long axis at the glomus, opening backwards and outwards.
    body_width_mm: 0 where thalamus separates frontal horn and atrium in this plane.
    choroid_share: width of the glomus as a share of the atrial width.
    choroid_drift: -1 lies on the inner wall, 0 fills the middle, 1 on the outer wall.
    """

    atrial_width_mm: float
    atrium_offset_mm: float
    atrium_position_mm: float
    axis_angle_deg: float
    atrium_length_mm: float
    occipital_length_mm: float
    frontal_width_mm: float
    frontal_length_mm: float
    body_width_mm: float
    choroid_share: float
    choroid_length_mm: float
    choroid_drift: float
    choroid_angle_deg: float


@dataclass(frozen=True)
class HeadSpec:
    """One fetal head: everything that stays the same from one acquisition to the next.

    Lengths in mm. biparietal and occipitofrontal diameters are outer to outer. skull_unevenness:
    shares of the radius by which the outline departs from an ellipse, (cos, sin) thrice and (cos, sin)
    four times around.
    texture_seed fixes the folds, small echoes and grey-level mottling of this brain.
    """

    gestational_age_days: int
    biparietal_mm: float
    occipitofrontal_mm: float
    skull_thickness_mm: float
    skull_squareness: float
    skull_taper: float
    skull_unevenness: tuple[float, float, float, float]
    subarachnoid_mm: float
    midline_bow_mm: float
    cavum_width_mm: float
    cavum_length_mm: float
    left: LateralVentricle
    right: LateralVentricle
    texture_seed: int

    @property
    def atrial_width_mm(self) -> tuple[float, float]:
        """(left, right), the patient's sides."""
        return self.left.atrial_width_mm, self.right.atrial_width_mm

    @property
    def label(self) -> Label:
        """The wider atrium decides."""
        return "ventriculomegaly" if max(self.atrial_width_mm) >= ATRIAL_LIMIT_MM else "normal"


@dataclass(frozen=True)
class Defects:
    """How badly one acquisition went: 0 is clean, 1 is the worst of its kind.

    tilt: oblique plane; the ventricles are cut off their widest level, one more than the other.
    crop: the head slides out of the field of view. gain: the brightest parts saturate.
    shadow: acoustic shadow (ultrasound) or signal void (MRI).
    """

    noise: float = 0.0
    motion: float = 0.0
    shadow: float = 0.0
    crop: float = 0.0
    tilt: float = 0.0
    blur: float = 0.0
    gain: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{item.name} must lie in 0..1, not {value}")


NO_DEFECTS = Defects()


@dataclass(frozen=True)
class Caliper:
    """Both ends of the atrial width as (row, column) in pixels; the middle of the first pixel is 0."""

    inner: tuple[float, float]
    outer: tuple[float, float]


class OfHead:
    """What every drawing takes from its head, whatever it shows of it."""

    spec: HeadSpec

    @property
    def label(self) -> Label:
        """Of the head, whatever this acquisition shows of it."""
        return self.spec.label

    @property
    def atrial_width_mm(self) -> tuple[float, float]:
        """(left, right), true widths of the head."""
        return self.spec.atrial_width_mm

    @property
    def gestational_age_days(self) -> int:
        """Age of the head."""
        return self.spec.gestational_age_days


@dataclass(frozen=True)
class Phantom(OfHead):
    """One synthetic picture and the truth about it.

    pixels: uint8 (rows, columns). Masks: bool, same shape, what this plane shows.
    atrial_width_mm: (left, right) of the head itself; a tilted plane shows less of it.
    calipers: (left, right), where a perfect reader would measure. ventricles include their choroid.
    pixel_spacing: mm (between rows, between columns); the two may differ in ultrasound.
    """

    pixels: NDArray[np.uint8]
    pixel_spacing: tuple[float, float]
    head: Mask
    ventricles: Mask
    choroid: Mask
    calipers: tuple[Caliper, Caliper]
    look: Modality
    seed: int
    spec: HeadSpec
    defects: Defects

    def truth(self) -> dict[str, Any]:
        """Everything known about the picture, ready for JSON."""
        return {
            "synthetic": True,
            "look": self.look,
            "seed": self.seed,
            "pixel_spacing": list(self.pixel_spacing),
            "label": self.label,
            "atrial_width_mm": list(self.atrial_width_mm),
            "gestational_age_days": self.gestational_age_days,
            "calipers": [asdict(caliper) for caliper in self.calipers],
            "spec": asdict(self.spec),
            "defects": asdict(self.defects),
        }

    def png(self) -> bytes:
        """A grey PNG whose text chunk `ventra-phantom` says that it is synthetic, as JSON.

        The chunk holds no label and no width: whoever reads the picture has to look at it.
        """
        keys = ("synthetic", "look", "seed", "pixel_spacing")
        truth = self.truth()
        return png_bytes(self.pixels, {key: truth[key] for key in keys})

    def stack(self) -> PictureStack:
        """The picture as the engine takes it, as if decoded from `png()`."""
        return PictureStack(
            pixels=self.pixels[np.newaxis],
            modality=self.look,
            original_sha256=hashlib.sha256(self.png()).hexdigest(),
            source_format="png",
            plane="axial",
            pixel_spacing=self.pixel_spacing,
            pixel_spacing_source="phantom",
        )
