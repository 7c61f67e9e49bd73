"""A card's figures by source (`fitness.by_source`), read without trust: a card may be anybody's."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from inference.engine.fitness.by_source import Measure, SourceFigure, SourceLabel, Unit

EVALUATION, BY_SOURCE = "evaluation", "by_source"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "label": get_args(SourceLabel),
    "measure": get_args(Measure),
    "unit": get_args(Unit),
}


def figures_of(evaluation: Any) -> list[SourceFigure]:
    """The rows of an evaluation. What is no such row counts for nothing: no figure is no proof."""
    rows = evaluation.get(BY_SOURCE) if isinstance(evaluation, Mapping) else None
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return []
    return [row for row in rows if _is_figure(row)]


def about(row: SourceFigure) -> tuple[Any, ...]:
    """What it is a figure of: a later one of the same takes its place."""
    return row["source"], row["label"], row["measure"], row["unit"], row["shown_only"], row["learnt_from"]


def _is_figure(row: Any) -> bool:
    if not isinstance(row, Mapping) or not SourceFigure.__required_keys__ <= set(row):
        return False
    return (
        isinstance(row["source"], str)
        and isinstance(row["count"], int)
        and all(_is_share(row[name]) for name in ("value", "low", "high"))
        and all(row[name] in choices for name, choices in CHOICES.items())
        and all(isinstance(row[name], bool) for name in ("learnt_from", "shown_only"))
    )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
