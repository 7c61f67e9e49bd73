"""Ellipses in picture coordinates: the shape of a skull in an axial section."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ellipse:
    """Pixel centres (x to the right, y down); `angle` turns the long axis from x towards y, in radians."""

    x: float
    y: float
    long: float
    short: float
    angle: float

    @cached_property
    def aspect(self) -> float:
        """Short axis over long axis, at most 1."""
        return self.short / self.long

    def scaled(self, factor: float) -> "Ellipse":
        """The same ellipse seen on a grid `factor` times as fine, pixel centres kept honest."""
        shift = 0.5 * (factor - 1)
        return Ellipse(
            self.x * factor + shift,
            self.y * factor + shift,
            self.long * factor,
            self.short * factor,
            self.angle,
        )

    def through(self, affine: NDArray[np.float64]) -> "Ellipse":
        """The same ellipse after an affine (2 x 3) of pixel centres (x, y)."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        axes = np.array([[cos * self.long, -sin * self.short], [sin * self.long, cos * self.short]])
        turned, (long, short), _ = np.linalg.svd(affine[:, :2] @ axes)
        x, y = affine[:, :2] @ np.array([self.x, self.y]) + affine[:, 2]
        return Ellipse(float(x), float(y), float(long), float(short), math.atan2(turned[1, 0], turned[0, 0]))

    def reach(self, *, downwards: bool) -> float:
        """How far it reaches from its centre along the columns (downwards) or along the rows, in pixels."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        own = (self.long * sin, self.short * cos) if downwards else (self.long * cos, self.short * sin)
        return math.hypot(*own)

    def grown(self, factor: float) -> "Ellipse":
        """The same centre and direction with both axes multiplied."""
        return Ellipse(self.x, self.y, self.long * factor, self.short * factor, self.angle)

    def ring(self, points: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points (2, n: x, y) on the ellipse and the direction of the outward normal at each, in radians."""
        t = np.arange(points) * (2 * math.pi / points)
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        u, v = self.long * np.cos(t), self.short * np.sin(t)
        nu, nv = np.cos(t) / self.long, np.sin(t) / self.short
        xy = np.stack([self.x + u * cos - v * sin, self.y + u * sin + v * cos])
        return xy, np.arctan2(nu * sin + nv * cos, nu * cos - nv * sin)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """True where a pixel's centre lies inside; shape is (rows, columns)."""
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        dx, dy = columns - self.x, rows - self.y
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        u, v = (dx * cos + dy * sin) / self.long, (dy * cos - dx * sin) / self.short
        inside: NDArray[np.bool_] = u * u + v * v <= 1.0
        return inside


def from_region(region: NDArray[np.bool_]) -> Ellipse:
    """The ellipse with the same area, centre and second moments as a region."""
    rows, columns = np.nonzero(region)
    spread, axes = np.linalg.eigh(np.cov(np.stack([columns, rows])) + 1e-9 * np.eye(2))
    short, long = 2.0 * np.sqrt(spread)
    return Ellipse(
        float(columns.mean()),
        float(rows.mean()),
        float(long),
        float(short),
        math.atan2(axes[1, 1], axes[0, 1]),
    )
