"""How much hangs on the present answer: where a wrong one is likely, or could not be noticed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cases.protocol.findings import Finding

CHECKER = "risk 1.0"


@dataclass(frozen=True)
class AnswerFacts:
    """What one model version says about a scan. likelihood: of a head that its gate knows, 0 to 1.

    reliable: for each explanation of the called class, whether it can be relied on.
    """

    label: str
    analysable: bool
    refusal: str
    doubt: float | None
    likelihood: float | None
    is_combined: bool
    reliable: tuple[bool, ...]


def scan_risks(number: int, modality: str, answers: Sequence[AnswerFacts]) -> Iterator[Finding]:
    """Risks of one scan; everything here rests on what the models said."""

    def found(name: str, value: float, detail: str = "") -> Finding:
        return Finding(name, value, modality, CHECKER, scan=number, detail=detail, is_telling=True)

    said = [answer for answer in answers if answer.analysable]
    refused = [answer for answer in answers if not answer.analysable]
    if refused and not said:
        yield found("not_analysable", 1.0, refused[0].refusal)
        return
    doubts = [answer.doubt for answer in _leading(said) if answer.doubt is not None]
    if doubts:
        yield found("doubt", max(doubts))
    yield found("models_disagree", float(len({one.label for one in said if not one.is_combined}) > 1))
    known = [answer.likelihood for answer in said if answer.likelihood is not None]
    if known:
        yield found("unfamiliar", 1 - min(known))
    explained = [reliable for answer in said for reliable in answer.reliable]
    if explained:
        yield found("unreliable_explanation", float(not any(explained)))


def _leading(said: Sequence[AnswerFacts]) -> list[AnswerFacts]:
    """The combined answer where there is one, else all."""
    combined = [answer for answer in said if answer.is_combined]
    return combined or list(said)


def width_risks(modality: str, *, is_grey: bool, conflict: str) -> Iterator[Finding]:
    """Risks of the widest atrium. conflict: how caliper and models contradict each other, or ""."""
    yield Finding("grey_zone", float(is_grey), modality, CHECKER, is_telling=True)
    yield Finding("conflict", float(bool(conflict)), modality, CHECKER, detail=conflict, is_telling=True)
