"""The rule that decides whether a version may be relied on, as data; and what a card says to it.

A version meets the rule when every condition holds. A condition that no figure speaks to does not hold. What
does not meet it answers only where nothing better is in use, marked as experimental (docs/decisions/0040).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from inference.engine.fitness.by_source import SourceFigure
from inference.engine.fitness.figures import BY_SOURCE, EVALUATION, about, figures_of
from inference.engine.fitness.gates import GateFigure, gate_figures
from inference.engine.records import WeightsRecord

Code = Literal["specificity", "sensitivity", "gate_heads", "gate_others"]
State = Literal["holds", "fails", "unknown"]
LEAST_COUNT = 5
"""Cases or pictures from which on a share of them says anything."""


@dataclass(frozen=True)
class Rule:
    """What is asked of a version of one modality, at its shipped threshold.

    specificity: least share of normals not alarmed, of each source left out of training. sensitivity: least
    share of ventriculomegaly found. heads_refused: largest share of a source's heads that the input gate
    turns away; others_refused: least share that it turns away of what is no head.
    one_source: classes of which only one source is at hand, so that nothing can be left out: figures held out
    by group count there, and are said to be of one source.
    """

    specificity: float
    sensitivity: float
    heads_refused: float
    others_refused: float
    one_source: frozenset[str]


RULES: Mapping[str, Rule] = {
    "ultrasound": Rule(
        specificity=0.85,
        sensitivity=0.80,
        heads_refused=0.05,
        others_refused=0.97,
        one_source=frozenset({"ventriculomegaly"}),
    ),
    "mri": Rule(
        specificity=0.90,
        sensitivity=0.80,
        heads_refused=0.05,
        others_refused=0.95,
        one_source=frozenset({"normal", "ventriculomegaly"}),
    ),
}
"""The one place of these numbers."""


@dataclass(frozen=True)
class Condition:
    """One part of the rule.

    parameters: limit, and where it is known value, count, source, low, high, and one_source: whether a single
    source was asked. detail: the sentence, in English.
    """

    code: Code
    state: State
    parameters: Mapping[str, Any]
    detail: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """In English, as they are kept: the finding, and that no other source was tried where that is so."""
        why = "No other source was tried."
        return (self.detail, why) if self.parameters.get("one_source") else (self.detail,)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "code": self.code,
            "state": self.state,
            "parameters": dict(self.parameters),
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Fitness:
    """What became of each condition."""

    conditions: tuple[Condition, ...]

    @property
    def holds(self) -> bool:
        """Whether the version meets the rule."""
        return all(one.state == "holds" for one in self.conditions)

    @property
    def lacking(self) -> tuple[Condition, ...]:
        """What fails and what cannot be told, as the rule has it: why answers are experimental."""
        return tuple(one for one in self.conditions if one.state != "holds")


def fitness_of(record: WeightsRecord) -> Fitness:
    """What the record of a shipped version says to the rule."""
    return fitness(record.card, record.modality, record.preprocessing)


def fitness(
    card: Mapping[str, Any], modality: str, preprocessing: str, later: Iterable[SourceFigure] = ()
) -> Fitness:
    """What a card says to the rule of its modality. later: figures measured since; of a source that the card
    knows already they take the place of its own."""
    rule = RULES[modality]
    figures = list({about(one): one for one in [*figures_of(card.get(EVALUATION)), *later]}.values())
    held = card.get("held_out")
    gate = gate_figures(preprocessing)
    return Fitness(
        (
            _specificity(rule, figures, _held(held, "specificity")),
            _sensitivity(rule, figures, _held(held, "sensitivity")),
            _heads(rule, gate.heads),
            _others(rule, gate.others),
        )
    )


def _specificity(rule: Rule, figures: list[SourceFigure], held: SourceFigure | None) -> Condition:
    limit = rule.specificity
    found, alone = _worst(figures, "normal", "specificity")
    if found:
        source, value, low, high = _told(found)
        detail = (
            f"Of normals of {source}, from which it learnt nothing, {value:.3f} ({low:.3f} to {high:.3f}) "
            f"are not alarmed; at least {limit:.2f} are asked for."
        )
        return _asked("specificity", limit, found, detail, one_source=alone)
    if held and "normal" in rule.one_source:
        _, value, low, high = _told(held)
        detail = (
            f"Of held-out normals {value:.3f} ({low:.3f} to {high:.3f}) are not alarmed; at least "
            f"{limit:.2f} are asked for."
        )
        return _asked("specificity", limit, held, detail, one_source=True)
    return _unknown(
        "specificity",
        limit,
        detail="No source of normals was left out of its training: how many normals of another hospital it "
        "would alarm is not known.",
    )


def _sensitivity(rule: Rule, figures: list[SourceFigure], held: SourceFigure | None) -> Condition:
    limit = rule.sensitivity
    found, alone = _worst(figures, "ventriculomegaly", "sensitivity")
    if found:
        source, value, low, high = _told(found)
        detail = (
            f"Of ventriculomegaly of {source} that shows, none of it learnt from, {value:.3f} ({low:.3f} to "
            f"{high:.3f}) is found; at least {limit:.2f} is asked for."
            if found["shown_only"]
            else f"Of ventriculomegaly of {source}, none of it learnt from, {value:.3f} ({low:.3f} to "
            f"{high:.3f}) is found; at least {limit:.2f} is asked for."
        )
        return _asked("sensitivity", limit, found, detail, one_source=alone)
    if held and "ventriculomegaly" in rule.one_source:
        _, value, low, high = _told(held)
        detail = (
            f"Of held-out ventriculomegaly {value:.3f} ({low:.3f} to {high:.3f}) is found; at least "
            f"{limit:.2f} is asked for."
        )
        return _asked("sensitivity", limit, held, detail, one_source=True)
    return _unknown("sensitivity", limit, detail="How much ventriculomegaly it finds is not known.")


def _told(found: SourceFigure) -> tuple[str, float, float, float]:
    return found["source"], found["value"], found["low"], found["high"]


def _heads(rule: Rule, found: GateFigure | None) -> Condition:
    limit = rule.heads_refused
    if found is None:
        return _unknown("gate_heads", limit, detail="How many heads its input gate turns away is not known.")
    source, value, count = found.source, found.value, found.count
    detail = (
        f"Its input gate turns away {value:.3f} of {count} heads ({source}); at most {limit:.2f} are allowed."
    )
    state: State = "holds" if value <= limit else "fails"
    return Condition("gate_heads", state, {"limit": limit, **vars(found)}, detail)


def _others(rule: Rule, found: GateFigure | None) -> Condition:
    limit = rule.others_refused
    if found is None:
        return _unknown(
            "gate_others", limit, detail="How much that is no head its input gate lets through is not known."
        )
    value, count = found.value, found.count
    detail = (
        f"Its input gate turns away {value:.3f} of {count} pictures of what is no head; at least {limit:.2f} "
        "are asked for."
    )
    state: State = "holds" if value >= limit else "fails"
    return Condition("gate_others", state, {"limit": limit, **vars(found)}, detail)


def _worst(figures: list[SourceFigure], label: str, measure: str) -> tuple[SourceFigure | None, bool]:
    """Of sources that were not learnt from, the one with the lowest value; and whether it is the only one.

    Of each source counts what shows a wide ventricle before all there is, and cases before pictures.
    """
    counting: dict[str, SourceFigure] = {}
    for one in figures:
        fits = (one["label"], one["measure"], one["learnt_from"]) == (label, measure, False)
        if fits and one["count"] >= LEAST_COUNT:
            known = counting.get(one["source"])
            if known is None or _rank(one) > _rank(known):
                counting[one["source"]] = one
    return min(counting.values(), key=lambda one: one["value"], default=None), len(counting) == 1


def _rank(one: SourceFigure) -> tuple[bool, bool]:
    return one["shown_only"], one["unit"] == "case"


def _held(part: Any, measure: str) -> SourceFigure | None:
    """A figure that the card keeps of groups held out, as if it were a source's."""
    figure = part.get(measure) if isinstance(part, Mapping) else None
    if not isinstance(figure, Mapping):
        return None
    told = {"source": "", "label": "normal", "learnt_from": False, "unit": "picture", "shown_only": False}
    found = figures_of({BY_SOURCE: [{**told, "measure": measure, **figure}]})
    return found[0] if found and found[0]["count"] >= LEAST_COUNT else None


def _asked(code: Code, limit: float, found: SourceFigure, detail: str, *, one_source: bool) -> Condition:
    state: State = "holds" if found["value"] >= limit else "fails"
    names = ("source", "value", "low", "high", "count", "unit", "shown_only")
    known = {name: value for name, value in found.items() if name in names}
    alone = one_source or bool(found.get("only_source"))
    return Condition(code, state, {"limit": limit, "one_source": alone, **known}, detail)


def _unknown(code: Code, limit: float, *, detail: str) -> Condition:
    return Condition(code, "unknown", {"limit": limit}, detail)
