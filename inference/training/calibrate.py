"""From logits to honest probabilities, and the threshold for a named target."""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from inference.engine.predict import calibrated

Floats = NDArray[np.float64]
Truth = NDArray[np.int64]
RANGE = (0.25, 20.0)


def fit_temperature(logits: Floats, truth: Truth) -> float:
    """The temperature that makes held-out answers most likely; classes weigh the same."""
    weights = np.where(truth == 1, 0.5 / max((truth == 1).sum(), 1), 0.5 / max((truth == 0).sum(), 1))

    def loss(log_temperature: float) -> float:
        chances = calibrated(logits, float(np.exp(log_temperature)))
        right = chances[np.arange(len(truth)), truth]
        return float(-(weights * np.log(np.maximum(right, 1e-12))).sum())

    low, high = np.log(RANGE[0]), np.log(RANGE[1])
    found = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded")
    return float(np.exp(found.x))


def threshold_for_sensitivity(chances: Floats, truth: Truth, target: float) -> float:
    """The highest threshold that still finds `target` of the held-out positives."""
    positive = np.sort(chances[truth == 1])
    missed = int((1 - target) * len(positive) + 1e-9)
    return float(positive[missed])
