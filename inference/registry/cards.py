"""A model card as a page: the nested record that training wrote, in headings, facts and tables.

The card is data of the model version. Nothing is known here about its keys but how an
interval looks, so that a new figure needs no new code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from inference.training.cards.card_page import SOURCE_COLUMNS, source_cells
from language.numbers import localised

ESTIMATES = ("value", "estimate", "point")
LOWS = ("low", "lower")
HIGHS = ("high", "upper")
WHOLE = "Also"
BY_SOURCE = "By source"
FIRST = (
    "intended_use", "limits", "known_biases", "evaluation", "by_source", "held_out", "against_baseline",
    "figures", "confound", "heat", "explanations", "selective", "held_out_by_severity", "held_out_by_week",
    "held_out_phantoms", "data", "split", "counts",
)  # fmt: skip
DRAWN = frozenset(
    {
        "answers", "held_out_answers", "held_out_odds", "held_out_kinds", "confound_odds", "selective_curve",
        "widened", "calls", "predictive_values", "positive_predictive_value", "negative_predictive_value",
    }
)  # fmt: skip
"""Shown as charts (charts.card_plots), in words (registry.call_figures), or kept to compute a figure again.
Predictive values of older cards are not shown: they held at a prevalence that nobody has."""
HEADLINES = {
    "auc": "AUC",
    "auroc": "AUROC",
    "roc_auc": "ROC AUC",
    "sensitivity": gettext_noop("Sensitivity"),
    "specificity": gettext_noop("Specificity"),
}
PARTS = {"Held out": gettext_noop("held out")}
"""Parts of a card whose figures stand on other pages too: in the language of whoever looks."""
ABBREVIATIONS = {"auc": "AUC", "auroc": "AUROC", "roc": "ROC", "ece": "ECE", "id": "ID", "sha256": "SHA-256"}


@dataclass(frozen=True)
class Table:
    """Rows that share their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One part of a card. level: 2 for a part of the card, 3 for a part of a part."""

    title: str
    level: int
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()


def sections(card: Mapping[str, Any]) -> list[Section]:
    """The card in reading order: each part, and last what stands in none."""
    return list(_sections(WHOLE, card, 2))


def headlines(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures that stand for the whole, from the first part of the card that has any."""
    for title, part in _parts("", card):
        found = [(gettext(name), part[key]) for key, name in HEADLINES.items() if _is_figure(part.get(key))]
        if found:
            place = f", {gettext(PARTS[title]) if title in PARTS else title.lower()}" if title else ""
            return [(name + place, in_figures(figure)) for name, figure in found]
    return []


def headline(card: Mapping[str, Any], key: str) -> Any:
    """One of HEADLINES as the card has it, from the part that `headlines` is from; None without one."""
    for _, part in _parts("", card):
        if any(_is_figure(part.get(name)) for name in HEADLINES):
            return part.get(key) if _is_figure(part.get(key)) else None
    return None


def in_figures(value: Any) -> str:
    """A figure of a headline; the card itself is in English, as it was written."""
    interval = _ends(value) if isinstance(value, Mapping) else None
    if interval is None:
        return localised(text(value))
    middle, low, high = (localised(end) for end in interval)
    if "count" not in value:
        return gettext("{middle} ({low} to {high})").format(middle=middle, low=low, high=high)
    sentence = gettext("{middle} ({low} to {high}, n = {count})")
    return sentence.format(middle=middle, low=low, high=high, count=value["count"])


def words(key: str) -> str:
    """A key as a heading: area_under_curve -> Area under curve."""
    parts = [ABBREVIATIONS.get(part, part) for part in str(key).split("_")]
    first = parts[0] if parts[0].isupper() else parts[0][:1].upper() + parts[0][1:]
    return " ".join([first, *parts[1:]])


def text(value: Any) -> str:
    """A leaf as people read it; an interval as "0.91 (0.86 to 0.95)"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return _interval(value) or ", ".join(f"{words(key)}: {text(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(text(item) for item in value)
    return "–" if value is None else str(value)


def _sections(title: str, part: Mapping[str, Any], level: int) -> Iterator[Section]:
    keys = sorted((key for key in part if key not in DRAWN), key=_place)
    facts = tuple((words(key), text(part[key])) for key in keys if _is_fact(part[key]))
    is_whole = title == WHOLE
    if facts and not is_whole:
        yield Section(title, level, facts=facts)
    for key in keys:
        if not _is_fact(part[key]):
            yield from _of_its_own(words(key), part[key], level if is_whole else level + 1)
    if facts and is_whole:
        yield Section(title, level, facts=facts)


def _of_its_own(title: str, value: Any, level: int) -> Iterator[Section]:
    if isinstance(value, str):
        yield Section(title, level, paragraphs=(value,))
    elif title == BY_SOURCE and _is_table(value):
        yield Section(title, level, tables=(Table(SOURCE_COLUMNS, tuple(map(source_cells, value))),))
    elif _is_table(value):
        yield Section(title, level, tables=(_table(value),))
    elif isinstance(value, list):
        yield Section(title, level, items=tuple(text(item) for item in value))
    elif _alike(value):
        yield Section(title, level, tables=(_matrix(value),))
    else:
        yield from _sections(title, value, level)


def _place(key: str) -> tuple[int, str]:
    """The database keeps no order: what a reader needs first comes first, the rest by name."""
    return (FIRST.index(key) if key in FIRST else len(FIRST), key)


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return Table(
        tuple(words(key) for key in keys),
        tuple(tuple(text(row.get(key)) for key in keys) for row in rows),
    )


def _matrix(parts: Mapping[str, Mapping[str, Any]]) -> Table:
    return _table([{"": words(name)} | dict(part) for name, part in parts.items()])


def _parts(title: str, card: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The card and every part of it, in reading order."""
    yield title, card
    for key in sorted(card, key=_place):
        if _is_part(card[key]):
            yield from _parts(words(key), card[key])


def _is_fact(value: Any) -> bool:
    """Short enough to stand on one line beside its name."""
    is_prose = isinstance(value, str) and len(value) > 80
    return not (is_prose or _is_part(value) or _is_table(value) or _is_prose_list(value))


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) and not _interval(value)


def _alike(part: Mapping[str, Any]) -> bool:
    """Several parts with the same keys and no parts of their own are rows of one table."""
    inner = [value for value in part.values() if _is_part(value)]
    flat = all(not _is_part(leaf) and not _is_table(leaf) for value in inner for leaf in value.values())
    return len(inner) > 1 and len(inner) == len(part) and flat and len({frozenset(v) for v in inner}) == 1


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_prose_list(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, str) and " " in item for item in value)


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) or bool(isinstance(value, Mapping) and _interval(value))


def _interval(value: Mapping[str, Any]) -> str:
    ends = _ends(value)
    if ends is None:
        return ""
    middle, low, high = ends
    count = f", n = {value['count']}" if "count" in value else ""
    return f"{middle} ({low} to {high}{count})"


def _ends(value: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Middle, low and high of an interval, with as many decimals each; None for what is none."""
    middle, low, high = (_first(value, names) for names in (ESTIMATES, LOWS, HIGHS))
    if middle is None or low is None or high is None:
        return None
    if max(abs(middle), abs(low), abs(high)) <= 1:
        return f"{middle:.3f}", f"{low:.3f}", f"{high:.3f}"
    return text(middle), text(low), text(high)


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if name in value), None)
