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


def wavy(rng: np.random.Generator, angle: Floats) -> Floats:
    """A smooth closed outline over the angle (radians), mean 0 and deviation about 1, of this acquisition."""
    outline = np.zeros_like(angle)
    for turns in (1, 2, 3, 5):
        strength, phase = float(rng.normal(0, 1)), float(rng.uniform(0, 2 * math.pi))
        outline += np.float32(0.8 * strength / turns**0.5) * np.cos(turns * angle + np.float32(phase))
    return outline


def neighbours(rng: np.random.Generator, at: Points, head_mm: float) -> Floats:
    """Distance in mm to what else lies in the womb beside the head: none, one or two ellipses."""
    nearest = np.full_like(at.x, 1e3)
    for _ in range(int(rng.integers(0, 3))):
        direction, turn = rng.uniform(0, 2 * math.pi, 2)
        size, away = head_mm * float(rng.uniform(0.15, 0.6)), head_mm * float(rng.uniform(0.1, 0.6))
        middle = head_mm / 2 + size + away
        u, v = (
            at.x - np.float32(middle * math.cos(direction)),
            at.y - np.float32(middle * math.sin(direction)),
        )
        cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
        rho = np.hypot(cos * u + sin * v, (cos * v - sin * u) * np.float32(rng.uniform(1.0, 2.2)))
        nearest = np.minimum(nearest, rho - np.float32(size))
    return nearest


def soft_step(distance: Floats, width: float) -> Floats:
    """1 inside (negative distance), 0 outside, with an edge `width` mm wide."""
    return np.asarray(np.clip(0.5 - distance / width, 0, 1), dtype=np.float32)


def ridge(distance: Floats, width: float) -> Floats:
    """1 on the surface, falling off as a Gaussian of `width` mm."""
    return np.asarray(np.exp(-((distance / width) ** 2)), dtype=np.float32)
