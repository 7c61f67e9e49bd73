"""Curves behind the figures: how a model does at every threshold, and whether its probabilities mean it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.training.evaluation.figures import Figure, Floats, Groups, Truth, group_draws, wilson

POINTS = 101
RESAMPLES = 400


@dataclass(frozen=True)
class Curve:
    """y over x, both 0 to 1, with a pointwise 95 % band from drawing whole groups."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Bin:
    """Answers of about one probability: what was said, and how often it was so."""

    said: float
    found: Figure


def roc(truth: Truth, chances: Floats, groups: Groups) -> Curve:
    """Sensitivity (y) over the share of false alarms (x)."""
    x = np.linspace(0, 1, POINTS)
    return _banded(x, lambda t, c: _roc_at(t, c, x), truth, chances, groups)


def precision_recall(truth: Truth, chances: Floats, groups: Groups) -> Curve:
    """Precision (y) over sensitivity (x), at this data set's own prevalence."""
    x = np.linspace(0, 1, POINTS)
    return _banded(x, lambda t, c: _precision_at(t, c, x), truth, chances, groups)


def reliability(truth: Truth, chances: Floats, bins: int = 8) -> list[Bin]:
    """Answers sorted by probability in parts of equal size, each with Wilson's interval."""
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [Bin(float(chances[part].mean()), wilson(int(truth[part].sum()), len(part))) for part in parts]


def _roc_at(truth: Truth, chances: Floats, alarms: Floats) -> Floats:
    """Highest sensitivity without more than each share of false alarms."""
    order = np.argsort(-chances, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(chances[order])), len(order) - 1)
    hits, false = np.cumsum(truth[order])[ends], np.cumsum(1 - truth[order])[ends]
    positive, negative = max(truth.sum(), 1), max((1 - truth).sum(), 1)
    x, y = np.append(0, false / negative), np.append(0, hits / positive)
    return np.asarray(np.interp(alarms, x, y))


def _precision_at(truth: Truth, chances: Floats, recall: Floats) -> Floats:
    """Best precision with at least each sensitivity."""
    order = np.argsort(-chances, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(chances[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[ends]
    precision, reached = hits / (ends + 1), hits / max(truth.sum(), 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return np.asarray(best[np.minimum(np.searchsorted(reached, recall - 1e-9), len(best) - 1)])


def _banded(
    x: Floats, curve: Callable[[Truth, Floats], Floats], truth: Truth, chances: Floats, groups: Groups
) -> Curve:
    draws = group_draws(truth, groups, RESAMPLES)
    drawn = [curve(truth[rows], chances[rows]) for rows in draws]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return Curve(x, curve(truth, chances), low, high)


def answers(card_answers: list[list[float]]) -> tuple[Truth, Floats, Groups]:
    """Truth, probability and group out of a card's list of held-out answers."""
    table = np.asarray(card_answers, np.float64).reshape(-1, 3)
    groups: NDArray[np.str_] = table[:, 2].astype(np.int64).astype(np.str_)
    return table[:, 0].astype(np.int64), table[:, 1], groups
