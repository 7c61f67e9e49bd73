"""What happened to a case, newest first, for everyone who may see it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext

from audit.models import Event
from audit.sentences import particulars, sentence
from audit.trail import thread_of
from cases.advice.rank import STOPS
from cases.advice.service import action_words
from cases.models import AdviceAnswer, Case
from language.stored import said

SHOWN = 200
NEUTRAL = {
    "case.opened", "case.viewed", "case.listed", "case.assigned", "case.released", "case.reported",
    "patient.birth_date_corrected", "scan.added", "scan.refused", "scan.viewed", "scan.original_downloaded",
    "scan.tried_again", "scan.calibrated", "calibration.withdrawn",
}  # fmt: skip
"""Whose particulars a blind reader may be told; those of any other could tell what models or others found."""
NOT_TOLD = {"access.refused"}
"""What is the auditors' business alone."""
LOOKS = {"case.viewed", "prior.viewed", "scan.viewed", "explanation.viewed"}


NOISE = {
    "job.queued", "job.requeued", "quality.measured", "scan.identified", "advice.followed", "case.listed",
}  # fmt: skip
"""What happens by itself between what people and models do; shown when somebody asks for it."""


@dataclass(frozen=True)
class Entry:
    """Somebody did something, `times` times in a row; when is the latest of these.

    is_look: it only looked, so that it does not matter how often. is_noise: one of NOISE.
    """

    when: datetime
    who: str
    what: str
    more: str
    times: int
    door: str
    is_look: bool = False
    is_noise: bool = False


def timeline(case: Case, *, hidden: bool = False) -> list[Entry]:
    """The latest events; the same thing done again and again takes one line.

    hidden: without what models and other readers found, for a reader who has not filed a read yet.
    """
    events = thread_of(case.thread).exclude(verb__in=NOT_TOLD)
    return _folded(events[:SHOWN], hidden=hidden)


def _folded(events: Iterable[Event], *, hidden: bool) -> list[Entry]:
    entries: list[Entry] = []
    for event in events:
        entry = _entry(event, hidden=hidden)
        last = entries[-1] if entries else None
        if last and (last.who, last.what) == (entry.who, entry.what):
            more = last.more if last.more == entry.more else ""
            entries[-1] = replace(last, more=more, times=last.times + 1)
        else:
            entries.append(entry)
    return entries


def _more(event: Event) -> str:
    """The telling part; of an advice and its answer in words, as the lines themselves keep codes."""
    detail = event.detail
    if event.verb == "advice.given":
        codes = str(detail.get("detail", "")).split(", ")
        return "; ".join(said(STOPS[code]) if code in STOPS else action_words(code) for code in codes)
    if event.verb == "advice.answered":
        outcome = AdviceAnswer.Outcome(detail["outcome"]).label
        parts = (action_words(detail["action"]), str(outcome), detail.get("reason", ""))
        return ": ".join(part for part in parts if part)
    return particulars(event)


def _entry(event: Event, *, hidden: bool) -> Entry:
    """Opening the page, drawing the pixels and laying a heatmap over them are one look."""
    if event.verb in LOOKS:
        look = gettext("looked at the case")
        return Entry(event.occurred_at, event.actor_name, look, "", 1, event.door, is_look=True)
    more = "" if hidden and event.verb not in NEUTRAL else _more(event)
    said = sentence(event)
    return Entry(event.occurred_at, event.actor_name, said, more, 1, event.door, is_noise=event.verb in NOISE)
