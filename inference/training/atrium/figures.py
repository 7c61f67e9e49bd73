"""How well an atrium is found and measured on patients that were kept apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.engine.atrium.grids import HEAD, Floats, Places
from inference.engine.atrium.search import Found, Networks, search
from inference.training.atrium.dilate import dilation, painted
from inference.training.atrium.draw import WIDTHS
from inference.training.atrium.looks import another_look
from inference.training.atrium.material import Head

NEAR = 0.1
"""Head lengths from its box within which an atrium counts as found."""
GRAFTS = 3
"""Dilations of every marked head."""
LENGTH_MM = 85.0
"""A head of about 24 weeks, where millimetres are wanted and none are known."""


@dataclass(frozen=True)
class Measured:
    """A placed caliper against the right one. wrong, stated: error, crop pixels. mm: of a crop pixel."""

    off: float
    wrong: float
    stated: float
    chance: float
    mm: float


def grafts(networks: Networks, heads: Sequence[Head], seed: int) -> list[Measured]:
    """Dilated atria of real heads; what is shown is the whole head, in another look."""
    found = []
    for number, head in enumerate(heads):
        for again in range(GRAFTS):
            rng = np.random.default_rng([seed, number, again])
            crop, caliper = dilated(head, rng)
            found.append(_compared(_best(networks, crop, head), caliper, head.mm))
    return found


def dilated(head: Head, rng: np.random.Generator) -> tuple[Floats, Places]:
    """The crop of a marked head with a wider or narrower atrium, and the new caliper."""
    change = dilation(_known(head.far), head.aspect, HEAD * math.exp(rng.uniform(*np.log(WIDTHS))), rng)
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


def chances(networks: Networks, heads: Sequence[Head]) -> NDArray[np.float64]:
    """How sure each head's likeliest atrium is."""
    return np.array([_best(networks, head.floats, head).chance for head in heads])


def _best(networks: Networks, crop: Floats, head: Head) -> Found:
    return search(networks, crop, head.aspect)[0]


def _known(caliper: Places | None) -> Places:
    if caliper is None:
        raise ValueError("a head without a mark has nothing to compare with")
    return caliper


def _compared(found: Found, caliper: Places, mm: float | None) -> Measured:
    right = float(np.hypot(*(caliper[1] - caliper[0])))
    off = float(np.hypot(*(found.points.mean(axis=0) - caliper.mean(axis=0)))) / HEAD
    return Measured(off, found.width - right, found.error, found.chance, mm or LENGTH_MM / HEAD)


def error_factor(measured: Sequence[Measured]) -> float:
    """From stated errors to standard deviations: two thirds of the true errors lie within."""
    there = [abs(one.wrong) / one.stated for one in measured if one.off < NEAR]
    return float(np.percentile(there, 68.3)) if there else 1.0


def summed(measured: Sequence[Measured], least_chance: float) -> dict[str, float]:
    """Of the atria that would have been measured: errors in mm; and how many would not."""
    taken = [one for one in measured if one.chance >= least_chance]
    wrong = np.array([one.wrong * one.mm for one in taken])
    return {
        "count": len(measured),
        "not measured": 1 - len(taken) / max(len(measured), 1),
        "found": float(np.mean([one.off < NEAR for one in taken])) if taken else 0.0,
        "mean error mm": float(np.abs(wrong).mean()) if taken else 0.0,
        "median error mm": float(np.median(np.abs(wrong))) if taken else 0.0,
        "bias mm": float(wrong.mean()) if taken else 0.0,
    }
