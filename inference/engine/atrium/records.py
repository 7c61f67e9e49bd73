"""What a measurement says. Nothing here imports torch."""

import math
from dataclasses import dataclass
from typing import Literal

from inference.engine.atrium.scale import Scale

LIMIT_MM = 10.0
"""SMFM Consult Series #45: ventriculomegaly from 10 mm, at any gestational age."""
READER_MM = 0.5
"""Readers differ by as much (Diagnostics 2023;13:2355): no measurement here is held to be surer."""

Side = Literal["far", "near", "beside", "left", "right"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Millimetres:
    """A width in mm with its standard deviation, of measuring and scale; estimated: from an age."""

    width: float
    error: float
    estimated: bool

    @property
    def probability(self) -> float:
        """That the true width is LIMIT_MM or more, were the error a normal distribution."""
        return 0.5 * math.erfc((LIMIT_MM - self.width) / (self.error * math.sqrt(2)))


@dataclass(frozen=True)
class AtrialWidth:
    """One atrium, inner wall to inner wall, across the ventricle's axis.

    inner, outer: ends of the caliper, (x, y) pixel centres of the frame; inner is the midline's.
    side: in the half of the head away from the probe (far), the one before it (near), or neither, where the
        midline runs along the beam (beside). On MRI the patient's left or right, as the file's axes have it.
    width, error: in pixels; error is a standard deviation.
    chance: 0 to 1, that an atrium is there to be measured.
    over_bpd: width over the head's short diameter, which never alarms.
    """

    inner: Point
    outer: Point
    side: Side
    width: float
    error: float
    chance: float
    over_bpd: float

    def millimetres(self, scale: Scale) -> Millimetres:
        """The width by a scale."""
        width = self.width * scale.mm_per_pixel
        error = math.hypot(self.error * scale.mm_per_pixel, width * scale.error, READER_MM)
        return Millimetres(width, error, scale.estimated)


@dataclass(frozen=True)
class Atria:
    """The atria of one frame that can be measured, far side first; empty: it cannot be measured here.

    chance: of the likeliest atrium, whether or not it was likely enough.
    """

    widths: tuple[AtrialWidth, ...]
    chance: float

    @property
    def measurable(self) -> bool:
        """Whether any atrium can be measured."""
        return bool(self.widths)

    def probability(self, scale: Scale | None) -> float | None:
        """That the wider atrium measures LIMIT_MM or more; None without an atrium or without a scale."""
        if scale is None or not self.widths:
            return None
        return max(width.millimetres(scale).probability for width in self.widths)
