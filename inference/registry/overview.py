"""The figures of all versions in one table: what holds elsewhere first, then what was held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from inference.engine.fitness import Condition, Fitness
from inference.models import ModelVersion
from inference.registry import cards
from language.numbers import localised

COLUMNS = {
    "worst": gettext_lazy("Worst source left out: not alarmed"),
    "found": gettext_lazy("Ventriculomegaly found"),
    "auc": gettext_lazy("AUC, held out"),
    "sensitivity": gettext_lazy("Sensitivity, held out"),
    "specificity": gettext_lazy("Specificity, held out"),
}
"""By what the address calls them."""
SORTS = (*COLUMNS, "network")
OF_THE_RULE = {"worst": "specificity", "found": "sensitivity"}
"""Columns that are asked for by a condition of the rule for use: its code."""


@dataclass(frozen=True)
class Figure:
    """A share between 0 and 1 and its 95 % interval. note: of which source; fails: less than is asked for."""

    value: float
    low: float | None = None
    high: float | None = None
    count: int | None = None
    note: str = ""
    fails: bool = False

    @property
    def in_words(self) -> str:
        """ "0.931 (0.880 to 0.960, n = 214)", as far as it is known."""
        said = {"value": self.value, "low": self.low, "high": self.high, "count": self.count}
        return cards.in_figures({name: value for name, value in said.items() if value is not None})

    @property
    def spread(self) -> str:
        """ "0.880 to 0.960"; "" without an interval."""
        if self.low is None or self.high is None:
            return ""
        ends = (localised(f"{end:.3f}") for end in (self.low, self.high))
        return gettext("{low} to {high}").format(**dict(zip(("low", "high"), ends, strict=True)))

    @property
    def bar(self) -> tuple[float, float, float] | None:
        """Where the interval begins, how long it is and where the value lies, in hundredths."""
        if self.low is None or self.high is None:
            return None
        return 100 * self.low, 100 * (self.high - self.low), 100 * self.value


@dataclass(frozen=True)
class Row:
    """A version with its figures in the order of COLUMNS; None where nothing is known."""

    version: ModelVersion
    fitness: Fitness
    figures: tuple[Figure | None, ...]


def rows(
    versions: Sequence[ModelVersion], judged: Mapping[Any, Fitness], sort: str = ""
) -> dict[str, list[Row]]:
    """By the modality's name. sort: of SORTS; else those in use first, the best worst source above."""
    found = [Row(one, judged[one.pk], _figures(one, judged[one.pk])) for one in versions]
    found.sort(key=lambda row: (row.version.network, row.version.created_at))
    if sort in COLUMNS:
        found.sort(key=lambda row: _height(row, sort), reverse=True)
    elif sort != "network":
        found.sort(key=lambda row: _height(row, "worst"), reverse=True)
        found.sort(key=lambda row: row.version.state != ModelVersion.State.ACTIVE)
    by_modality: dict[str, list[Row]] = {}
    for row in sorted(found, key=lambda row: row.version.modality):
        by_modality.setdefault(row.version.get_modality_display(), []).append(row)
    return by_modality


def _height(row: Row, column: str) -> float:
    figure = row.figures[list(COLUMNS).index(column)]
    return -1.0 if figure is None else figure.value


def _figures(version: ModelVersion, fitness: Fitness) -> tuple[Figure | None, ...]:
    of_the_rule: dict[str, Condition] = {one.code: one for one in fitness.conditions}
    found = []
    for column in COLUMNS:
        if column in OF_THE_RULE:
            condition = of_the_rule[OF_THE_RULE[column]]
            said = condition.parameters
            figure = _figure(said, note=str(said.get("source", "")), fails=condition.state == "fails")
        else:
            figure = _figure(cards.headline(version.card, column))
        found.append(figure)
    return tuple(found)


def _figure(said: Any, *, note: str = "", fails: bool = False) -> Figure | None:
    """Read without trust: a card may be anybody's."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        said = {"value": said}
    ends = [_share(said, names) for names in (cards.ESTIMATES, cards.LOWS, cards.HIGHS)]
    if ends[0] is None:
        return None
    count = said.get("count")
    return Figure(ends[0], ends[1], ends[2], count if isinstance(count, int) else None, note, fails)


def _share(said: Any, names: Sequence[str]) -> float | None:
    value = next((said[name] for name in names if name in said), None) if isinstance(said, Mapping) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        return None
    return float(value)
