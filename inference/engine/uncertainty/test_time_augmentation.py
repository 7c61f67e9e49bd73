"""How steady an answer is: the same picture held a little differently, eight times.

An answer that lies far from the threshold and hardly moves is worth more than one that lies as far and jumps.
Wang et al. 2019 (Neurocomputing 338) call it test-time augmentation; what the doubt that comes of it is worth
is measured on every model card, beside the bare distance to the threshold.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference.engine.arithmetic import weighed_sum
from inference.engine.uncertainty.steadiness import Floats

Pictures = NDArray[np.float32]
Logits = Callable[[Pictures], Floats]
INSIDE = 0.5
"""Of the head: a pixel of a view with no more of it lies outside."""


@dataclass(frozen=True)
class View:
    """One way to hold a picture. turn in degrees, shift as a share of its side, gain on its grey levels."""

    turn: float = 0.0
    zoom: float = 1.0
    across: float = 0.0
    down: float = 0.0
    mirrored: bool = False
    gain: float = 1.0

    def of(self, pictures: Pictures) -> Pictures:
        """Prepared pictures (n, 1, size, size), zero outside the head, seen this way."""
        places, shares = _between(self, pictures.shape[-1])
        flat = pictures.reshape(len(pictures), -1)
        seen, inside = (
            weighed_sum(shares, [shown[:, place] for place in places])
            for shown in (flat, (flat != 0).astype(np.float32))
        )
        return (seen * np.float32(self.gain) * (inside > INSIDE)).reshape(pictures.shape)


@lru_cache(maxsize=32)
def _between(view: View, size: int) -> tuple[list[NDArray[np.intp]], list[Pictures]]:
    """The four pixels between which each pixel of a view lies, and what it has of each: (size * size,) each.

    Places run from -1 to 1 across the whole picture, in single precision, as torch's `affine_grid` and
    `grid_sample` count them; what lies beyond the edge has no share.
    """
    angle, side = math.radians(view.turn), -1.0 if view.mirrored else 1.0
    cos, sin = math.cos(angle) * view.zoom, math.sin(angle) * view.zoom
    x, y = (grid.ravel() for grid in np.meshgrid(_middles(size), _middles(size)))
    rows = np.array([[cos * side, -sin, view.across], [sin * side, cos, view.down]], np.float32)
    across, down = (((x * a + y * b + c + 1) * np.float32(size) - 1) / 2 for a, b, c in rows)
    left, top = np.floor(across), np.floor(down)
    right, low = across - left, down - top
    places, shares = [], []
    for row, column, share in (
        (top, left, (1 - right) * (1 - low)),
        (top, left + 1, right * (1 - low)),
        (top + 1, left, (1 - right) * low),
        (top + 1, left + 1, right * low),
    ):
        within = (column >= 0) & (column < size) & (row >= 0) & (row < size)
        places.append(np.where(within, row * size + column, 0).astype(np.intp))
        shares.append(np.where(within, share, 0).astype(np.float32))
    return places, shares


def _middles(size: int) -> Pictures:
    """Of the pixels in a row, counted from both ends as torch's `linspace` counts them."""
    step = float(np.float32(2) / np.float32(size - 1))
    half = -1 + step * np.arange(size // 2)
    ends = np.concatenate([half, 1 - step * np.arange(size - size // 2)[::-1]])
    return ends.astype(np.float32) * np.float32((size - 1) / size)


VIEWS = (
    View(turn=8, zoom=1.03, across=0.03),
    View(turn=-8, down=0.03),
    View(zoom=1.07, across=-0.03),
    View(zoom=0.94, down=-0.03),
    View(mirrored=True),
    View(mirrored=True, turn=6, across=0.02, down=0.02),
    View(turn=4, gain=0.85),
    View(turn=-4, gain=1.15),
)


def viewed_logits(logits_of: Logits, tensor: Pictures) -> Floats:
    """Logits (views, n, 2) of a prepared tensor (n, 1, size, size) in every view."""
    return np.stack([logits_of(view.of(tensor)) for view in VIEWS])
