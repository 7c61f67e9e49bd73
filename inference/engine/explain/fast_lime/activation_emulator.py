"""Answers to masks for which a network works only at its end.

What a stage of a network sees at one place depends on the pieces near that place, so its maps can be
foretold once many masks have been seen: at each place by a Gaussian process (Rasmussen and Williams 2006)
over what is shown nearby, for all channels at once. The first masks go through the whole network, the next
start from foretold maps of the first stage, the rest from foretold maps of a later one. The last stage, where
places meet and the answer is made, is always computed.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from inference.engine.backends import Stage
from inference.engine.explain.fast_lime.calibration_line import Line, along, correlation, line_to
from inference.engine.explain.trust import FORETOLD_AGREES
from inference.engine.uncertainty.steadiness import log_odds

Floats = NDArray[np.float32]
Masks = NDArray[np.bool_]

CHECKED = 32
"""Masks that went through every stage and are foretold from the others, to see how well it does."""
NEARLY_ALL = 0.9
"""Share of what moves in a stage's maps from which on foretelling them needs no other check."""
REACH = 0.7
"""How far around a place pieces count (a Gaussian's width), in distances between two places."""
NOISE = 0.005
"""Share of a map's spread that nearby pieces do not explain."""
PLACES_AT_ONCE = 16
"""Places that one thread foretells at a time; it does not depend on the threads, so that no number does."""


class Answers:
    """Logits of masks, in the order in which they are asked; equal masks in equal order give equal logits.

    drawn: masks (n, pieces) -> pictures (n, 1, size, size). segments: (size, size), -1 outside the head.
    limits: for each stage but the last, how many masks go through it before its maps are foretold; without
    them everything is computed.
    agreement: least correlation of foretold and computed log-odds, once something was foretold; else None.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        drawn: Callable[[Masks], Floats],
        segments: NDArray[np.int32],
        limits: Sequence[int] = (),
        *,
        threads: int = 1,
    ) -> None:
        self.stages, self.drawn, self.segments = tuple(stages), drawn, segments
        self.limits, self.threads = tuple(limits), threads
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
        return given if known is None or known.line is None else along(known.line, given)

    def _learn(self, stage: int) -> None:
        """Foretell a stage's maps from now on; where that goes wrong, compute everything.

        The last foretelling is always held to the network's own answers, so that all before it are, too.
        """
        maps = np.concatenate(self.made[stage])
        foretelling = Foretelling(self.shown[: len(maps)], maps, self.segments, threads=self.threads)
        checked = maps[:CHECKED]
        left_out = foretelling.left_out(checked)
        if stage + 1 < len(self.limits) and _explained(checked, left_out) >= NEARLY_ALL:
            self.known.append(Trusted(foretelling, None))
            return
        foretold = log_odds(_passed(self.stages[stage + 1 :], left_out))
        computed = log_odds(np.concatenate(self.made[-1])[:CHECKED])
        agreement = correlation(foretold, computed)
        self.agreement = min(agreement, 1.0 if self.agreement is None else self.agreement)
        if agreement >= FORETOLD_AGREES:
            self.known.append(Trusted(foretelling, line_to(foretold, computed)))
        else:
            self.limits = ()


def _passed(stages: Sequence[Stage], given: Floats) -> Floats:
    for stage in stages:
        given = stage(given)
    return given


def _explained(maps: Floats, foretold: Floats) -> float:
    """Share of what moves in the maps that was foretold; 1 is all of it."""
    moved = float(np.square(maps - maps.mean(axis=0)).sum())
    return 1 - float(np.square(maps - foretold).sum()) / moved if moved > 0 else 0.0


class Foretelling:
    """A stage's maps (n, channels, rows, columns) for masks it was not shown, out of those that it was."""

    def __init__(self, shown: Masks, maps: Floats, segments: NDArray[np.int32], *, threads: int = 1) -> None:
        count, channels, rows, columns = maps.shape
        self.size, self.lowest, self.threads = (channels, rows, columns), maps.min(), threads
        near, flat = nearness(segments, rows), maps.reshape(count, channels, rows * columns)
        self.parts = [slice(at, at + PLACES_AT_ONCE) for at in range(0, rows * columns, PLACES_AT_ONCE)]
        work = _together(threads).map(lambda part: _Places(shown, flat[:, :, part], near[part]), self.parts)
        self.places = list(work)

    def of(self, shown: Masks) -> Floats:
        """(n, channels, rows, columns)."""
        found = self._everywhere(len(shown), lambda places: places.of(shown))
        return np.asarray(np.maximum(found, self.lowest, out=found))

    def left_out(self, maps: Floats) -> Floats:
        """The first of the maps as foretold from all others (Rasmussen and Williams 2006, chapter 5.4.2)."""
        errors = self._everywhere(len(maps), lambda places: places.errors(len(maps)))
        return np.asarray(np.maximum(maps - errors, self.lowest))

    def _everywhere(self, count: int, asked: Callable[["_Places"], Floats]) -> Floats:
        """(count, channels, rows, columns) out of (places, count, channels) from each part of the places."""
        channels, rows, columns = self.size
        found = np.empty((count, channels, rows * columns), np.float32)

        def put(part: slice, places: _Places) -> None:
            found[:, :, part] = asked(places).transpose(1, 2, 0)

        list(_together(self.threads).map(put, self.parts, self.places))
        return found.reshape(count, *self.size)


class _Places:
    """Some places of a stage's maps. maps: (n, channels, places). near: (places, pieces)."""

    def __init__(self, shown: Masks, maps: Floats, near: Floats) -> None:
        self.shown, self.near = shown, near
        places = np.ascontiguousarray(maps.transpose(2, 0, 1))
        self.mean = places.mean(axis=1, keepdims=True)
        alike = self._alike(shown) + NOISE * np.eye(len(shown), dtype=np.float32)
        inverse = np.linalg.inv(alike)  # solving took three times as long
        self.weights = inverse @ (places - self.mean)
        self.sureness = np.diagonal(inverse, axis1=1, axis2=2)

    def of(self, shown: Masks) -> Floats:
        return np.asarray(self._alike(shown) @ self.weights + self.mean)

    def errors(self, count: int) -> Floats:
        """How far the first maps lie from what all others foretell."""
        return np.asarray(self.weights[:, :count] / self.sureness[:, :count, None])

    def _alike(self, asked: Masks) -> Floats:
        """(places, asked, shown): e to the power of minus twice the share of what is near that differs."""
        signs, others = (np.asarray(2.0 * masks - 1, np.float32) for masks in (asked, self.shown))
        return np.exp((signs * self.near[:, None]) @ others.T - 1)


@cache
def _together(threads: int) -> ThreadPoolExecutor:
    """Threads that wait for places: BLAS's own go on spinning after their work, and slow the next stage."""
    return ThreadPoolExecutor(threads, thread_name_prefix="foretold")


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
    """A foretelling that does well enough, and the line on which what comes of it is put, if any.

    Foretold maps lie nearer to their mean than computed ones, and so do their log-odds.
    """

    maps: Foretelling
    line: Line | None
