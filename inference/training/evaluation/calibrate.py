"""From logits to honest probabilities, and the threshold for a named target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from inference.engine.predict import calibrated

Floats = NDArray[np.float64]
Truth = NDArray[np.int64]
RANGE = (0.25, 20.0)
TargetName = Literal["sensitivity", "specificity"]


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


@dataclass(frozen=True)
class Target:
    """What a threshold is chosen for: a share of the positives found, or of the negatives left in peace."""

    name: TargetName
    share: float

    def __str__(self) -> str:
        return f"{self.name} {self.share:.0%} on held-out groups"

    @property
    def on_worst_source(self) -> str:
        """The same where it is reached on each source by a network that learnt nothing from its hospital."""
        return f"{self.name} {self.share:.0%} on the worst source left out of training"


def target_of(text: str) -> Target:
    """The target in words such as "sensitivity=0.95". Raises ValueError with a sentence."""
    name, _, share = text.partition("=")
    try:
        wanted = float(share or 0.9)
    except ValueError:
        wanted = math.nan
    known = {str(kind): kind for kind in get_args(TargetName)}
    if name not in known or not 0 < wanted < 1:
        raise ValueError(f"A target is sensitivity=SHARE or specificity=SHARE, not {text}.")
    return Target(known[name], wanted)


def threshold_for(chances: Floats, truth: Truth, target: Target) -> float:
    """The threshold nearest to the middle that still reaches the target on these answers.

    A scan is called from the threshold on; nan without answers of the class that the target is about.
    """
    if target.name == "sensitivity":
        positive = np.sort(chances[truth == 1])
        missed = int((1 - target.share) * len(positive) + 1e-9)
        return float(positive[missed]) if len(positive) else math.nan
    negative = np.sort(chances[truth == 0])[::-1]
    called = int((1 - target.share) * len(negative) + 1e-9)
    return float(np.nextafter(negative[called], 2)) if len(negative) else math.nan


def cross_fitted_calls(
    chances: Floats, truth: Truth, folds: Sequence[NDArray[np.bool_]], target: Target
) -> Truth:
    """Each answer called by a threshold that was chosen on the other folds: the honest operating point."""
    called = np.zeros(len(truth), np.int64)
    for held_out in folds:
        threshold = threshold_for(chances[~held_out], truth[~held_out], target)
        called[held_out] = chances[held_out] >= threshold
    return called
