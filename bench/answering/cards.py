"""Cards: what stands on those of the shipped versions by source, beside what is aimed at.

Nothing is asked anew: the answers were given by networks that had seen nothing of the picture's group, or
nothing of its hospital, and only a training has those.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.answering.table import Row
from inference.engine import catalogue
from inference.engine.fitness.by_source import SourceFigure, by_source
from inference.engine.records import WeightsRecord

WORDS = {
    "specificity": "normals not alarmed",
    "sensitivity": "ventriculomegaly found",
    "auc": "ventriculomegaly: AUC",
}


def rows(_: Path, every: int) -> list[Row]:  # noqa: ARG001 - every group of rows is asked so
    """Of each version the rows of its card, and what its border is worth."""
    return [row for one in catalogue.shipped() for row in (*_by_source(one.record), *_border(one.record))]


def _by_source(record: WeightsRecord) -> Iterator[Row]:
    for one in by_source(record.card):
        shown = " that shows" if one["shown_only"] else ""
        against = f" against {one['label']}" if one["measure"] == "auc" else ""
        yield Row(
            f"{record.name}: {WORDS[one['measure']]}{shown}{against}, by {one['unit']}",
            one["source"],
            one["value"],
            one["low"],
            one["high"],
            one["count"],
            least=aim(one),
            seen="kept apart" if one["learnt_from"] else "never seen",
        )


def aim(one: SourceFigure) -> float | None:
    """What a row should reach; None where nothing is aimed at."""
    if one["measure"] == "specificity":
        if one["label"] == "other":
            return 0.97
        return 0.93 if one["learnt_from"] else 0.85
    if not one["shown_only"] or one["unit"] != "case":
        return None
    if one["measure"] == "sensitivity" or one["label"] == "other":
        return 0.80
    return 0.88


def _border(record: WeightsRecord) -> Iterator[Row]:
    checks = record.card.get("confound") or {}
    for name, what, aims in (
        ("auc_border_only", "border only: AUC", {"most": 0.60}),
        ("border_removed_minus_whole", "border removed: AUC minus whole", {"least": -0.02}),
    ):
        if checks.get(name):
            yield Row(f"{record.name}: {what}", "all", **checks[name], **aims, seen="kept apart")
