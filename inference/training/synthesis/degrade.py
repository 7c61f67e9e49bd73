"""Making a real picture worse by a known grade, 0 (as it is) to 1: what checks and advice are tried on."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.formats.stack import PictureStack

Picture = NDArray[np.float64]
MOST_CUT = 0.45
"""Share of the columns that the worst cut takes away."""


def spoiled(stack: PictureStack, fault: str, grade: float, *, seed: int) -> PictureStack:
    """The first frame with a fault of SPOILERS; grade 0 leaves it alone."""
    if not grade:
        return stack
    picture = stack.pixels[0].astype(np.float64)
    worse = SPOILERS[fault](picture, grade, np.random.default_rng(seed))
    if stack.pixels.dtype == np.uint8:
        return replace(stack, pixels=np.clip(worse, 0, 255).astype(np.uint8)[None])
    return replace(stack, pixels=np.clip(worse, 0, 65535).astype(np.uint16)[None])


def _blurred(picture: Picture, grade: float, _: np.random.Generator) -> Picture:
    return np.asarray(ndimage.gaussian_filter(picture, 0.012 * grade * max(picture.shape)))


def _smeared(picture: Picture, grade: float, _: np.random.Generator) -> Picture:
    return np.asarray(ndimage.gaussian_filter1d(picture, 0.02 * grade * max(picture.shape), axis=1))


def _noisy(picture: Picture, grade: float, rng: np.random.Generator) -> Picture:
    """Where something is shown: what was cut out of its surroundings stays on black."""
    return picture + rng.normal(0, 0.25 * grade * picture.std(), picture.shape) * (picture > 0)


def _saturated(picture: Picture, grade: float, _: np.random.Generator) -> Picture:
    return picture * (1 + 3 * grade)


def _cut(picture: Picture, grade: float, _: np.random.Generator) -> Picture:
    return picture[:, : int(picture.shape[1] * (1 - MOST_CUT * grade))]


def _voided(picture: Picture, grade: float, rng: np.random.Generator) -> Picture:
    """The signal is lost around a place in the bright part of the picture."""
    bright = np.argwhere(picture > np.median(picture[picture > 0]))
    row, column = bright[rng.integers(len(bright))]
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    apart = ((rows - row) ** 2 + (columns - column) ** 2) / (0.1 * max(picture.shape)) ** 2
    return np.asarray(picture * (1 - 0.95 * grade * np.exp(-apart)))


SPOILERS: Mapping[str, Callable[[Picture, float, np.random.Generator], Picture]] = {
    "blur": _blurred,
    "motion": _smeared,
    "noise": _noisy,
    "gain": _saturated,
    "crop": _cut,
    "shadow": _voided,
}
