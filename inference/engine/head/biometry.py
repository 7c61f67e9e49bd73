"""What a head measures, and what age that speaks for, where the scale is known.

Head circumference runs along the outer edge of the skull. The biparietal diameter here is outer to outer,
the short axis of the same ellipse; outer to inner, as many charts want it, is one skull less.
"""

import math
from dataclasses import dataclass

from inference.engine.head.ellipse import Ellipse

FORMULA = "Hadlock et al. 1984, Radiology 152:497, by head circumference"
LEAST_MM, MOST_MM = 68.0, 360.0
"""Head circumferences that the formula was made of."""
TOO_EARLY_MM = 150.0
"""Head circumference of about 18 weeks."""
CONTRADICTION_DAYS = 14
"""A stated age that is further than this from the measured one is asked about."""


@dataclass(frozen=True)
class HeadBiometry:
    """One head in mm. gestational_age_days: by `formula`; None where the head is outside its range."""

    head_circumference_mm: float
    biparietal_mm: float
    occipitofrontal_mm: float
    gestational_age_days: int | None
    formula: str = FORMULA

    @property
    def early(self) -> bool:
        """From before about 18 weeks, when choroid fills the ventricles."""
        return self.head_circumference_mm < TOO_EARLY_MM

    def contradicts(self, stated_days: int | None) -> bool:
        """The stated gestational age is more than two weeks from the measured one."""
        return contradicts(self.gestational_age_days, stated_days)


def contradicts(measured_days: int | None, stated_days: int | None) -> bool:
    """Two ages are more than two weeks apart; False where either is unknown."""
    if measured_days is None or stated_days is None:
        return False
    return abs(measured_days - stated_days) > CONTRADICTION_DAYS


def measured(head: Ellipse, mm_per_pixel: float) -> HeadBiometry:
    """Biometry of an outline (outer edge of the skull) in square pixels of a known size."""
    around = circumference(head) * mm_per_pixel
    return HeadBiometry(
        head_circumference_mm=around,
        biparietal_mm=2 * head.short * mm_per_pixel,
        occipitofrontal_mm=2 * head.long * mm_per_pixel,
        gestational_age_days=age_days(around),
    )


def circumference(ellipse: Ellipse) -> float:
    """Ramanujan's first approximation, within 0.01 % for any head."""
    a, b = ellipse.long, ellipse.short
    return math.pi * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))


def age_days(head_circumference_mm: float) -> int | None:
    """Menstrual age (Hadlock 1984): weeks = 8.96 + 0.540 HC + 0.0003 HC^3, HC in cm; else None."""
    if not LEAST_MM <= head_circumference_mm <= MOST_MM:
        return None
    around = head_circumference_mm / 10
    return round(7 * (8.96 + 0.540 * around + 0.0003 * around**3))
