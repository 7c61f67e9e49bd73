"""Severity of ventriculomegaly from millimetres, under a named scheme; never from a classifier.

The schemes differ between 12 and 15 mm, so a severity is worth nothing without the name of its scheme.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_noop

MILD, MODERATE, SEVERE = gettext_noop("mild"), gettext_noop("moderate"), gettext_noop("severe")
"""As they are kept; language.stored says them in words."""
WIDE_MM = 10.0
"""Atrial width from which ventriculomegaly is spoken of, at any gestational age (SMFM Consult Series #45)."""
GREY_ZONE_MM = (9.0, 11.0)
"""Within measuring error of the limit: measure again, or in another plane."""


def above(limit_mm: float) -> float:
    """The least width that is more than a limit: a step that does not hold at the limit itself."""
    return math.nextafter(limit_mm, math.inf)


@dataclass(frozen=True)
class Scheme:
    """Words and the width in mm from which each holds, ascending. source: where the limits are published."""

    title: str
    source: str
    steps: tuple[tuple[float, str], ...]

    def of(self, width_mm: float) -> str:
        """The severity; "" below the first step. Nothing is rounded."""
        found = [word for least, word in self.steps if width_mm >= least]
        return found[-1] if found else ""


SCHEMES: Mapping[str, Scheme] = {
    "smfm-45": Scheme(
        "SMFM Consult Series #45 (2018)",
        "https://www.smfm.org: mild 10 to 12 mm, moderate 13 to 15 mm, severe above 15 mm",
        ((WIDE_MM, MILD), (above(12), MODERATE), (above(15), SEVERE)),
    ),
    "gaglioti-2005": Scheme(
        "Gaglioti et al. 2005",
        "Ultrasound Obstet Gynecol 25:372: mild 10 to 12 mm, moderate 12.1 to 14.9 mm, severe from 15 mm",
        ((WIDE_MM, MILD), (above(12), MODERATE), (15.0, SEVERE)),
    ),
    "two-step": Scheme(
        "Two steps (NHS GGC guideline 491)",
        "https://rightdecisions.scot.nhs.uk: mild 10 to 15 mm, severe above 15 mm",
        ((WIDE_MM, MILD), (above(15), SEVERE)),
    ),
}


def in_grey_zone(width_mm: float) -> bool:
    """Whether a repeated measurement could fall on the other side of the limit."""
    low, high = GREY_ZONE_MM
    return low <= width_mm < high
