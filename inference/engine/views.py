"""How steady an answer is: the same picture held a little differently, eight times.

An answer that lies far from the threshold and hardly moves is worth more than one that lies as far and jumps.
Wang et al. 2019 (Neurocomputing 338) call it test-time augmentation; what the doubt that comes of it is worth
is measured on every model card, beside the bare distance to the threshold.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Floats = NDArray[np.float64]
Logits = Callable[[NDArray[np.float32]], Floats]
FLOOR = 0.4
"""In log-odds, added to what the views show: eight views that agree do not make an answer certain."""


@dataclass(frozen=True)
class View:
    """One way to hold a picture. turn in degrees, shift as a share of its side, gain on its grey levels."""

    turn: float = 0.0
    zoom: float = 1.0
    across: float = 0.0
    down: float = 0.0
    mirrored: bool = False
    gain: float = 1.0

    def of(self, pictures: Tensor) -> Tensor:
        """Prepared pictures (n, 1, size, size), zero outside the head, seen this way."""
        angle, side = math.radians(self.turn), -1.0 if self.mirrored else 1.0
        cos, sin = math.cos(angle) * self.zoom, math.sin(angle) * self.zoom
        affine = torch.tensor([[cos * side, -sin, self.across], [sin * side, cos, self.down]])
        grid = F.affine_grid(
            affine.repeat(len(pictures), 1, 1).to(pictures), list(pictures.shape), align_corners=False
        )
        seen = F.grid_sample(pictures, grid, align_corners=False)
        inside = F.grid_sample((pictures != 0).to(pictures), grid, align_corners=False) > 0.5
        return seen * self.gain * inside


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


@dataclass(frozen=True)
class Steadiness:
    """low, high: the least and the greatest probability among the picture and its views.

    doubt: 0 to 0.5, the chance that yet another view would turn the call, were views normally spread.
    """

    low: float
    high: float
    doubt: float


def log_odds(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> Floats:
    """Log-odds of ventriculomegaly, calibrated by a temperature; logits (..., 2)."""
    return np.asarray((logits[..., 1] - logits[..., 0]) / temperature)


def viewed_logits(logits_of: Logits, tensor: NDArray[np.float32]) -> Floats:
    """Logits (views, n, 2) of a prepared tensor (n, 1, size, size) in every view."""
    pictures = torch.from_numpy(np.ascontiguousarray(tensor))
    return np.stack([logits_of(view.of(pictures).numpy()) for view in VIEWS])


def steadiness(plain: float, viewed: Floats, threshold: float) -> Steadiness:
    """plain: calibrated log-odds of the answer; viewed: (views,), those of its views."""
    chances = 1 / (1 + np.exp(-np.append(viewed, plain)))
    return Steadiness(float(chances.min()), float(chances.max()), float(doubts(plain, viewed, threshold)))


def doubts(plain: Floats | float, viewed: Floats, threshold: float) -> Floats:
    """Chance that another view turns each call; plain (n,), viewed (n, views), both calibrated log-odds."""
    spread = np.sqrt(np.mean((viewed - np.asarray(plain)[..., None]) ** 2, axis=-1) + FLOOR**2)
    share = min(max(threshold, 1e-12), 1 - 1e-12)
    distance = np.abs(plain - math.log(share / (1 - share)))
    return np.asarray(0.5 * (1 + np.vectorize(math.erf)(-distance / spread / math.sqrt(2))))
