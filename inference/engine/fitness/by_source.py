"""A card's figures by source: what a version is worth on pictures of a hospital that it never learnt from.

They stand in `card["evaluation"]["by_source"]`, plain JSON, a row for each source and measure.
Nothing here needs torch.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

SourceLabel = Literal["normal", "ventriculomegaly", "other"]
Measure = Literal["specificity", "sensitivity", "auc"]
Unit = Literal["case", "picture"]


class SourceFigure(TypedDict):
    """One figure of one source of pictures, with its 95 % interval.

    label: what the source's pictures are labelled with. learnt_from: whether training saw other patients of
    the source's hospital; False where that whole hospital was left out, or where no picture with this label
    was learnt from. An auc is that of ventriculomegaly against these pictures. count: how many units
    answered; a case is a patient, or a class and a week where no patient is known.
    shown_only: ventriculomegaly that shows a wide ventricle alone.
    refused: how many pictures more the input gate refused; they are no alarms, and are not found either.
    only_source: no other source has pictures of this label, so that label and source cannot be told apart.
    """

    source: str
    label: SourceLabel
    learnt_from: bool
    measure: Measure
    value: float
    low: float
    high: float
    count: int
    unit: Unit
    shown_only: bool
    refused: NotRequired[int]
    only_source: NotRequired[bool]


def by_source(card: Mapping[str, Any]) -> list[SourceFigure]:
    """The card's rows, worst first; empty where a version was not measured by source."""
    rows: Sequence[SourceFigure] = (card.get("evaluation") or {}).get("by_source") or ()
    return worst_first(rows)


def worst_first(rows: Sequence[SourceFigure]) -> list[SourceFigure]:
    """What was never learnt from before what was, and the lowest value first in either."""
    return sorted(rows, key=lambda row: (row["learnt_from"], row["value"], row["source"], row["measure"]))


def least(
    card: Mapping[str, Any],
    measure: Measure,
    *,
    label: SourceLabel,
    learnt_from: bool = False,
    shown_only: bool = False,
    unit: Unit | None = None,
) -> SourceFigure | None:
    """The worst row of a measure; None where none was measured. unit: None takes any."""
    return next(
        (
            row
            for row in by_source(card)
            if (row["measure"], row["label"]) == (measure, label)
            and (row["learnt_from"], row["shown_only"]) == (learnt_from, shown_only)
            and unit in (None, row["unit"])
        ),
        None,
    )
