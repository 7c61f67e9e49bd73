"""Random fields: fixed to a head (the same in every acquisition) or to one acquisition.

All are windows into one large repeating table of smooth noise, placed and turned by a seed: a
look-up costs a tenth of smoothing fresh noise for every picture.
"""

import math
from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from inference.phantom.geometry import Floats, Points

SIDE, SIGMA = 1024, 10.0  # samples along the table's sides, and across which its noise is smooth


@cache
def _table() -> Floats:
    noise = np.random.default_rng(20140901).standard_normal((SIDE, SIDE), dtype=np.float32)
    smooth = gaussian_filter(noise, SIGMA, mode="wrap")
    return np.asarray(smooth / smooth.std(), dtype=np.float32)


def head_texture(seed: int, at: Points, grain_mm: float) -> Floats:
    """Smooth noise of mean 0 and deviation 1 that belongs to the head; `grain_mm` is two sigmas of a blob."""
    rng = np.random.default_rng(seed)
    row, column = rng.integers(SIDE, size=2)
    turn = float(rng.uniform(0, 2 * math.pi))
    scale = 2 * SIGMA / grain_mm
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    rows = (cos * at.y + sin * at.x + scale * at.z + row).astype(np.int32) & (SIDE - 1)
    columns = (cos * at.x - sin * at.y + column).astype(np.int32) & (SIDE - 1)
    return np.asarray(_table()[rows, columns], dtype=np.float32)


def grid_texture(rng: np.random.Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> Floats:
    """Smooth noise of mean 0 and deviation 1 over a grid, of this acquisition; `sigma` in samples."""
    first = rng.integers(SIDE, size=2)
    rows, columns = (
        (start + np.arange(count) * (SIGMA / width)).astype(np.int32) & (SIDE - 1)
        for start, count, width in zip(first, shape, sigma, strict=True)
    )
    return np.asarray(_table()[rows[:, np.newaxis], columns], dtype=np.float32)


def soft_step(distance: Floats, width: float) -> Floats:
    """1 inside (negative distance), 0 outside, with an edge `width` mm wide."""
    return np.asarray(np.clip(0.5 - distance / width, 0, 1), dtype=np.float32)


def ridge(distance: Floats, width: float) -> Floats:
    """1 on the surface, falling off as a Gaussian of `width` mm."""
    return np.asarray(np.exp(-((distance / width) ** 2)), dtype=np.float32)
