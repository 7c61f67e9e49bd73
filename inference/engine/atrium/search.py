"""Where the atria are in an upright head, and where their calipers go.

The place is looked for several times, with the head turned by half and, where it is nearly round, by
quarters: each look finds the atrium below the midline. Then two calipers are placed on a finer grid whose
upper side is the midline's, and once more from where they were.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.engine.atrium.grids import (
    HEAD,
    MIDDLE,
    PLACE_STEP,
    WIDTH_STEP,
    Floats,
    Grid,
    Places,
    halved,
    levelled,
    seen_on,
    turned,
)
from inference.engine.atrium.network import OUT, STRIDE

Looker = Callable[[Floats], tuple[Floats, Floats]]
"""Pictures (n, 1, SIDE, SIDE) to maps (n, maps, OUT, OUT) and numbers (n, 4)."""

ROUND = 0.86
"""Short over long axis from which the midline may run along either."""
REACH = 4
"""Map pixels around a peak that its place is averaged over."""
LOOKS = 2
TURN_AGAIN = 0.5
"""Radians by which the second look may turn the grid."""


@dataclass(frozen=True)
class Networks:
    """`place` finds the atrium in a head, `width` puts calipers on it."""

    place: Looker
    width: Looker


@dataclass(frozen=True)
class Found:
    """A caliper in the crop. points (2, 2): inner and outer end. width, error: in crop pixels.

    chance: 0 to 1, that an atrium which can be measured is there. spread: how far the widths of a look and
    its mirror image are apart, crop pixels. midline: direction in the crop, radians.
    """

    points: Places
    width: float
    error: float
    spread: float
    chance: float
    midline: float


def search(networks: Networks, crop: Floats, aspect: float) -> list[Found]:
    """Calipers from every look, the likeliest first. aspect: the head's short over its long axis."""
    turns = (0.0, math.pi) if aspect < ROUND else (0.0, math.pi, math.pi / 2, -math.pi / 2)
    half = halved(crop)
    grids = [Grid(PLACE_STEP, MIDDLE, turn) for turn in turns]
    pictures = [levelled(seen_on(half, grid.places(), half=True)) for grid in grids]
    maps, numbers = networks.place(np.stack(pictures)[:, None])
    found = []
    for grid, seen, said in zip(grids, maps, numbers, strict=True):
        place, share = peak(softmax(seen[0]))
        there = _chance(said[0]) * min(1.0, 1.5 * share)
        midline = math.atan2(said[2], said[1]) / 2 + grid.angle
        found.append(_measured(networks.width, crop, grid.from_map(place), midline, there))
    return sorted(found, key=lambda one: -one.chance)


def _measured(look: Looker, crop: Floats, place: Places, midline: float, there: float) -> Found:
    """Calipers near a place; the grid's upper side is that of the head's middle."""
    axis = midline
    if (turned(np.array([0.0, -1.0]), axis) * (MIDDLE - place)).sum() < 0:
        axis += math.pi
    for _ in range(LOOKS):
        grids = [Grid(WIDTH_STEP, place, axis, mirror) for mirror in (1.0, -1.0)]
        pictures = [levelled(seen_on(crop, grid.places())) for grid in grids]
        maps, numbers = look(np.stack(pictures)[:, None])
        ends = np.stack(
            [
                grid.from_map(np.stack([peak(softmax(one))[0] for one in both]))
                for grid, both in zip(grids, maps, strict=True)
            ]
        )
        points = ends.mean(axis=0)
        place = points.mean(axis=0)
        across = points[1] - points[0]
        lean = math.atan2(across[1], across[0]) - math.pi / 2 - axis
        lean = (lean + math.pi) % (2 * math.pi) - math.pi
        axis += min(max(lean, -TURN_AGAIN), TURN_AGAIN)
    widths = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    said = numbers.mean(axis=0)
    error = (math.log1p(math.exp(min(float(said[3]), 30.0))) + 0.1) * STRIDE * WIDTH_STEP
    return Found(
        points=points,
        width=float(np.hypot(*across)),
        error=error,
        spread=float(abs(widths[1] - widths[0])),
        chance=there * _chance(said[0]),
        midline=midline,
    )


def softmax(logits: Floats) -> NDArray[np.float64]:
    """A map (rows, columns) of log-odds as shares that add up to one."""
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(powers / powers.sum())


def peak(shares: NDArray[np.float64]) -> tuple[Places, float]:
    """(x, y) around the highest place of a map, to a fraction of a pixel, and the share that lies there."""
    row, column = divmod(int(np.argmax(shares)), OUT)
    top, left = max(0, row - REACH), max(0, column - REACH)
    near = shares[top : row + REACH + 1, left : column + REACH + 1]
    rows, columns = np.mgrid[top : top + near.shape[0], left : left + near.shape[1]]
    mass = float(near.sum())
    return np.array([(near * columns).sum(), (near * rows).sum()]) / mass, mass


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(float(odds), -30.0), 30.0)))


def in_heads(pixels: float) -> float:
    """Crop pixels as a share of the head's length."""
    return pixels / HEAD
