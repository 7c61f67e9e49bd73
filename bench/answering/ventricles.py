"""Atrial width on MRI against the label map, of volumes that a network never saw, and of phantoms.

The first rows come from the record of the training, in which every volume was left out once; the phantoms are
measured here, by the shipped network, which has never seen one.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.answering.table import Row, mean, share
from inference.engine.ventricles.painter import shipped_painter
from inference.engine.ventricles.scan import measure_volume
from inference.phantom import sample_spec
from inference.phantom.volume import VolumePhantom, volume
from refusals import Refusal

GOAL_MM = 1.0
PHANTOMS = 24
UNSEEN = 9_100_001
WHAT = "MRI, atrial width against the label map: mean error"


def rows(_: Path, every: int) -> list[Row]:
    """Figures of left-out volumes, then of phantoms."""
    return [*_recorded(), *_phantoms(every)]


def _recorded() -> Iterator[Row]:
    record = shipped_painter().record
    for name, one in record["figures"].items():
        if one["count"]:
            yield Row(
                WHAT, name, one["mean error mm"], one["low"], one["high"], one["count"], "mm",
                most=GOAL_MM, seen="kept apart",
            )  # fmt: skip
        missed = [True] * one["not measured"] + [False] * one["count"]
        yield share("MRI: the atrium cannot be measured", name, missed, most=0.15, seen="kept apart")


def _phantoms(every: int) -> Iterator[Row]:
    """Volumes of 3 mm slices whose atria measure what the phantom says."""
    off, unmeasured = [], []
    for number in range(0, PHANTOMS, every):
        made = volume(sample_spec(np.random.default_rng(UNSEEN + number)), seed=UNSEEN + number)
        found = _widths(made)
        unmeasured.append(not found)
        off += [abs(max(found) - max(made.atrial_width_mm))] if found else []
    yield mean(WHAT, "phantoms, 3 mm slices", off, "mm", seen="never seen")
    yield share("MRI: the atrium cannot be measured", "phantoms, 3 mm slices", unmeasured, seen="never seen")


def _widths(made: VolumePhantom) -> list[float]:
    try:
        found = measure_volume(shipped_painter(), made.stack(), gate=False)
    except Refusal:
        return []
    mm = found.scale.mm_per_pixel if found.scale else math.nan
    return [one.width * mm for one in found.atria.widths]
