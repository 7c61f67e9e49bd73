"""What the views of a picture say of its answer: where the probability lies, and the doubt that comes of it.

Arithmetic only, without torch: pages compute with it too.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLOOR = 0.4
"""In log-odds, added to what the views show: eight views that agree do not make an answer certain."""


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
