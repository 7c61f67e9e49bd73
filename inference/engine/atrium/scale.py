"""How long a pixel is: from the file, from a calibration by hand, or estimated from the gestational age.

Normal atria are 6.4 +- 1.2 mm wide at every age (Almog et al. 2003, J Ultrasound Med 22:39), heads are not of
one size: estimated millimetres carry over between ages and machines, a width over a head's diameter does not.
"""

from dataclasses import dataclass
from typing import Literal

from inference.engine.head.biometry import circumference
from inference.engine.head.ellipse import Ellipse

ScaleSource = Literal["file", "calibration", "gestational_age"]

ERRORS: dict[ScaleSource, float] = {"file": 0.0, "calibration": 0.02, "gestational_age": 0.06}
"""Relative standard deviation of each. Gestational age: heads of one age differ by 4 to 5 %, a stated age is
off by days, and a measured head by 1 to 2 %. A head that hydrocephalus has widened makes widths look smaller
still."""
WEEKS = (14.0, 42.0)
"""Ages for which the head's growth is described."""


@dataclass(frozen=True)
class Scale:
    """mm_per_pixel of the frame's square pixels; error: its relative standard deviation."""

    mm_per_pixel: float
    error: float
    source: ScaleSource

    @property
    def estimated(self) -> bool:
        """Good for a probability, never for a severity."""
        return self.source == "gestational_age"


def expected_circumference_mm(weeks: float) -> float:
    """Mean head circumference at a menstrual age (Hadlock et al. 1984, Radiology). Raises ValueError."""
    low, high = WEEKS
    if not low <= weeks <= high:
        raise ValueError(f"the growth of the head is described from {low:.0f} to {high:.0f} weeks")
    return 10 * (-11.48 + 1.56 * weeks - 0.0002548 * weeks**3)


def stated_scale(mm_per_pixel: float, source: ScaleSource = "file") -> Scale:
    """A scale that somebody or something knows."""
    return Scale(mm_per_pixel, ERRORS[source], source)


def scale_from_age(weeks: float, head: Ellipse) -> Scale | None:
    """Expected over measured head circumference; None outside the ages that are described."""
    if not WEEKS[0] <= weeks <= WEEKS[1]:
        return None
    source: ScaleSource = "gestational_age"
    return Scale(expected_circumference_mm(weeks) / circumference(head), ERRORS[source], source)
