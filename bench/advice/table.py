"""The value table: what another acquisition brought to simulated heads, in bits."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from advice.decisions import Judge, faults, probability
from cases.advice.rulebook import Rulebook
from cases.advice.values import band_of
from inference.training.synthesis.acquisitions import Acquisition, Pool

RISKS = ("doubt", "models_disagree", "unfamiliar", "unreliable_explanation")
AGAIN = {"ultrasound": "repeat_plane", "mri": "repeat_stack"}
MEND = {"ultrasound": "mend_plane", "mri": "mend_stack"}
SHRINK = 40.0
"""Pairs of the modality's own mean that each cell is mixed with: few heads stand behind many pairs."""
Pair = tuple[str, str, str, float]


def table(pools: Sequence[Pool], judge: Judge, rules: Rulebook) -> dict[str, Any]:
    """{action: {finding: {band: [bits, pairs]}}} of one modality's pools."""
    drops: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for pool in pools:
        for action, finding, band, bits in _pairs(pool, judge, rules):
            drops[action][finding][band].append(bits)
            drops[action][finding]["any"].append(bits)
    return {action: _cells(found) for action, found in drops.items()}


def _cells(found: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    everything = [bits for bands in found.values() for bits in bands["any"]]
    prior = float(np.mean(everything))
    return {
        finding: {band: [round(_shrunk(bits, prior), 4), len(bits)] for band, bits in sorted(bands.items())}
        for finding, bands in sorted(found.items())
    }


def _shrunk(bits: Sequence[float], prior: float) -> float:
    return (sum(bits) + SHRINK * prior) / (len(bits) + SHRINK)


def _pairs(pool: Pool, judge: Judge, rules: Rulebook) -> Iterator[Pair]:
    """(action, finding, band, drop): every acquisition with one that could have followed it."""
    for before in (pool.first, *pool.again):
        band = band_of(probability(judge.odds([before], rules)))
        for after in pool.again:
            if after is not before:
                drop = _drop(pool, before, after, judge, rules)
                yield from ((AGAIN[pool.modality], risk, band, drop) for risk in RISKS)
        for finding in faults(before, rules):
            for after in _aimed(pool, finding):
                yield MEND[pool.modality], finding, band, _drop(pool, before, after, judge, rules)


def _aimed(pool: Pool, finding: str) -> tuple[Acquisition, ...]:
    """Who mends what is not wrong gets a plain repetition."""
    return pool.mended if finding == pool.fault else pool.again


def _drop(pool: Pool, before: Acquisition, after: Acquisition, judge: Judge, rules: Rulebook) -> float:
    was = judge.surprise([before], pool.positive, rules)
    return was - judge.surprise([before, after], pool.positive, rules)
