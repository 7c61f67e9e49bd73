"""How a simulated head is decided after some acquisitions, the same for every arm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from cases.advice.rulebook import Rulebook
from inference.training.synthesis.acquisitions import Acquisition, Pool, chance


@dataclass(frozen=True)
class Judge:
    """slope, offset: from the networks' log-odds to calibrated ones, by logistic regression on the fit heads.

    spread: standard deviation of calibrated log-odds between acquisitions of one head.
    """

    slope: float
    offset: float
    spread: float

    def odds(self, seen: Sequence[Acquisition], rules: Rulebook) -> float:
        """Mean calibrated log-odds of the acquisitions within every limit, of all if there are none."""
        said = [one.odds for one in within(seen, rules) if one.odds is not None]
        return self.slope * float(np.mean(said)) + self.offset if said else 0.0

    def surprise(self, seen: Sequence[Acquisition], positive: bool, rules: Rulebook) -> float:
        """Bits of surprise at the truth."""
        odds = self.odds(seen, rules)
        return float(np.log1p(math.exp(-odds if positive else odds)) / math.log(2))

    def doubt(self, seen: Sequence[Acquisition], rules: Rulebook) -> float:
        """Chance that another acquisition turns the call."""
        return 0.5 * math.erfc(abs(self.odds(seen, rules)) / (math.sqrt(2) * self.spread))


def within(seen: Sequence[Acquisition], rules: Rulebook) -> list[Acquisition]:
    """Without those that a check faults; all, where it faults all."""
    return [one for one in seen if not faults(one, rules)] or list(seen)


def faults(one: Acquisition, rules: Rulebook) -> list[str]:
    """Names of the checks beyond their limits. Modalities share names, so the rules are asked for each."""
    return [name for name, value in one.checks.items() if value >= limit(rules, name, modality_of(one))]


def modality_of(one: Acquisition) -> str:
    """Only ultrasound is checked for smearing."""
    return "ultrasound" if "smear" in one.checks else "mri"


def limit(rules: Rulebook, name: str, modality: str) -> float:
    """From which value on something is advised; infinity for what no rule mentions."""
    return min((rule.least for rule in rules.of(name, modality)), default=math.inf)


def fitted(pools: Sequence[Pool]) -> Judge:
    """Logistic regression of the truth on the networks' log-odds, over every clean acquisition."""
    clean = [
        (one.odds, pool.positive)
        for pool in pools
        for one in _all(pool)
        if not one.fault and one.odds is not None
    ]
    odds, truth = (np.array(column, float) for column in zip(*clean, strict=True))

    def loss(p: np.ndarray) -> float:
        sign = np.where(truth > 0, 1, -1)
        return float(np.logaddexp(0, -sign * (p[0] * odds + p[1])).mean())

    slope, offset = optimize.minimize(loss, [1.0, 0.0]).x
    spreads = [np.var([one.odds for one in pool.mended if one.odds is not None], ddof=1) for pool in pools]
    return Judge(float(slope), float(offset), float(slope * math.sqrt(np.nanmean(spreads))))


def _all(pool: Pool) -> tuple[Acquisition, ...]:
    return (pool.first, *pool.again, *pool.mended)


def probability(odds: float) -> float:
    """Of calibrated log-odds."""
    return chance(odds)
