"""What the doubt beside an answer is worth: how often answers are wrong once the doubted ones are set aside.

Risk over coverage and the area under it (Geifman and El-Yaniv 2017); the less, the better. It is shown beside
the same for the bare distance of the probability from the threshold, which costs nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.training.evaluation.figures import Figure, Floats, Groups, Truth, group_draws

RESAMPLES = 400
POINTS = 21
SURE = (0.8, 0.5)
"""Shares of the answers that are kept, beside all of them."""


def risk_area(wrong: Floats, doubt: Floats) -> float:
    """Mean share of wrong answers among the surest 1, 2, ... all of them."""
    return float(_risks(wrong, doubt).mean())


def selective(truth: Truth, called: Truth, doubt: Floats, distance: Floats, groups: Groups) -> dict[str, Any]:
    """Accuracy of the surest answers, and the areas by doubt and by distance from the threshold.

    distance: from the threshold, in log-odds; the larger, the surer. Intervals from drawing whole groups.
    """
    if not len(truth):
        return {}
    wrong = (called != truth).astype(np.float64)
    draws = list(group_draws(truth, groups, RESAMPLES))

    def figure(measure: Callable[[NDArray[np.int64]], float]) -> dict[str, float | None]:
        low, high = np.percentile([measure(rows) for rows in draws], [2.5, 97.5])
        return Figure(measure(np.arange(len(truth))), float(low), float(high), len(truth)).as_json()

    found = {"accuracy_of_all": figure(lambda rows: 1 - float(wrong[rows].mean()))}
    for share in SURE:
        name = f"accuracy_of_the_surest_{share:.0%}".replace("%", "_percent")
        found[name] = figure(lambda rows, share=share: 1 - _risk_at(wrong[rows], doubt[rows], share))  # type: ignore[misc]
    return found | {
        "area_by_doubt": figure(lambda rows: risk_area(wrong[rows], doubt[rows])),
        "area_by_distance": figure(lambda rows: risk_area(wrong[rows], -distance[rows])),
        "doubt_minus_distance": figure(
            lambda rows: risk_area(wrong[rows], doubt[rows]) - risk_area(wrong[rows], -distance[rows])
        ),
    }


def selective_curve(truth: Truth, called: Truth, doubt: Floats, distance: Floats) -> list[list[float]]:
    """Points: share answered, share wrong by doubt, share wrong by distance."""
    wrong = (called != truth).astype(np.float64)
    shares = np.linspace(0.05, 1, POINTS - 1) if len(wrong) else np.zeros(0)
    return [
        [
            round(float(share), 3),
            round(_risk_at(wrong, doubt, share), 4),
            round(_risk_at(wrong, -distance, share), 4),
        ]
        for share in shares
    ]


def _risks(wrong: Floats, doubt: Floats) -> Floats:
    order = np.argsort(doubt, kind="stable")
    return np.asarray(np.cumsum(wrong[order]) / np.arange(1, len(wrong) + 1))


def _risk_at(wrong: Floats, doubt: Floats, share: float) -> float:
    return float(_risks(wrong, doubt)[max(1, round(share * len(wrong))) - 1])
