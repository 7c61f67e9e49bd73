"""When a stated pixel spacing may be believed."""

import math

CALIBRATED = "calibration"
"""The source of a spacing that a reader has calibrated: no file states it."""
LEAST_MM, MOST_MM = 0.005, 20.0


def plausible(rows: object, columns: object) -> tuple[float, float] | None:
    """(between rows, between columns) in mm, or None when either is no number or out of all proportion.

    No spacing is better than a wrong one: millimetres decide the severity of ventriculomegaly.
    """
    if not isinstance(rows, int | float) or not isinstance(columns, int | float):
        return None
    pair = float(rows), float(columns)
    return pair if all(math.isfinite(side) and LEAST_MM <= side <= MOST_MM for side in pair) else None
