"""The figures of a model card that rest on held-out answers, of one network or of several as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.uncertainty.steadiness import doubts, log_odds
from inference.engine.uncertainty.test_time_augmentation import VIEWS, viewed_logits
from inference.training.data.groups import week_of
from inference.training.evaluation.calibrate import Target, cross_fitted_calls
from inference.training.evaluation.calls import right_calls
from inference.training.evaluation.figures import (
    Floats,
    Groups,
    Truth,
    at_threshold,
    auc,
    bootstrap,
    calibration_error,
    wilson,
)
from inference.training.evaluation.selective import selective, selective_curve
from inference.training.fitting.loop import Rows, logits_of

SEVERITIES = ("mild", "moderate", "severe")
Kind = tuple[str, str]
"""Severity and gestational week of a picture, each "" where nobody stated it."""


@dataclass(frozen=True)
class HeldOut:
    """Labelled pictures and what networks that had seen nothing of their groups say about them.

    odds: calibrated log-odds (n, 1 + views), of the picture as it is and of its views.
    """

    truth: Truth
    groups: Groups
    kinds: Sequence[Kind]
    odds: Floats

    @property
    def chances(self) -> Floats:
        """Calibrated probabilities (n,)."""
        return np.asarray(1 / (1 + np.exp(-self.odds[:, 0])))


def held_out_figures(
    held: HeldOut, folds: Sequence[Rows], target: Target, threshold: float, called: Truth | None = None
) -> dict[str, Any]:
    """What a card says about held-out answers, and the answers themselves; plain JSON values only.

    called: each answer at a threshold that its fold had no say in, where a target on all of them is not it.
    """
    if called is None:
        called = cross_fitted_calls(held.chances, held.truth, folds, target)
    real = figures(held.truth, held.chances, called, held.groups)
    doubt = doubts(held.odds[:, 0], held.odds[:, 1:], threshold)
    distance = np.abs(held.odds[:, 0] - np.log(threshold / (1 - threshold)))
    return {
        "held_out": real,
        "held_out_answers": _answers(held),
        "held_out_odds": np.round(held.odds, 3).tolist(),
        "held_out_kinds": [list(kind) for kind in held.kinds],
        "held_out_by_severity": _by(held, called, 0),
        "held_out_by_week": _by(held, called, 1),
        "calls": right_calls(real),
        "selective": selective(held.truth, called, doubt, distance, held.groups),
        "selective_curve": selective_curve(held.truth, called, doubt, distance),
    }


def figures(truth: Truth, chances: Floats, called: NDArray[Any], groups: Groups) -> dict[str, Any]:
    """AUC with an interval over groups, operating point with Wilson's, and the calibration error."""
    found = {"auc": bootstrap(auc, truth, chances, groups)}
    found |= at_threshold(truth, called.astype(float), 0.5)
    error = calibration_error(truth, chances)
    return {**{name: figure.as_json() for name, figure in found.items()}, "calibration_error": error}


def odds_of(
    tensor: NDArray[np.float32],
    plain: Floats,
    folds: Sequence[Rows],
    modules: Sequence[Any],
    temperature: float,
) -> Floats:
    """Calibrated log-odds (n, 1 + views): each picture and its views by the network that had not seen it.

    plain: logits (n, 2) of the pictures as they are.
    """
    found = np.zeros((len(plain), 1 + len(VIEWS)))
    found[:, 0] = log_odds(plain, temperature)
    for mine, module in zip(folds, modules, strict=True):
        found[mine, 1:] = log_odds(viewed_logits(_by_module(module), tensor[mine]), temperature).T
    return found


def _by_module(module: Any) -> Callable[[NDArray[np.float32]], Floats]:
    return lambda pictures: np.asarray(logits_of(module, pictures))


def kinds_of(groups: Groups) -> list[Kind]:
    """Severity and week out of the names of groups that are named after them."""
    heads = [group.split("-")[0] for group in groups.tolist()]
    return [
        (head if head in SEVERITIES else "", week_of(group))
        for head, group in zip(heads, groups.tolist(), strict=True)
    ]


def _answers(held: HeldOut) -> list[list[float]]:
    """Truth, probability and number of the group: whoever doubts a figure can compute it again."""
    _, numbers = np.unique(held.groups, return_inverse=True)
    rows = zip(held.truth.tolist(), held.chances.tolist(), numbers.tolist(), strict=True)
    return [[truth, round(chance, 5), number] for truth, chance, number in rows]


def _by(held: HeldOut, called: Truth, part: int) -> dict[str, Any]:
    """Sensitivity within each severity (part 0) or gestational week (part 1) that is known."""
    values = np.array([kind[part] for kind in held.kinds], np.str_)
    order = SEVERITIES if part == 0 else sorted({value for value in values.tolist() if value})
    found = {}
    for value in order:
        mine = (values == value) & (held.truth == 1)
        if mine.any():
            found[value] = wilson(int(called[mine].sum()), int(mine.sum())).as_json()
    return found
