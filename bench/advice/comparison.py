"""What the arms of the simulation reached in how many seconds, with intervals from heads drawn again."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from advice.decisions import within
from advice.policies import Course, World

RESAMPLES = 2000
CAPS = (0, 20, 25, 40, 50, 60, 80, 100)
"""Seconds beyond the first acquisition at which every arm is looked at."""


def compared(
    arms: dict[str, list[Course]], worlds: dict[Any, World], groups: Sequence[str] = ()
) -> dict[str, Any]:
    """Curves of every arm, and the two shares with their 95 % intervals.

    groups: what each head belongs to, drawn as a whole; without them each head stands for itself.
    """
    grids = {name: Grid(courses, worlds) for name, courses in arms.items()}
    count = len(arms["policy"])
    everyone = np.arange(count)
    rng = np.random.default_rng(5)
    names = np.array(groups or everyone)
    members = [np.flatnonzero(names == name) for name in np.unique(names)]
    drawn = [
        np.concatenate([members[one] for one in rng.integers(0, len(members), len(members))])
        for _ in range(RESAMPLES)
    ]
    shares = {
        "seconds_share": (seconds_share(grids, everyone), [seconds_share(grids, some) for some in drawn]),
        "oracle_share": (oracle_share(grids, everyone), [oracle_share(grids, some) for some in drawn]),
    }
    found: dict[str, Any] = {
        "heads": count,
        "curves": {name: grid.curve(everyone) for name, grid in grids.items()},
    }
    for name, (value, resampled) in shares.items():
        low, high = np.percentile(resampled, [2.5, 97.5])
        found[name], found[f"{name}_interval"] = value, [float(low), float(high)]
    return found


class Grid:
    """Of one arm: for each cap and head whether the call is right, error in mm, how sure it is, seconds."""

    def __init__(self, courses: Sequence[Course], worlds: dict[Any, World]) -> None:
        cells = np.array([[self._cell(course, cap, worlds) for course in courses] for cap in CAPS], float)
        self.right, self.error, self.sure, self.seconds = np.moveaxis(cells, 2, 0)

    @staticmethod
    def _cell(course: Course, cap: float, worlds: dict[Any, World]) -> tuple[float, float, float, float]:
        world = worlds[course.pool.modality]
        seconds, seen = course.at(course.steps[0][0] + cap)
        odds = world.judge.odds(seen, world.rules)
        measured = float(np.mean([one.mm for one in within(seen, world.rules)]))
        right = (odds >= 0) == course.pool.positive
        return float(right), abs(measured - course.pool.width_mm), abs(odds), seconds

    def curve(self, heads: np.ndarray) -> list[dict[str, float]]:
        """At each cap."""
        return [
            {
                "seconds": float(self.seconds[row, heads].mean()),
                "accuracy": float(self.right[row, heads].mean()),
                "error_mm": float(self.error[row, heads].mean()),
                "risk_coverage_area": area(self.right[row, heads], self.sure[row, heads]),
            }
            for row in range(len(CAPS))
        ]

    def means(self, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(seconds, accuracy) at each cap."""
        return self.seconds[:, heads].mean(axis=1), self.right[:, heads].mean(axis=1)


def area(right: np.ndarray, sure: np.ndarray) -> float:
    """Mean share of wrong calls among the surest 1, 2, ... all."""
    wrong = 1 - right[np.argsort(-sure, kind="stable")]
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())


def seconds_share(grids: dict[str, Grid], heads: np.ndarray) -> float:
    """Seconds in which the policy is as accurate as the whole fixed protocol, over the seconds of that.

    2.0 where it never is.
    """
    all_seconds, all_right = (column[-1] for column in grids["fixed"].means(heads))
    seconds, right = grids["policy"].means(heads)
    enough = np.flatnonzero(right >= all_right - 1e-9)
    return float(seconds[enough[0]] / all_seconds) if len(enough) else 2.0


def oracle_share(grids: dict[str, Grid], heads: np.ndarray) -> float:
    """The policy's gain in accuracy over the first acquisition, as a share of what one who knows gains
    in no more seconds."""
    seconds, right = grids["policy"].means(heads)
    best_seconds, best = grids["oracle"].means(heads)
    affordable = best[best_seconds <= seconds[-1] + 1e-9].max()
    possible = affordable - right[0]
    return float((right[-1] - right[0]) / possible) if possible > 0 else 0.0


def gained(grid: Grid, chance: Grid) -> dict[str, Any]:
    """Accuracy at the end minus that of the first acquisition, and minus that of chance by then."""
    count = grid.right.shape[1]
    everyone = np.arange(count)
    rng = np.random.default_rng(6)
    drawn = [rng.integers(0, count, count) for _ in range(RESAMPLES)]
    seconds, _ = grid.means(everyone)
    found: dict[str, Any] = {"extra_seconds": float(seconds[-1] - seconds[0])}
    for name, measure in (("gain", _gain), ("gain_over_chance", partial(_over_chance, chance))):
        low, high = np.percentile([measure(grid, some) for some in drawn], [2.5, 97.5])
        found |= {name: measure(grid, everyone), f"{name}_interval": [float(low), float(high)]}
    return found


def _gain(grid: Grid, heads: np.ndarray) -> float:
    _, right = grid.means(heads)
    return float(right[-1] - right[0])


def _over_chance(chance: Grid, grid: Grid, heads: np.ndarray) -> float:
    seconds, right = grid.means(heads)
    return float(right[-1] - np.interp(seconds[-1], *chance.means(heads)))
