"""When a stated pixel spacing may be believed, and how tall its pixels are."""

import math
from typing import Any

CALIBRATED = "calibration"
"""The source of a spacing that a reader has calibrated: no file states it."""
LEAST_MM, MOST_MM = 0.005, 20.0
MOST_ASPECT = 10.0
"""A stated aspect beyond this is a mistake."""
SAME = 0.01
"""Densities that differ by less are one number, rounded by whoever wrote it."""

Pair = tuple[float, float]


def plausible(rows: object, columns: object) -> Pair | None:
    """(between rows, between columns) in mm, or None when either is no number or out of all proportion.

    No spacing is better than a wrong one: millimetres decide the severity of ventriculomegaly.
    """
    if not isinstance(rows, int | float) or not isinstance(columns, int | float):
        return None
    pair = float(rows), float(columns)
    return pair if all(math.isfinite(side) and LEAST_MM <= side <= MOST_MM for side in pair) else None


def plausible_aspect(down: float, across: float) -> float | None:
    """Height of a pixel over its width, from both in any one unit; None where no pixel is of that shape."""
    if not (math.isfinite(down) and math.isfinite(across) and down > 0 and across > 0):
        return None
    return down / across if 1 / MOST_ASPECT <= down / across <= MOST_ASPECT else None


def aspect_by_density(density: Any) -> float | None:
    """Height of a pixel over its width from how many there are in a length; None for squares and nonsense.

    density: along a row, and along a column, in any one unit: the more of them, the narrower each is.
    """
    try:
        across, down = (float(one) for one in density)
    except (TypeError, ValueError, ArithmeticError):
        return None
    aspect = plausible_aspect(across, down)
    return None if aspect is None or abs(aspect - 1) <= SAME else aspect


def aspect_of(spacing: Pair | None, stated: float | None) -> float:
    """Height of a pixel over its width: of its spacing, else the aspect stated alone, else 1 (square).

    spacing: (between rows, between columns), as everywhere. Both stacks in memory and images at rest answer
    by this; whatever draws or measures a frame asks them, and no other field.
    """
    return spacing[0] / spacing[1] if spacing else stated or 1.0
