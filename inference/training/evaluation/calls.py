"""How often the leading version is undecided, how often a decided call is wrong, how often a call is right.

All from what a card keeps: the held-out answers with their views, and the figures of its operating point. The
rule is that of the calls people see (inference.engine.uncertainty.undecided), with its default limits.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inference.engine.records import LABELS, POSITIVE, WeightsRecord
from inference.engine.uncertainty.steadiness import steadiness
from inference.engine.uncertainty.undecided import Limits, Said, doubts_about
from inference.training.evaluation.curves import answers
from inference.training.evaluation.figures import Floats, wilson

RESTS_ON = (
    "the held-out answers of this card, called at the threshold in use, which was chosen on the same "
    "answers; others: {others}"
)
NO_OTHERS = "none, so that only unsteady answers are undecided"


def undecided(card: Mapping[str, Any], threshold: float, others: Sequence[WeightsRecord]) -> dict[str, Any]:
    """How often this version leaves a picture undecided when it leads, and errs where it decides.

    others: versions that answer beside it; only those that were measured on the same pictures are asked.
    Empty where the card keeps no answers with views, so that nothing is made up.
    """
    odds = card.get("held_out_odds")
    if not odds or not card.get("held_out_answers"):
        return {}
    truth, _, _ = answers(card["held_out_answers"])
    asked = [one for one in others if _same_pictures(one.card, card)]
    theirs = [
        _labels(np.asarray(one.card["held_out_odds"], np.float64)[:, 0], one.threshold) for one in asked
    ]
    said = [_said(np.asarray(row, np.float64), threshold) for row in odds]
    open_ = np.array(
        [bool(doubts_about(one, [labels[n] for labels in theirs], Limits())) for n, one in enumerate(said)]
    )
    wrong = np.array([one.label != LABELS[label] for one, label in zip(said, truth, strict=True)])
    names = [f"{one.network} {one.version}" for one in asked]
    return {
        "undecided": _count(int(open_.sum()), len(truth)),
        "decided_and_wrong": _count(int((wrong & ~open_).sum()), int((~open_).sum())),
        "wrong_without_the_rule": _count(int(wrong.sum()), len(truth)),
        "others": names,
        "rests_on": RESTS_ON.format(others=", ".join(names) or NO_OTHERS),
    }


def right_calls(held_out: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of each call, how many were made on held-out pictures and how many of these were right.

    held_out: sensitivity and specificity with their counts, from which the two-by-two table follows exactly;
    empty where either was not measured.
    """
    sensitivity, specificity = held_out.get("sensitivity") or {}, held_out.get("specificity") or {}
    if not sensitivity.get("count") or not specificity.get("count"):
        return {}
    hits = round(sensitivity["value"] * sensitivity["count"])
    clears = round(specificity["value"] * specificity["count"])
    misses, alarms = round(sensitivity["count"]) - hits, round(specificity["count"]) - clears
    return {POSITIVE: _count(hits, hits + alarms), "normal": _count(clears, clears + misses)}


def count_words(one: Mapping[str, float]) -> str:
    """ "41 of 43; 95 % interval 0.85 to 0.99"."""
    low, high = shown_share(one)
    interval = f"{low} to {high}" if low and high else f"from {low} on" if low else f"up to {high}"
    return f"{one['count']} of {one['of']}; 95 % interval {interval}"


def shown_share(one: Mapping[str, float]) -> tuple[str, str]:
    """Both ends of the interval, rounded outwards; "" for an end that would be 0 or 1: nothing is certain."""
    low, high = math.floor(100 * one["low"]) / 100, math.ceil(100 * one["high"]) / 100
    if one["count"] == one["of"] and one["of"]:
        return f"{low:.2f}", ""
    return ("" if one["count"] == 0 else f"{low:.2f}"), f"{min(high, 0.99):.2f}"


def _count(hits: int, of: int) -> dict[str, float]:
    figure = wilson(hits, of)
    return {"count": hits, "of": of, "low": round(figure.low, 4), "high": round(figure.high, 4)}


def _said(odds: Floats, threshold: float) -> Said:
    steady = steadiness(float(odds[0]), odds[1:], threshold)
    label = _labels(odds[:1], threshold)[0]
    return Said(label, threshold, steady.low, steady.high, steady.doubt)


def _labels(odds: Floats, threshold: float) -> list[str]:
    chances = 1 / (1 + np.exp(-odds))
    return [LABELS[int(chance >= threshold)] for chance in chances]


def _same_pictures(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if not one.get("held_out_odds") or not one.get("held_out_answers"):
        return False
    return _pictures(one) == _pictures(other)


def _pictures(card: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Truth and group of each picture; groups by their first picture, since each card numbers them anew."""
    truth, _, groups = answers(card["held_out_answers"])
    first: dict[str, int] = {}
    return truth.tolist(), [first.setdefault(group, n) for n, group in enumerate(groups.tolist())]
