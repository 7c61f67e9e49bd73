"""Answers to masks for which a network works only at its end.

What a stage of a network sees at one place depends on the pieces near that place, so its maps can be
foretold once many masks have been seen: at each place by a Gaussian process (Rasmussen and Williams 2006)
over what is shown nearby, for all channels at once. The first masks go through the whole network, the next
start from foretold maps of the first stage, the rest from foretold maps of a later one. The last stage, where
places meet and the answer is made, is always computed.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.engine.backends import Stage
from inference.engine.trust import FORETOLD_AGREES

Floats = NDArray[np.float32]
Masks = NDArray[np.bool_]
Line = NDArray[np.float64]
"""Slope and height: foretold maps lie nearer to their mean than computed ones, and so do their log-odds."""

COMPUTED = (64, 192)
"""Masks that go through the stages but the last; the maps of later masks are foretold."""
CHECKED = 32
"""Masks that went through every stage and are foretold from the others, to see how well it does."""
REACH = 0.7
"""How far around a place pieces count (a Gaussian's width), in distances between two places."""
NOISE = 0.05
"""Share of a map's spread that nearby pieces do not explain."""


class Answers:
    """Logits of masks, in the order in which they are asked; equal masks in equal order give equal logits.

    drawn: masks (n, pieces) -> pictures (n, 1, size, size). segments: (size, size), -1 outside the head.
    agreement: least correlation of foretold and computed log-odds, once something was foretold; else None.
    """

    def __init__(
        self, stages: Sequence[Stage], drawn: Callable[[Masks], Floats], segments: NDArray[np.int32]
    ) -> None:
        self.stages, self.drawn, self.segments = tuple(stages), drawn, segments
        self.limits = COMPUTED[len(COMPUTED) - len(stages) + 1 :]
        self.shown: Masks = np.zeros((0, int(segments.max()) + 1), np.bool_)
        self.made: list[list[Floats]] = [[] for _ in self.stages]
        self.known: list[Trusted] = []
        self.agreement: float | None = None

    @property
    def computed(self) -> int:
        """Masks after which answers are foretold up to the last stage."""
        return self.limits[-1] if self.limits else sys.maxsize

    def computed_for(self, shown: Masks) -> Floats:
        """Logits (n, 2) by every stage, whatever was asked before."""
        return _passed(self.stages, self.drawn(shown))

    def to(self, shown: Masks) -> Floats:
        """Logits (n, 2)."""
        start = len(self.shown)
        for limit in self.limits:
            if start < limit < start + len(shown):
                return np.concatenate([self.to(shown[: limit - start]), self.to(shown[limit - start :])])
        return self._passed_on(shown, foretold=self._foretold_from(start))

    def _foretold_from(self, start: int) -> int:
        """How many stages need not be computed for the masks from here on."""
        stages = sum(start >= limit for limit in self.limits)
        if stages > len(self.known):
            self._learn(stages - 1)
        return stages if self.limits else 0

    def _passed_on(self, shown: Masks, *, foretold: int) -> Floats:
        self.shown = np.concatenate([self.shown, shown])
        known = self.known[foretold - 1] if foretold else None
        given = known.maps.of(shown) if known else self.drawn(shown)
        for number in range(foretold, len(self.stages)):
            given = self.stages[number](given)
            if foretold < len(self.limits):
                self.made[number].append(given)
        return _along(known.line, given) if known else given

    def _learn(self, stage: int) -> None:
        """Foretell a stage's maps from now on; where that goes wrong, compute everything."""
        maps, logits = (np.concatenate(self.made[number]) for number in (stage, -1))
        foretelling = Foretelling(self.shown[: len(maps)], maps, self.segments)
        foretold = _odds(_passed(self.stages[stage + 1 :], foretelling.left_out(maps[:CHECKED])))
        computed = _odds(logits[:CHECKED])
        agreement = _agreement(foretold, computed)
        self.agreement = min(agreement, 1.0 if self.agreement is None else self.agreement)
        if agreement >= FORETOLD_AGREES:
            self.known.append(Trusted(foretelling, np.polyfit(foretold, computed, 1)))
        else:
            self.limits = ()


def _passed(stages: Sequence[Stage], given: Floats) -> Floats:
    for stage in stages:
        given = stage(given)
    return given


def _odds(logits: Floats) -> Floats:
    """Log-odds (n,) out of logits (n, 2)."""
    return np.asarray(logits[:, 1] - logits[:, 0])


def _agreement(first: Floats, second: Floats) -> float:
    """Correlation of the log-odds of two times the same masks; 0 where either never moves."""
    return float(np.corrcoef(first, second)[0, 1]) if min(np.ptp(first), np.ptp(second)) > 0 else 0.0


def _along(line: Line, logits: Floats) -> Floats:
    """Logits (n, 2) whose log-odds are put on a line."""
    half = np.polyval(line, _odds(logits)) / 2
    return np.asarray(np.stack([-half, half], axis=1), np.float32)


class Foretelling:
    """A stage's maps (n, channels, rows, columns) for masks it was not shown, out of those that it was."""

    def __init__(self, shown: Masks, maps: Floats, segments: NDArray[np.int32]) -> None:
        count, channels, rows, columns = maps.shape
        self.shown, self.size, self.lowest = shown, (channels, rows, columns), maps.min()
        self.near = nearness(segments, rows)
        places = np.ascontiguousarray(maps.reshape(count, channels, rows * columns).transpose(2, 0, 1))
        self.mean = places.mean(axis=1, keepdims=True)
        alike = self._alike(shown) + NOISE * np.eye(count, dtype=np.float32)
        inverse = np.linalg.inv(alike)  # solving took three times as long
        self.weights = inverse @ (places - self.mean)
        self.sureness = np.diagonal(inverse, axis1=1, axis2=2)

    def of(self, shown: Masks) -> Floats:
        """(n, channels, rows, columns)."""
        maps = self._in_rows(self._alike(shown) @ self.weights + self.mean)
        return np.asarray(np.maximum(maps, self.lowest), np.float32)

    def left_out(self, maps: Floats) -> Floats:
        """The first of the maps as foretold from all others (Rasmussen and Williams 2006, chapter 5.4.2)."""
        count = len(maps)
        errors = self.weights[:, :count] / self.sureness[:, :count, None]
        return np.asarray(np.maximum(maps - self._in_rows(errors), self.lowest), np.float32)

    def _in_rows(self, places: Floats) -> Floats:
        """(places, n, channels) to (n, channels, rows, columns)."""
        return places.transpose(1, 2, 0).reshape(-1, *self.size)

    def _alike(self, asked: Masks) -> Floats:
        """(places, asked, shown): e to the power of minus twice the share of what is near that differs."""
        signs, others = (np.asarray(2.0 * masks - 1, np.float32) for masks in (asked, self.shown))
        return np.exp((signs * self.near[:, None]) @ others.T - 1)


def nearness(segments: NDArray[np.int32], side: int) -> Floats:
    """Of what lies near each of side x side places, the share of each piece: (places, pieces)."""
    size = segments.shape[0]
    step = size / side
    apart = np.arange(size) + 0.5 - (np.arange(side)[:, None] + 0.5) * step
    around = np.exp(-(apart**2) / (2 * (REACH * step) ** 2)) + 1e-6
    pieces = np.arange(int(segments.max()) + 1)[:, None, None] == segments
    near = np.einsum("ay,nyx,bx->abn", around, pieces.astype(np.float64), around, optimize=True)
    near = near.reshape(side * side, -1)
    return np.asarray(near / near.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True)
class Trusted:
    """A foretelling that does well enough, and the line on which what comes of it is put."""

    maps: Foretelling
    line: Line
