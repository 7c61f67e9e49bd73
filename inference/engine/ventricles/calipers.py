"""From painted ventricles to calipers: where in an axial slice the atria lie, and how wide they are.

The atrium is looked for behind the head's middle, on either side of the midline: where the largest circle
fits into the ventricle. The caliper is the shortest line through that circle's middle that runs across, from
inner wall to inner wall: the shortest line across a ventricle is the one perpendicular to its axis.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.head.ellipse import Ellipse, from_region

Floats = NDArray[np.float32]
MriSide = Literal["left", "right"]
SIDES: tuple[tuple[MriSide, int], ...] = (("right", -1), ("left", 1))
"""In a radiologist's picture the patient's right is on the left: which side of the midline is which."""

BEHIND = (0.0, 0.7)
"""Where atria lie behind the brain's middle, in half its lengths; on eight volumes 0.1 to 0.45."""
LEANING = math.radians(60)
"""How far a caliper may turn from a right angle with the midline."""
TURNS = 25
FINER = 2
"""The circle is looked for on a grid that much finer."""
LEAST_MM2 = 6.0
MOST_TURNED = math.radians(50)
LEAST_BRAIN_MM2 = 600.0
THALAMI = 0.35
"""Share of the largest area of deep grey matter that a slice must show to be at the level of the thalami."""
CANDIDATES = 4
"""Slices whose calipers are compared."""
STEP = 0.1
LONGEST_MM = 45.0


@dataclass(frozen=True)
class Painted:
    """One axial slice, anterior up: probabilities 0..1 (rows, columns) on square pixels of `mm`."""

    ventricle: Floats
    brain: Floats
    deep_grey: Floats
    mm: float

    @property
    def deep_mm2(self) -> float:
        """Area of the deep grey matter."""
        return float((self.deep_grey > 0.5).sum()) * self.mm**2


@dataclass(frozen=True)
class Caliper:
    """inner, outer: (x, y) on the painted grid; inner is the midline's. width_mm; chance: mean probability of
    ventricle within its circle."""

    side: MriSide
    inner: tuple[float, float]
    outer: tuple[float, float]
    width_mm: float
    chance: float


@dataclass(frozen=True)
class Plane:
    """Both atria of one slice. brain: its ellipse, grid pixels. index: among the slices given."""

    index: int
    brain: Ellipse
    calipers: tuple[Caliper, ...]


def atrial_plane(slices: Sequence[Painted]) -> Plane | None:
    """Of the axial slices through the thalami the one whose atria are widest; None where no atrium shows.

    The guideline's plane (thalami, glomus of the choroid) is where the lateral ventricle is widest behind.
    A single slice is taken as it is.
    """
    most = max((one.deep_mm2 for one in slices), default=0.0)
    least = max(THALAMI * most, 1.0) if len(slices) > 1 else 0.0
    looked = [
        (index, one, brain)
        for index, one in enumerate(slices)
        if one.deep_mm2 >= least and (brain := brain_of(one)) is not None
    ]
    looked.sort(key=lambda one: -_room(one[1], one[2]))
    planes = [Plane(index, brain, calipers(one, brain)) for index, one, brain in looked[:CANDIDATES]]
    planes = [one for one in planes if one.calipers]
    return max(planes, key=lambda one: sum(found.width_mm for found in one.calipers), default=None)


def _room(painted: Painted, brain: Ellipse) -> float:
    """Roughly how wide both atria of a slice are together, mm: quicker than calipers."""
    rooms = _rooms(painted.ventricle, brain, 1)
    return sum(float(room.max(initial=0.0)) for room, _ in rooms.values()) * 2 * painted.mm


def brain_of(painted: Painted) -> Ellipse | None:
    """The ellipse of the largest piece of brain; None where hardly any is seen."""
    pieces, count = ndimage.label(painted.brain > 0.5)
    if not count:
        return None
    sizes = np.bincount(pieces.ravel())[1:]
    if sizes.max() * painted.mm**2 < LEAST_BRAIN_MM2:
        return None
    return from_region(pieces == 1 + int(np.argmax(sizes)))


def midline(brain: Ellipse) -> NDArray[np.float64]:
    """Direction (x, y) from front to back: the brain's long axis, down unless that lies across."""
    down = np.array([math.cos(brain.angle), math.sin(brain.angle)])
    down = down if down[1] > 0 else -down
    return down if math.acos(min(down[1], 1.0)) < MOST_TURNED else np.array([0.0, 1.0])


def calipers(painted: Painted, brain: Ellipse) -> tuple[Caliper, ...]:
    """One for each side of the midline on which a ventricle shows behind the brain's middle."""
    fine = ndimage.zoom(painted.ventricle, FINER, order=1, grid_mode=True, mode="nearest")
    found = []
    for (side, sign), (room, box) in zip(SIDES, _rooms(fine, brain, FINER).values(), strict=True):
        if (room > 0).sum() * (painted.mm / FINER) ** 2 < LEAST_MM2:
            continue
        row, column = (int(at) for at in np.unravel_index(int(np.argmax(room)), room.shape))
        middle = (np.array([column + box[1], row + box[0]]) + 0.5) / FINER - 0.5
        found.append(_across(painted, side, middle, float(room.max()) / FINER, midline(brain), sign))
    return tuple(one for one in found if one is not None)


def _rooms(
    ventricle: Floats, brain: Ellipse, finer: int
) -> dict[MriSide, tuple[NDArray[np.float64], tuple[int, int]]]:
    """For each side how far every place in its ventricle is from a wall, pixels; nought outside BEHIND.

    ventricle: on a grid `finer` times that of the ellipse. With each map the (row, column) of its corner.
    """
    lit = ventricle > 0.5
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    if not rows.size:
        return {side: (np.zeros((0, 0)), (0, 0)) for side, _ in SIDES}
    corner = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)
    lit = lit[corner[0] : rows[-1] + 2, corner[1] : columns[-1] + 2]
    down = midline(brain)
    y, x = ((at + first + 0.5) / finer - 0.5 for at, first in zip(np.indices(lit.shape), corner, strict=True))
    behind = ((x - brain.x) * down[0] + (y - brain.y) * down[1]) / brain.long
    aside = (x - brain.x) * down[1] - (y - brain.y) * down[0]
    within = (behind > BEHIND[0]) & (behind < BEHIND[1])
    return {
        side: (np.where(within, ndimage.distance_transform_edt(lit & (aside * sign > 0)), 0.0), corner)
        for side, sign in SIDES
    }


def _across(
    painted: Painted,
    side: MriSide,
    middle: NDArray[np.float64],
    radius: float,
    down: NDArray[np.float64],
    sign: int,
) -> Caliper | None:
    """The shortest line through a place from wall to wall, roughly across the midline."""
    out = np.array([down[1], -down[0]]) * sign
    best = None
    for turn in np.linspace(-LEANING, LEANING, TURNS):
        cos, sin = math.cos(turn), math.sin(turn)
        way = np.array([out[0] * cos - out[1] * sin, out[0] * sin + out[1] * cos])
        reach = [_to_wall(painted, middle, end) for end in (-way, way)]
        if None in reach:
            continue
        inwards, outwards = (float(one) for one in reach if one is not None)
        if best is None or inwards + outwards < best[0]:
            best = inwards + outwards, middle - way * inwards, middle + way * outwards
    if best is None:
        return None
    width, inner, outer = best
    return Caliper(side, _point(inner), _point(outer), width * painted.mm, _inside(painted, middle, radius))


def _to_wall(painted: Painted, start: NDArray[np.float64], way: NDArray[np.float64]) -> float | None:
    """Pixels from inside a ventricle to where its probability falls through one half; None: nowhere."""
    steps = np.arange(0.0, LONGEST_MM / painted.mm, STEP)
    places = start[:, None] + way[:, None] * steps
    seen = ndimage.map_coordinates(painted.ventricle, places[::-1], order=1, mode="constant")
    below = np.flatnonzero(seen < 0.5)
    if not below.size or below[0] == 0:
        return None if not below.size else 0.0
    last = int(below[0])
    high, low = float(seen[last - 1]), float(seen[last])
    return float(steps[last - 1] + STEP * (high - 0.5) / max(high - low, 1e-6))


def _inside(painted: Painted, middle: NDArray[np.float64], radius: float) -> float:
    rows, columns = np.indices(painted.ventricle.shape)
    near = np.hypot(columns - middle[0], rows - middle[1]) <= max(radius, 1.0)
    return float(painted.ventricle[near].mean()) if near.any() else 0.0


def _point(place: NDArray[np.float64]) -> tuple[float, float]:
    return float(place[0]), float(place[1])
