"""The tick marks of a depth scale beside an ultrasound picture: where they stand, and how far apart.

Small bright marks in one column, evenly spaced, with darkness around each. What they stand for in mm is not
said here, as machines print a mark for every 5 mm, every centimetre or every five: a person says that. Where
anything is in doubt nothing is found: a wrong scale is worse than none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]

TALLEST, WIDEST = 6, 14
"""Pixels of a mark; the longer ones of each fifth are as tall."""
BRIGHT = 0.12
"""How much a mark stands out of what is above and below it, as a share of the picture's range."""
MARGIN = 0.3
"""Share of the picture's width on either side in which a depth scale stands."""
ALIGNED = 1.5
"""Pixels by which the ends or middles of marks may differ across."""
LEAST_MARKS = 6
LEAST_SPACING = 8.0
COVERED = 0.85
"""Share of the places between the first and the last mark that have one."""
STRAY = 0.15
"""Share of further marks in the same column, at most."""
OFF_GRID = 0.06
"""Deviation of a mark from its place, as a share of the spacing; 0.75 pixels are always allowed."""
SUBDIVIDED = 0.25
"""Marks of this share of the strength on this share of the places between make the spacing doubtful."""
MOST_PIXELS = 6_000_000
"""A larger picture is no screen."""
LEAST_REACH = 0.25
"""Share of the picture's height that the marks span."""


@dataclass(frozen=True)
class DepthMarks:
    """Evenly spaced marks. column, rows: their middles in pixels, top to bottom.

    spacing: pixels between neighbouring places. error: its relative standard deviation. places: how many
    spacings each mark is from the first.
    """

    column: float
    rows: tuple[float, ...]
    places: tuple[int, ...]
    spacing: float
    error: float

    @property
    def line(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """(row, column) of the first and of the last mark, on the fitted grid."""
        (first, *_), steps = self.rows, self.steps
        return (first, self.column), (first + steps * self.spacing, self.column)

    @property
    def steps(self) -> int:
        """Spacings from the first mark to the last."""
        return self.places[-1]


@dataclass(frozen=True)
class _Blob:
    row: float
    left: float
    right: float
    strength: float

    def at(self, end: str) -> float:
        return {"left": self.left, "right": self.right}.get(end, (self.left + self.right) / 2)


def depth_marks(frame: NDArray[np.generic]) -> DepthMarks | None:
    """The marks of a frame (rows, columns; brighter is more); None where none are found beyond doubt.

    Where two scales stand on it, one on either side, they must tell the same spacing.
    """
    if not frame.size or frame.size > MOST_PIXELS:
        return None
    picture = _spread(frame)
    standing = _standing_out(picture)
    found = [one for blobs in _columns(picture, standing) if (one := _grid(blobs, standing))]
    if not found:
        return None
    best = max(found, key=lambda one: (len(one.rows), -one.error))
    doubtful = [one for one in found if abs(one.spacing - best.spacing) > 0.02 * best.spacing]
    return None if doubtful else best


def _spread(frame: NDArray[np.generic]) -> Floats:
    """0 to 1 from the darkest to the brightest but a few pixels; where little is bright, to half of that."""
    picture = np.asarray(frame, np.float32)
    low, high = np.percentile(picture, (1.0, 99.8))
    high = max(high, low + 0.5 * (float(picture.max()) - low))
    spread: Floats = np.clip((picture - low) / max(float(high - low), 1e-6), 0.0, 1.0).astype(np.float32)
    return spread


def _standing_out(picture: Floats) -> Floats:
    """How far each pixel is above what lies above and below it, and left and right: small bright marks."""
    tall = picture - ndimage.grey_opening(picture, size=(TALLEST + 1, 1))
    wide = picture - ndimage.grey_opening(picture, size=(1, WIDEST + 1))
    standing: Floats = np.minimum(tall, wide).astype(np.float32)
    return standing


def _columns(picture: Floats, standing: Floats) -> Iterator[list[_Blob]]:
    """Marks that stand in one column, of those in either margin."""
    blobs = sorted(_blobs(picture, standing), key=lambda one: one.row)
    seen: set[tuple[int, ...]] = set()
    for end in ("left", "middle", "right"):
        ends = np.array([one.at(end) for one in blobs])
        for at in ends:
            mine = tuple(map(int, np.flatnonzero(np.abs(ends - at) <= ALIGNED)))
            if len(mine) >= LEAST_MARKS and mine not in seen:
                seen.add(mine)
                yield [blobs[number] for number in mine]


def _blobs(picture: Floats, standing: Floats) -> Iterator[_Blob]:
    """Small marks with darkness around them, in the margins."""
    width = picture.shape[1]
    labels, _ = ndimage.label(standing > BRIGHT, structure=np.ones((3, 3)))
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        down, across = place
        if down.stop - down.start > TALLEST or across.stop - across.start > WIDEST:
            continue
        middle = (across.start + across.stop - 1) / 2
        if MARGIN * width < middle < (1 - MARGIN) * width:
            continue
        inside = labels[place] == number
        weights = np.where(inside, standing[place], 0.0)
        strength = float(weights.max())
        if _is_alone(picture, place, strength):
            by_row = weights.sum(axis=1)
            row = down.start + float((by_row * np.arange(len(by_row))).sum() / by_row.sum())
            yield _Blob(row, across.start, across.stop - 1, strength)


def _is_alone(picture: Floats, place: tuple[slice, slice], strength: float) -> bool:
    """Whether a ring of two pixels, one pixel off, is much darker than the mark."""
    down, across = place
    top, left = max(0, down.start - 3), max(0, across.start - 3)
    outer = picture[top : down.stop + 3, left : across.stop + 3]
    rows = slice(max(0, down.start - 1 - top), down.stop + 1 - top)
    columns = slice(max(0, across.start - 1 - left), across.stop + 1 - left)
    is_ring = np.ones(outer.shape, bool)
    is_ring[rows, columns] = False
    ring = np.sort(outer[is_ring])
    peak = float(picture[place].max())
    return bool(ring.size) and float(ring[int(0.9 * (ring.size - 1))]) < peak - 0.6 * strength


def _grid(blobs: list[_Blob], standing: Floats) -> DepthMarks | None:
    """Evenly spaced places that nearly all the marks of a column stand on; None where they are not."""
    rows = np.array([one.row for one in blobs])
    steps = np.diff(rows)
    usual = float(np.sort(steps)[len(steps) // 2])
    spacing = float(steps[np.abs(steps - usual) <= max(1.0, 0.15 * usual)].mean())  # rows are whole numbers
    if spacing < LEAST_SPACING:
        return None
    fitted = _fit(rows, spacing)
    if fitted is None:
        return None
    rows, places, spacing, first = fitted
    if len(rows) < LEAST_MARKS or len(blobs) - len(rows) > STRAY * len(rows):
        return None
    if len(rows) < COVERED * (places[-1] + 1) or np.ptp(rows) < LEAST_REACH * standing.shape[0]:
        return None
    kept = [one for one in blobs if one.row in rows]
    column = float(np.median([one.at("middle") for one in kept]))
    if _is_subdivided(standing, kept, first, spacing, int(places[-1])):
        return None
    off = rows - (first + spacing * places)
    spread = float(np.sqrt((off**2).sum() / max(1, len(rows) - 2)))
    error = max(spread, 0.25) / float(np.sqrt(((places - places.mean()) ** 2).sum())) / spacing
    return DepthMarks(column, tuple(map(float, rows)), tuple(map(int, places)), spacing, float(error))


def _fit(
    rows: NDArray[np.float64], spacing: float
) -> tuple[NDArray[np.float64], NDArray[np.int_], float, float] | None:
    """Rows on the grid, their places from 0, its spacing and its first row, by least squares."""
    anchor = _anchor(rows, spacing)
    for _ in range(4):
        places = np.round((rows - anchor) / spacing).astype(int)
        on = np.abs(rows - anchor - places * spacing) <= max(0.75, OFF_GRID * spacing)
        if on.sum() < LEAST_MARKS or len(np.unique(places[on])) < on.sum():
            return None
        spacing, anchor = (float(one) for one in np.polyfit(places[on], rows[on], 1))
        if spacing < LEAST_SPACING:
            return None
    start = places[on][0]
    return rows[on], places[on] - start, spacing, anchor + start * spacing


def _anchor(rows: NDArray[np.float64], spacing: float) -> float:
    """The row from which most others are a whole number of spacings away."""
    off = np.abs((rows[:, None] - rows) / spacing - np.round((rows[:, None] - rows) / spacing))
    return float(rows[int((off <= OFF_GRID * 2).sum(axis=1).argmax())])


def _is_subdivided(standing: Floats, marks: list[_Blob], first: float, spacing: float, steps: int) -> bool:
    """Whether fainter marks stand evenly between those found, which may then be every second or fifth."""
    left = max(0, int(min(one.left for one in marks)) - 1)
    right = int(max(one.right for one in marks)) + 2
    profile = standing[:, left:right].max(axis=1)
    usual = float(np.median([one.strength for one in marks]))
    for parts in (2, 3, 4, 5, 10):
        if spacing / parts < 3:
            continue
        between = [
            float(profile[max(0, at - 1) : at + 2].max())
            for step in range(steps)
            for part in range(1, parts)
            if 0 <= (at := round(first + (step + part / parts) * spacing)) < len(profile)
        ]
        if between and float(np.mean(np.array(between) > SUBDIVIDED * usual)) > SUBDIVIDED:
            return True
    return False
