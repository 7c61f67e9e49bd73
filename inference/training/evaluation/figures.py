"""Figures with intervals: what a model scored, and how sure one may be of it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
Z95 = 1.959964

Floats = NDArray[np.float64]
Truth = NDArray[np.int64]
Groups = NDArray[np.str_]


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval and the number of pictures it rests on."""

    value: float
    low: float
    high: float
    count: int

    def as_json(self) -> dict[str, float | None]:
        """JSON has no word for "not a number": what could not be measured is null."""
        return {name: None if math.isnan(value) else value for name, value in vars(self).items()}


def auc(truth: Truth, scores: Floats) -> float:
    """Chance that a positive scores above a negative, ties counting half; nan without both classes."""
    positive, negative = scores[truth == 1], scores[truth == 0]
    if not len(positive) or not len(negative):
        return math.nan
    higher = (positive[:, None] > negative[None, :]).mean()
    return float(higher + 0.5 * (positive[:, None] == negative[None, :]).mean())


def average_precision(truth: Truth, scores: Floats) -> float:
    """Area under precision over recall, as a sum over the positives; nan without any."""
    if not truth.any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[ends]
    gained = np.diff(np.append(0, hits)) / truth.sum()
    return float((gained * hits / (ends + 1)).sum())


def group_draws(
    truth: Truth, groups: Groups, count: int = RESAMPLES, *, seed: int = 0
) -> Iterator[NDArray[np.int64]]:
    """Rows of `count` redrawn data sets: whole groups, since pictures of one patient are not independent.

    Groups of each class are drawn apart, so that no draw lacks a class.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    strata = [[rows for rows in members if truth[rows[0]] == label] for label in np.unique(truth)]
    for _ in range(count):
        drawn = [stratum[i] for stratum in strata for i in rng.integers(0, len(stratum), len(stratum))]
        yield np.concatenate(drawn)


def bootstrap(
    measure: Callable[[Truth, Floats], float], truth: Truth, scores: Floats, groups: Groups, *, seed: int = 0
) -> Figure:
    """95 % interval by drawing whole groups."""
    values = [measure(truth[rows], scores[rows]) for rows in group_draws(truth, groups, seed=seed)]
    low, high = np.percentile(values, [2.5, 97.5])
    return Figure(measure(truth, scores), float(low), float(high), len(truth))


def difference(truth: Truth, ours: Floats, theirs: Floats, groups: Groups) -> Figure:
    """AUC of ours minus theirs on the same pictures, with a 95 % interval from drawing whole groups."""
    draws = group_draws(truth, groups)
    drawn = [auc(truth[rows], ours[rows]) - auc(truth[rows], theirs[rows]) for rows in draws]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(auc(truth, ours) - auc(truth, theirs), float(low), float(high), len(truth))


def wilson(hits: int, count: int) -> Figure:
    """A share with Wilson's interval; count 0 gives the whole range."""
    if count == 0:
        return Figure(math.nan, 0.0, 1.0, 0)
    share, square = hits / count, Z95**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return Figure(share, max(0.0, centre - half), min(1.0, centre + half), count)


def at_threshold(truth: Truth, chances: Floats, threshold: float) -> dict[str, Figure]:
    """Sensitivity, specificity and accuracy, Wilson's intervals."""
    found = shares(truth, chances >= threshold)
    return {name: found[name] for name in ("sensitivity", "specificity", "accuracy")}


def shares(truth: Truth, called: NDArray[np.bool_]) -> dict[str, Figure]:
    """What a two-by-two table says, with Wilson's intervals."""
    positive, negative = truth == 1, truth == 0
    hits, clears = int((called & positive).sum()), int((~called & negative).sum())
    return {
        "sensitivity": wilson(hits, int(positive.sum())),
        "specificity": wilson(clears, int(negative.sum())),
        "accuracy": wilson(int((called == positive).sum()), len(truth)),
        "positive_predictive_value": wilson(hits, int(called.sum())),
        "negative_predictive_value": wilson(clears, int((~called).sum())),
    }


def calibration_error(truth: Truth, chances: Floats, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins."""
    which = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        (which == b).mean() * abs(float(chances[which == b].mean()) - float(truth[which == b].mean()))
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))
