"""A card's figures by source: the worst comes first, and what was never learnt from before what was."""

from typing import Any

from inference.engine.fitness.by_source import by_source, least


def row(source: str, value: float, **more: Any) -> dict[str, Any]:
    usual = {
        "label": "normal", "learnt_from": False, "measure": "specificity", "low": value - 0.1,
        "high": value + 0.1, "count": 100, "unit": "picture", "shown_only": False,
    }  # fmt: skip
    return {"source": source, "value": value, **usual, **more}


CARD = {
    "evaluation": {
        "by_source": [
            row("hc18", 0.6, learnt_from=True),
            row("hc18", 0.9),
            row("fetal_planes", 0.8),
            row("collection", 0.7, label="ventriculomegaly", measure="sensitivity", unit="case"),
            row(
                "collection",
                0.8,
                label="ventriculomegaly",
                measure="sensitivity",
                unit="case",
                shown_only=True,
            ),
        ]
    }
}


def test_the_worst_source_comes_first_and_what_was_learnt_from_last() -> None:
    assert [one["value"] for one in by_source(CARD)] == [0.7, 0.8, 0.8, 0.9, 0.6]


def test_the_least_of_a_measure_is_that_of_the_worst_source_never_learnt_from() -> None:
    found = least(CARD, "specificity", label="normal")
    assert found is not None
    assert (found["source"], found["value"]) == ("fetal_planes", 0.8)


def test_ventriculomegaly_that_shows_is_another_figure_than_all_of_it() -> None:
    shown = least(CARD, "sensitivity", label="ventriculomegaly", shown_only=True, unit="case")
    everything = least(CARD, "sensitivity", label="ventriculomegaly", unit="case")
    assert shown is not None
    assert everything is not None
    assert (shown["value"], everything["value"]) == (0.8, 0.7)


def test_a_card_that_was_not_measured_by_source_has_no_rows() -> None:
    assert by_source({}) == []
    assert least({"evaluation": {}}, "auc", label="other") is None
