"""How steady an answer is: the same picture held a little differently, eight times.

An answer that lies far from the threshold and hardly moves is worth more than one that lies as far and jumps.
Wang et al. 2019 (Neurocomputing 338) call it test-time augmentation; what the doubt that comes of it is worth
is measured on every model card, beside the bare distance to the threshold.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from inference.engine.uncertainty.steadiness import Floats

Logits = Callable[[NDArray[np.float32]], Floats]


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


def viewed_logits(logits_of: Logits, tensor: NDArray[np.float32]) -> Floats:
    """Logits (views, n, 2) of a prepared tensor (n, 1, size, size) in every view."""
    pictures = torch.from_numpy(np.ascontiguousarray(tensor))
    return np.stack([logits_of(view.of(pictures).numpy()) for view in VIEWS])
