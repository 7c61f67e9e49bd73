"""Parts of a picture with scales of their own: ultrasound regions, and frames whose spacings differ."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inference.formats.spacing import Pair, aspect_of, plausible

MOST = 256
"""Of more parts than this nobody knows the scale: none is kept."""
SAME = 0.01
"""Two scales that differ by less are one, rounded by whoever wrote it."""
Point = tuple[float, float]
Span = tuple[int, int]


@dataclass(frozen=True)
class Region:
    """rows, columns, frames: the first and the last that belong to it, from 0. frames: None for every frame.

    spacing: mm (between rows, between columns).
    """

    rows: Span
    columns: Span
    spacing: Pair
    frames: Span | None = None

    @property
    def area(self) -> int:
        """In pixels of one frame."""
        return (self.rows[1] - self.rows[0] + 1) * (self.columns[1] - self.columns[0] + 1)

    def holds(self, frame: int, point: Point) -> bool:
        """Whether a point lies on one of its pixels: (row, column), 0 in the middle of the first."""
        if self.frames and not self.frames[0] <= frame <= self.frames[1]:
            return False
        spans = (self.rows, self.columns)
        return all(
            first - 0.5 <= place <= last + 0.5 for place, (first, last) in zip(point, spans, strict=True)
        )

    def as_json(self) -> dict[str, Any]:
        """For the row, the viewer and programs."""
        return {
            "rows": [*self.rows],
            "columns": [*self.columns],
            "frames": [*self.frames] if self.frames else None,
            "spacing": [*self.spacing],
        }


def region_of(said: Any) -> Region:
    """One again from its JSON. Raises TypeError, KeyError, ValueError where it is none."""
    spacing = plausible(*said["spacing"])
    spans = [tuple(said[name]) for name in ("rows", "columns")] + [tuple(said["frames"] or (0, 0))]
    if spacing is None or not all(_is_span(span) for span in spans):
        raise ValueError("no region of a picture")
    rows, columns, frames = spans
    return Region(rows, columns, spacing, frames if said["frames"] is not None else None)


def _is_span(span: tuple[Any, ...]) -> bool:
    return len(span) == 2 and all(type(one) is int for one in span) and 0 <= span[0] <= span[1]


def spacing_between(regions: Iterable[Region], frame: int, points: Sequence[Point]) -> Pair | None:
    """The scale at all these points of a frame: of the region that holds them all.

    None where they lie in different regions or outside of any, and where regions of different scales lie over
    each other there: no millimetres are better than wrong ones.
    """
    found = [one.spacing for one in regions if all(one.holds(frame, point) for point in points)]
    return found[0] if found and agree(found) else None


def agree(pairs: Sequence[Pair]) -> bool:
    """Whether all are one scale."""
    return all(
        math.isclose(side, other, rel_tol=SAME)
        for pair in pairs
        for side, other in zip(pair, pairs[0], strict=True)
    )


def aspect_among(regions: Sequence[Region]) -> float | None:
    """Height of a pixel over its width in the largest region: a picture is drawn in one proportion."""
    largest = max(regions, key=lambda one: one.area, default=None)
    return None if largest is None else aspect_of(largest.spacing, None)
