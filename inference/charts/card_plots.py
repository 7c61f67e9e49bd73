"""The charts of a model card, drawn from the held-out answers that the card carries."""

from collections.abc import Mapping, Sequence
from typing import Any

from inference.charts.curves import curve_chart, lines_chart, reliability_chart
from inference.charts.svg import PLAIN, Chart, Voice
from inference.training.evaluation.curves import answers, precision_recall, reliability, roc

ROWS = 40
"""Epochs in the table behind a progress chart."""


def charts(card: Mapping[str, Any], voice: Voice = PLAIN) -> list[Chart]:
    """ROC, precision and recall, reliability; none for a card without answers."""
    stored = card.get("held_out_answers")
    if not stored:
        return []
    truth, chances, groups = answers(stored)
    sensitivity, specificity = (_value(card, name) for name in ("sensitivity", "specificity"))
    works = (1 - specificity, sensitivity) if sensitivity is not None and specificity is not None else None
    return [
        curve_chart(
            voice.say("ROC"),
            voice.say(
                "How many are found for how many false alarms. The dot is where the threshold puts it; "
                "the dashed line is chance; the band holds 95 % of redrawn groups."
            ),
            (voice.say("false alarms (1 - specificity)"), voice.say("sensitivity")),
            roc(truth, chances, groups),
            works,
            diagonal=True,
            voice=voice,
        ),
        curve_chart(
            voice.say("Precision and recall"),
            voice.say(
                "How often a call is right for how many are found, where {share} % of the pictures show "
                "ventriculomegaly; it is far lower where fewer do."
            ).format(share=f"{100 * truth.mean():.0f}"),
            (voice.say("sensitivity (recall)"), voice.say("precision")),
            precision_recall(truth, chances, groups),
            None,
            diagonal=False,
            voice=voice,
        ),
        reliability_chart(reliability(truth, chances), voice),
        *_risk_and_coverage(card, voice),
    ]


def _risk_and_coverage(card: Mapping[str, Any], voice: Voice) -> list[Chart]:
    """How often the answers that remain are wrong, once the doubted ones are set aside."""
    points = card.get("selective_curve")
    if not points:
        return []
    names = (voice.say("by doubt"), voice.say("by distance from the threshold"), voice.say("in any order"))
    wrong = points[-1][1]
    lines = [(name, [(row[0], min(row[1 + n], 1.0)) for row in points]) for n, name in enumerate(names[:2])]
    figures = ((row[0], row[1], row[2], wrong) for row in points[1::2])
    rows = tuple(tuple(voice.number(f"{value:.2f}") for value in row) for row in figures)
    answered = voice.say("share answered")
    return [
        lines_chart(
            voice.say("Risk and coverage"),
            voice.say(
                "How often an answer is wrong when only the surest are taken. A line that falls towards the "
                "left means that doubt tells wrong answers from right ones."
            ),
            (answered, voice.say("share of these that is wrong")),
            [*lines, (names[2], [(row[0], wrong) for row in points])],
            (answered, *names),
            rows,
            legend=0.75,  # above what is worth reading: half of the answers are wrong at worst
            voice=voice,
        )
    ]


def progress_chart(points: Sequence[Mapping[str, Any]], voice: Voice = PLAIN) -> Chart | None:
    """What each epoch of a training has said so far: losses and AUCs. None before the first."""
    names = sorted({name for point in points for name in point if _is_drawn(name)})
    if not names:
        return None
    lines = [(name, _line(name, points)) for name in names]
    rows = tuple(
        (
            voice.stored(str(point["stage"])),
            *(voice.number(f"{point[name]:.3f}") if name in point else "" for name in names),
        )
        for point in points[-ROWS:]
    )
    words = voice.say("Loss falls while a network learns; AUC on pictures it has not seen rises.")
    axes = (voice.say("share of the work done so far"), voice.say("value"))
    columns = (voice.say("epoch"), *names)
    return lines_chart(voice.say("Progress"), words, axes, lines, columns, rows, voice=voice)


def _line(name: str, points: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    last = max(float(points[-1]["done"]), 1.0)
    return [(point["done"] / last, min(float(point[name]), 1.0)) for point in points if name in point]


def _is_drawn(name: str) -> bool:
    return "loss" in name or "AUC" in name


def _value(card: Mapping[str, Any], name: str) -> float | None:
    found = card.get("held_out", {}).get(name)
    return float(found["value"]) if found and found.get("value") is not None else None
