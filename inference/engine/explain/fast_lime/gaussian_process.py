"""LIME's weights from few answers.

LIME fits a weighted linear model to a network's probability over random masks. Most of its noise is not the
network's: a probability that saturates makes the pieces of a picture interact, where in log-odds they nearly
add up. So the answers are first explained by a Gaussian process over masks, in log-odds, with single pieces
and pairs of pieces, neighbours alike (Rasmussen and Williams 2006; chapter 5.4 for leaving one out). What it
finds tells which pieces count, and any number of those may act together when the answers are explained again.
The process then answers thousands of masks at once, as unsure as it is of masks that it was not shown. LIME's
fit is made on those, and what it gets wrong is put back by the same fit on its leave-one-out errors.
bench/explain.py measures it against LIME's own 20,000 samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard, lapack

Floats = NDArray[np.floating[Any]]
Masks = NDArray[np.bool_]

SUREST = 1e-9
"""Nearer to 0 or 1 a probability says no more."""
PAIRS, NOISE = 0.5, 0.05
"""Weight of pairs of pieces beside single ones, and of what neither explains."""
TOUCHING = 0.06
"""How far two pieces may lie apart to count as a pair, of the picture's side: an exponential's length."""
PAIRS_KEPT = 8
"""Pairs that count, for each piece: those nearest to each other."""
COUNTING = 8.0
"""How far masks lie apart that differ in all that counts; pieces share it by the squares of their effects."""
CAUTION = 128.0
"""Keeps the fit of the leave-one-out errors small, which are mostly noise while masks are few."""
ALONE, REACH = 0.3, 0.1
"""Share of a piece's effect that its neighbours lack; how far neighbours reach, of the picture's side."""
ANSWERED = 2048
"""Masks that the process answers, and as many opposites."""


@dataclass(frozen=True)
class Fit:
    """weights: of each piece, in probability. intercept: with every piece hidden. r2: of the linear model."""

    weights: Floats
    intercept: float
    r2: float


def balanced_masks(pieces: int, rng: np.random.Generator) -> Iterator[Masks]:
    """Blocks of masks without end: each pair of pieces is shown together as often as apart.

    Rows of a Hadamard matrix, columns and signs drawn anew for each block; every mask is followed by its
    opposite, so that pairs of pieces cannot pass for single ones.
    """
    signs = _signs(1 << int(np.ceil(np.log2(pieces + 1))))
    while True:
        yield _block(signs, pieces, rng)


@cache
def _signs(order: int) -> NDArray[np.int8]:
    """A Hadamard matrix without its constant column."""
    return np.asarray(hadamard(order, dtype=np.int8)[:, 1:])


def _block(signs: NDArray[np.int8], pieces: int, rng: np.random.Generator) -> Masks:
    columns = rng.permutation(signs.shape[1])[:pieces]
    rows = signs[:, columns] * rng.choice(np.array([-1, 1], np.int8), pieces)
    rows = rows[rng.permutation(len(rows))]
    return np.stack([rows, -rows], axis=1).reshape(-1, pieces) > 0


def _inverse(matrix: Floats) -> Floats:
    """Of a symmetric positive definite matrix."""
    upper, _ = lapack.dpotrf(matrix)
    found, _ = lapack.dpotri(upper)
    return np.asarray(np.triu(found) + np.triu(found, 1).T)


class Process:
    """The Gaussian process over the masks of one picture's pieces, and the masks that it will answer.

    apart: distances of the pieces, in pixels. side: of the picture. What it sees are single pieces, mixed
    with their neighbours as the prior wants it, and pairs of pieces that nearly touch.
    """

    def __init__(self, apart: Floats, *, side: int, seed: int) -> None:
        prior = ALONE * np.eye(len(apart)) + (1 - ALONE) * np.exp(-apart / (REACH * side))
        self.single = np.linalg.cholesky(prior / np.trace(prior))
        first, second = np.triu_indices(len(apart), 1)
        weight = np.exp(-apart[first, second] / (TOUCHING * side))
        near = np.argsort(-weight)[: PAIRS_KEPT * len(apart)]
        self.first, self.second = first[near], second[near]
        self.share = np.sqrt(PAIRS * weight[near] / weight.sum())
        self.many = _block(_signs(ANSWERED), len(apart), np.random.default_rng([seed, len(apart)]))
        self.asked = self.features(self.many)

    def features(self, shown: Masks) -> Floats:
        """Masks as the process sees them (n, features): the product of two is how alike it holds them."""
        signs = 2.0 * shown - 1
        return np.hstack([signs @ self.single, signs[:, self.first] * signs[:, self.second] * self.share])

    def fitted(self, shown: Masks, chances: Floats, kernel_width: float) -> Fit:
        """LIME's weights from answers (n,) to masks (n, pieces)."""
        known, odds = self.features(shown), _log_odds(chances)
        alike = known @ known.T
        share = self._effects(known.T @ _explained(alike, odds).sources)
        found = _explained(alike + _alike(shown, shown, share), odds)
        answers = found.middle + self.asked @ (known.T @ found.sources)
        answers = answers + _alike(self.many, shown, share) @ found.sources.astype(np.float32)
        nearer = _nearer_to_even(odds - found.left_out)
        missed = chances - _chance(nearer * found.left_out)
        weights = _linear(self.many, _chance(nearer * answers), kernel_width)
        weights = weights + _linear(shown, missed, kernel_width, caution=CAUTION / len(shown))
        return _with_quality(shown, chances, weights, kernel_width)

    def _effects(self, found: Floats) -> Floats:
        """Each piece's share of the answers' spread, as far as single pieces make it; 0 where nothing does.

        found: (features,), what the process makes of each of its features.
        """
        effects = np.square(self.single @ found[: len(self.single)])
        return np.asarray(effects / max(float(effects.sum()), np.finfo(float).tiny))


def linear_fit(shown: Masks, chances: Floats, kernel_width: float) -> Fit:
    """LIME's own weighted linear fit of the answers, and nothing else."""
    return _with_quality(shown, chances, _linear(shown, chances, kernel_width), kernel_width)


@dataclass(frozen=True)
class _Explained:
    """Log-odds of a mask: middle, and sources (n,) by how alike it is to each of the n masks.

    left_out: (n,) log-odds, each from those of the others.
    """

    middle: float
    sources: Floats
    left_out: Floats


def _explained(alike: Floats, odds: Floats) -> _Explained:
    """alike: (n, n), how alike the process holds the masks with these log-odds."""
    inverse = _inverse(alike + NOISE * np.eye(len(alike)))
    middle = float(odds.mean())
    sources = inverse @ (odds - middle)
    return _Explained(middle, sources, odds - sources / np.diag(inverse))


def _alike(asked: Masks, shown: Masks, share: Floats) -> NDArray[np.float32]:
    """(asked, shown): e to the power of minus COUNTING times the share of what counts that differs."""
    signs, others = (2 * masks.astype(np.float32) - 1 for masks in (asked, shown))
    same = (signs * share.astype(np.float32)) @ others.T
    return np.asarray(np.exp(np.float32(COUNTING / 2) * (same - np.float32(share.sum()))))


def _log_odds(chances: Floats) -> Floats:
    inside = np.clip(chances, SUREST, 1 - SUREST)
    return np.asarray(np.log(inside / (1 - inside)))


def _nearer_to_even(errors: Floats) -> float:
    """What log-odds that err so are multiplied by, for the mean probability over them (MacKay 1992)."""
    return float(1 / np.sqrt(1 + np.pi / 8 * np.mean(np.square(errors))))


def _chance(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _nearness(shown: Masks, kernel_width: float) -> Floats:
    """LIME's weight of a mask, by its cosine distance from the whole picture."""
    distance = 1 - np.sqrt(np.maximum(shown.mean(axis=1), 1e-9))
    return np.asarray(np.sqrt(np.exp(-(distance**2) / kernel_width**2)))


def _linear(shown: Masks, values: Floats, kernel_width: float, *, caution: float = 1e-6) -> Floats:
    nearness = _nearness(shown, kernel_width)
    centred = shown - np.average(shown, axis=0, weights=nearness)
    weighed = (centred * nearness[:, None]).T
    gram = weighed @ centred
    gram[np.diag_indices_from(gram)] += caution * len(shown)
    return np.asarray(np.linalg.solve(gram, weighed @ (values - np.average(values, weights=nearness))))


def _with_quality(shown: Masks, chances: Floats, weights: Floats, kernel_width: float) -> Fit:
    nearness = _nearness(shown, kernel_width)
    linear = shown @ weights
    intercept = float(np.average(chances - linear, weights=nearness))
    errors = np.average((chances - linear - intercept) ** 2, weights=nearness)
    spread = np.average((chances - np.average(chances, weights=nearness)) ** 2, weights=nearness)
    return Fit(weights, intercept, float(1 - errors / spread) if spread > 1e-12 else 0.0)
