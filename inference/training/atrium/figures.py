"""How well an atrium is found and measured on patients that were kept apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.engine.atrium.grids import HEAD, Floats, Places
from inference.engine.atrium.measure import too_rough
from inference.engine.atrium.search import Found, Networks, search
from inference.training.atrium.dilate import dilation, painted
from inference.training.atrium.looks import another_look
from inference.training.atrium.material import Head

NEAR = 0.1
"""Head lengths from its box within which an atrium counts as found."""
GRAFTS_MM = (5.0, 8.0, 11.0, 14.0, 18.0, 24.0)
"""Widths to which every marked head's atrium is changed, as far as there is room."""
BANDS = {"below 10 mm": (0.0, 10.0), "10 to 15 mm": (10.0, 15.0), "15 mm and more": (15.0, math.inf)}
"""Normal, mild and moderate, severe."""
LOOKS = 4
"""In how many other looks a head is shown, where it is asked whether anything can be measured."""
LENGTH_MM = 85.0
"""A head of about 24 weeks, where millimetres are wanted and none are known."""


@dataclass(frozen=True)
class Measured:
    """A placed caliper against the right one. wrong, stated, width: crop pixels. mm: of a crop pixel.

    off: head lengths between their middles. width: the right one.
    """

    off: float
    wrong: float
    stated: float
    chance: float
    width: float
    mm: float

    def taken(self, least_chance: float, error_factor: float) -> bool:
        """Whether it is likely and sure enough to count as measured."""
        rough = too_rough(error_factor * self.stated, self.width + self.wrong)
        return self.chance >= least_chance and not rough


def grafts(networks: Networks, heads: Sequence[Head], seed: int) -> list[Measured]:
    """Dilated atria of real heads; what is shown is the whole head, in another look."""
    found = []
    for number, head in enumerate(heads):
        for again, wanted in enumerate(GRAFTS_MM):
            rng = np.random.default_rng([seed, number, again])
            crop, caliper = dilated(head, wanted, rng)
            found.append(_compared(_best(networks, crop, head), caliper, head.mm))
    return found


def dilated(head: Head, width_mm: float, rng: np.random.Generator) -> tuple[Floats, Places]:
    """The crop of a marked head with an atrium about so wide, and the new caliper."""
    width = width_mm * math.exp(rng.normal(0, 0.08)) / (head.mm or LENGTH_MM / HEAD)
    change = dilation(_known(head.far), head.aspect, width, rng)
    rows, columns = np.mgrid[: head.crop.shape[0], : head.crop.shape[1]].astype(np.float64)
    lay = change.layout(np.stack([columns, rows], -1))
    return another_look(painted(head.floats, lay, change, rng), rng).astype(np.float32), change.caliper


def phantoms(networks: Networks, heads: Sequence[Head]) -> list[Measured]:
    """The far atrium of synthetic heads, or the near one where that is what was found."""
    found = []
    for head in heads:
        best = _best(networks, head.floats, head)
        both = [_compared(best, caliper, head.mm) for caliper in (head.far, head.near) if caliper is not None]
        found.append(min(both, key=lambda one: one.off))
    return found


def as_marked(networks: Networks, heads: Sequence[Head]) -> list[Measured]:
    """Real atria as they are, against their marks."""
    return [_compared(_best(networks, head.floats, head), _known(head.far), head.mm) for head in heads]


def boxed(networks: Networks, heads: Sequence[Head]) -> NDArray[np.float64]:
    """Distance from the middle of each head's box, in head lengths."""
    off = [_best(networks, head.floats, head).points.mean(axis=0) - head.place for head in heads]
    return np.asarray(np.hypot(*np.array(off).T) / HEAD)


def chances(networks: Networks, heads: Sequence[Head], seed: int) -> NDArray[np.float64]:
    """How sure each head's likeliest atrium is: as it is, then as LOOKS other machines would show it.

    The machines of another hospital are not those that were learnt from: of their heads a network is less
    sure.
    """
    found = []
    for number, head in enumerate(heads):
        found.append(_best(networks, head.floats, head).chance)
        for again in range(LOOKS):
            rng = np.random.default_rng([seed, number, again, LOOKS])
            seen = another_look(head.floats.astype(np.float64), rng).astype(np.float32)
            found.append(_best(networks, seen, head).chance)
    return np.array(found)


def _best(networks: Networks, crop: Floats, head: Head) -> Found:
    return search(networks, crop, head.aspect)[0]


def _known(caliper: Places | None) -> Places:
    if caliper is None:
        raise ValueError("a head without a mark has nothing to compare with")
    return caliper


def _compared(found: Found, caliper: Places, mm: float | None) -> Measured:
    right = float(np.hypot(*(caliper[1] - caliper[0])))
    off = float(np.hypot(*(found.points.mean(axis=0) - caliper.mean(axis=0)))) / HEAD
    return Measured(off, found.width - right, found.error, found.chance, right, mm or LENGTH_MM / HEAD)


def error_factor(measured: Sequence[Measured]) -> float:
    """From stated errors to standard deviations: two thirds of the true errors lie within."""
    there = [abs(one.wrong) / one.stated for one in measured if one.off < NEAR]
    return float(np.percentile(there, 68.3)) if there else 1.0


def by_band(
    measured: Sequence[Measured], least: float, factor: float, what: str
) -> dict[str, dict[str, float]]:
    """`summed` over all, and over each band of true widths."""
    bands = {what: (0.0, math.inf)} | {f"{what}, {name}": ends for name, ends in BANDS.items()}
    return {
        name: summed([one for one in measured if low <= one.width * one.mm < high], least, factor)
        for name, (low, high) in bands.items()
    }


def summed(measured: Sequence[Measured], least: float, factor: float) -> dict[str, float]:
    """Of the atria that would have been measured: errors in mm; and how many would not."""
    taken = [one for one in measured if one.taken(least, factor)]
    wrong = np.array([one.wrong * one.mm for one in taken])
    return {
        "count": len(measured),
        "not measured": 1 - len(taken) / max(len(measured), 1),
        "found": float(np.mean([one.off < NEAR for one in taken])) if taken else 0.0,
        "mean error mm": float(np.abs(wrong).mean()) if taken else 0.0,
        "median error mm": float(np.median(np.abs(wrong))) if taken else 0.0,
        "bias mm": float(wrong.mean()) if taken else 0.0,
    }
