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
    MIDDLE,
    OUT,
    PLACE_STEP,
    STRIDE,
    WIDTH_STEP,
    Floats,
    Grid,
    Places,
    halved,
    levelled,
    seen_on,
    turned,
)

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


@dataclass
class _Candidate:
    """A place that is being measured: the grid's middle and its axis, and what the last look saw there."""

    there: float
    midline: float
    place: Places
    axis: float
    ends: Places
    numbers: Floats


def search(networks: Networks, crop: Floats, aspect: float, least: float = 0.0) -> list[Found]:
    """Calipers at every place that is at least `least` likely, and at the likeliest; the likeliest first.

    aspect: the head's short over its long axis.
    """
    turns = (0.0, math.pi) if aspect < ROUND else (0.0, math.pi, math.pi / 2, -math.pi / 2)
    half = halved(crop)
    grids = [Grid(PLACE_STEP, MIDDLE, turn) for turn in turns]
    pictures = [levelled(seen_on(half, grid.places(), half=True)) for grid in grids]
    maps, numbers = networks.place(np.stack(pictures)[:, None])
    candidates = [_candidate(*one) for one in zip(grids, maps, numbers, strict=True)]
    candidates.sort(key=lambda one: -one.there)
    candidates = candidates[:1] + [one for one in candidates[1:] if one.there >= least]
    for _ in range(LOOKS):
        _look(networks.width, crop, candidates)
    return sorted((_found(one) for one in candidates), key=lambda one: -one.chance)


def _candidate(grid: Grid, seen: Floats, said: Floats) -> _Candidate:
    """The place that a look at the whole head points to; its axis has the head's middle above."""
    at, share = peak(softmax(seen[0]))
    place = grid.from_map(at)
    midline = axis = math.atan2(said[2], said[1]) / 2 + grid.angle
    if (turned(np.array([0.0, -1.0]), axis) * (MIDDLE - place)).sum() < 0:
        axis += math.pi
    there = _chance(said[0]) * min(1.0, 1.5 * share)
    return _Candidate(there, midline, place, axis, np.zeros((2, 2, 2)), said)


def _look(look: Looker, crop: Floats, candidates: list[_Candidate]) -> None:
    """Places calipers on every candidate and on its mirror image, and moves its grid to where they lie."""
    grids = [Grid(WIDTH_STEP, one.place, one.axis, mirror) for one in candidates for mirror in (1.0, -1.0)]
    pictures = [levelled(seen_on(crop, grid.places())) for grid in grids]
    maps, numbers = look(np.stack(pictures)[:, None])
    for number, one in enumerate(candidates):
        pair = slice(2 * number, 2 * number + 2)
        one.ends = np.stack(
            [
                grid.from_map(np.stack([peak(softmax(each))[0] for each in both]))
                for grid, both in zip(grids[pair], maps[pair], strict=True)
            ]
        )
        one.numbers = numbers[pair].mean(axis=0)
        points = one.ends.mean(axis=0)
        one.place = points.mean(axis=0)
        across = points[1] - points[0]
        lean = math.atan2(across[1], across[0]) - math.pi / 2 - one.axis
        lean = (lean + math.pi) % (2 * math.pi) - math.pi
        one.axis += min(max(lean, -TURN_AGAIN), TURN_AGAIN)


def _found(one: _Candidate) -> Found:
    points = one.ends.mean(axis=0)
    widths = np.hypot(*(one.ends[:, 1] - one.ends[:, 0]).T)
    stated = math.log1p(math.exp(min(float(one.numbers[3]), 30.0))) + 0.1
    return Found(
        points=points,
        width=float(np.hypot(*(points[1] - points[0]))),
        error=stated * STRIDE * WIDTH_STEP,
        spread=float(abs(widths[1] - widths[0])),
        chance=one.there * _chance(one.numbers[0]),
        midline=one.midline,
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
