"""One row of the table: what was asked of which source, what came of it, and what was aimed at."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inference.training.evaluation.figures import Figure, auc, bootstrap, wilson


@dataclass(frozen=True)
class Row:
    """value with its 95 % interval. least, most: what is aimed at; None where nothing is.

    seen: how far what answered knew these pictures: "kept apart", "learnt from", "never seen".
    """

    what: str
    source: str
    value: float
    low: float
    high: float
    count: int
    unit: str = ""
    least: float | None = None
    most: float | None = None
    seen: str = ""

    @property
    def has_goal(self) -> bool:
        """Whether something is aimed at."""
        return self.least is not None or self.most is not None

    @property
    def reached(self) -> bool | None:
        """Whether the value is what was aimed at; None where nothing was."""
        if not self.has_goal or math.isnan(self.value):
            return None
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )


def share(what: str, source: str, hits: Sequence[bool], **more: Any) -> Row:
    """How many of them, with Wilson's interval."""
    figure: Figure = wilson(sum(map(bool, hits)), len(hits))
    return Row(what, source, figure.value, figure.low, figure.high, figure.count, **more)


def mean(what: str, source: str, values: Sequence[float], unit: str, **more: Any) -> Row:
    """Their mean, with the interval of a normal distribution."""
    numbers = np.asarray(values, np.float64)
    half = 1.96 * float(numbers.std(ddof=1)) / math.sqrt(len(numbers)) if len(numbers) > 1 else math.nan
    value = float(numbers.mean()) if len(numbers) else math.nan
    return Row(what, source, value, value - half, value + half, len(numbers), unit, **more)


def separation(what: str, source: str, cases: Sequence[float], others: Sequence[float], **more: Any) -> Row:
    """How well scores of cases lie above those of others: AUC with an interval over redrawn ones."""
    if not cases or not others:
        return Row(what, source, math.nan, math.nan, math.nan, 0, **more)
    truth = np.array([1] * len(cases) + [0] * len(others))
    groups = np.array([f"{number}" for number in range(len(truth))])
    found = bootstrap(auc, truth, np.array([*cases, *others]), groups)
    return Row(what, source, found.value, found.low, found.high, found.count, **more)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For other programs; what is not a number is null."""
    return [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(row).items()}
        | {"reached": row.reached}
        for row in rows
    ]


def as_text(rows: Sequence[Row]) -> str:
    """For people, as a table in Markdown."""
    lines = ["| what | source | value (95 %) | count | aim | |", "|---|---|---|---|---|---|"]
    for row in rows:
        aim = (
            f">= {row.least:g}"
            if row.least is not None
            else f"<= {row.most:g}"
            if row.most is not None
            else ""
        )
        word = {True: "reached", False: "missed", None: ""}[row.reached]
        value = f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f}) {row.unit}".strip()
        said = ", ".join(part for part in (word, row.seen) if part)
        lines.append(f"| {row.what} | {row.source} | {value} | {row.count} | {aim} | {said} |")
    return "\n".join(lines)
