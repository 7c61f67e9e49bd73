"""From findings to at most three ranked actions, or the reason to stop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cases.advice.findings import FINDINGS, Finding
from cases.advice.rulebook import Action, Rule, Rulebook
from cases.advice.values import Values, band_of
from language.marks import gettext_noop

Stop = Literal["", "nothing_helps", "time_spent", "refer", "provisional"]
STOPS: dict[str, str] = {
    "nothing_helps": gettext_noop("Nothing further is expected to help: the acquisition can end here."),
    "provisional": gettext_noop(
        "A width is provisional: its measuring plane is not confirmed. The acquisition does not end on it."
    ),
    "time_spent": gettext_noop("The time set aside for further acquisitions is spent."),
    "refer": gettext_noop(
        "Doubt remains that no further acquisition is expected to settle: ask another reader, or refer."
    ),
}


@dataclass(frozen=True)
class Reason:
    """A finding beyond the limit of the rule that it calls up."""

    finding: Finding
    rule: Rule

    def as_json(self) -> dict[str, Any]:
        """As an advice keeps it."""
        limits = {"threshold": self.rule.least, "rule": self.rule.id, "source": self.rule.source}
        return {**self.finding.as_json(), "words": FINDINGS[self.finding.name], **limits}


@dataclass(frozen=True)
class Suggestion:
    """What to do next. bits: expected drop in entropy, None where it was never simulated."""

    action: Action
    scan: int | None
    reasons: tuple[Reason, ...]
    bits: float | None

    @property
    def is_must(self) -> bool:
        """Asked for whatever the models say."""
        return any(reason.rule.must for reason in self.reasons)

    @property
    def key(self) -> tuple[str, int | None]:
        """The same thing asked for again has the same key."""
        return self.action.id, self.scan

    def as_json(self) -> dict[str, Any]:
        """As an advice keeps it."""
        return {
            "action": self.action.id,
            "says": self.action.says,
            "seconds": self.action.seconds,
            "cost_source": self.action.source,
            "scan": self.scan,
            "expected_bits": None if self.bits is None else round(self.bits, 4),
            "must": self.is_must,
            "why": [reason.as_json() for reason in self.reasons],
        }


@dataclass(frozen=True)
class Counsel:
    """suggestions: best first. stop: why there is none, else ""."""

    suggestions: tuple[Suggestion, ...]
    stop: Stop


def advise(
    findings: Sequence[Finding],
    rules: Rulebook,
    table: Values,
    *,
    probability: float | None = None,
    spent_seconds: float = 0.0,
    settled: Iterable[tuple[str, int | None]] = (),
    is_open: bool = False,
) -> Counsel:
    """Rank what could be done next.

    probability: of the present answer, None while there is none or it may not be told. settled: keys of what
    was already answered, which is not asked for twice. is_open: a width is provisional, so that nothing ends.
    """
    band = band_of(probability)
    asked = _suggestions(findings, rules, table, band)
    worth = [one for one in asked if one.is_must or one.bits is None or one.bits >= rules.floor_bits]
    answered = set(settled)
    left = sorted((one for one in worth if one.key not in answered), key=_rank)
    fits = [one for one in left if spent_seconds + one.action.seconds <= rules.budget_seconds]
    if fits:
        return Counsel(tuple(fits[: rules.most_advice]), "")
    if left:
        return Counsel((), "time_spent")
    if is_open:
        return Counsel((), "provisional")
    in_doubt = any(finding.is_telling for finding in _exceeding(findings, rules))
    return Counsel((), "refer" if in_doubt else "nothing_helps")


def _suggestions(findings: Sequence[Finding], rules: Rulebook, table: Values, band: Any) -> list[Suggestion]:
    """One for each action and scan, with every finding that calls for it."""
    grouped: dict[tuple[str, int | None], list[Reason]] = {}
    for finding in findings:
        for rule in rules.of(finding.name, finding.modality):
            if finding.value >= rule.least:
                grouped.setdefault((rule.action.id, finding.scan), []).append(Reason(finding, rule))
    return [_suggestion(scan, reasons, table, band) for (_, scan), reasons in grouped.items()]


def _suggestion(scan: int | None, reasons: list[Reason], table: Values, band: Any) -> Suggestion:
    action = reasons[0].rule.action
    known = [
        bits
        for reason in reasons
        for bits in [table.expected(reason.finding.modality, action.id, reason.finding.name, band)]
        if bits is not None
    ]
    return Suggestion(action, scan, tuple(reasons), max(known) if known else None)


def _rank(one: Suggestion) -> tuple[bool, bool, float, str, int]:
    """Musts first, then the most bits for a second; what was never simulated comes last."""
    rate = 0.0 if one.bits is None else one.bits / max(one.action.seconds, 1.0)
    return (not one.is_must, one.bits is None, -rate, one.action.id, one.scan or 0)


def _exceeding(findings: Sequence[Finding], rules: Rulebook) -> list[Finding]:
    return [
        one for one in findings if any(one.value >= rule.least for rule in rules.of(one.name, one.modality))
    ]
