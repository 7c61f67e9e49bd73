"""A head as the checks look at it: upright, of one size, with what of it lies in the picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.head.ellipse import Ellipse

SIDE = 128
CORE = 0.88
"""Share of the head's radius that the checks look at: inside of the skull."""

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Upright:
    """grey: (SIDE, SIDE), the long axis from left to right. core: bool, brain that lies in the picture."""

    grey: NDArray[np.float64]
    core: NDArray[np.bool_]
    head: Ellipse

    @property
    def brain(self) -> NDArray[np.float64]:
        """Grey levels of the core, in one row."""
        return self.grey[self.core]

    def place(self, row: float, column: float) -> tuple[float, float]:
        """(row, column) in the picture of a place in `grey`."""
        x, y = (np.array([column, row]) - (SIDE - 1) / 2) * self._pixel
        cos, sin = math.cos(self.head.angle), math.sin(self.head.angle)
        return float(self.head.y + x * sin + y * cos), float(self.head.x + x * cos - y * sin)

    @property
    def _pixel(self) -> float:
        return 2 * self.head.long / SIDE


def upright(frame: Picture, head: Ellipse) -> Upright:
    """The head of a frame (rows, columns); neither its size nor its pose on the screen matters any more."""
    pixel = 2 * head.long / SIDE
    smooth = ndimage.gaussian_filter(frame, 0.4 * (pixel - 1)) if pixel > 1 else frame
    steps = (np.arange(SIDE) - (SIDE - 1) / 2) * pixel
    x, y = np.meshgrid(steps, steps)
    cos, sin = math.cos(head.angle), math.sin(head.angle)
    columns, rows = head.x + x * cos - y * sin, head.y + x * sin + y * cos
    grey = ndimage.map_coordinates(smooth, [rows, columns], order=1, output=np.float64)
    inside = (x / head.long) ** 2 + (y / head.short) ** 2 <= CORE**2
    seen = (rows >= 0) & (rows <= frame.shape[0] - 1) & (columns >= 0) & (columns <= frame.shape[1] - 1)
    return Upright(grey, inside & seen, head)
