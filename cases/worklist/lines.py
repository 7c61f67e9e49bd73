"""The worklist: which cases are shown, and what one line says about each."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User
from cases.models import Case, CaseQuerySet, Scan
from cases.models.case import ORDERS
from cases.review.call_words import call_words
from cases.review.calls import Call, calls_of
from cases.review.policy import hidden_cases
from cases.worklist.forms import WorklistForm
from language.numbers import probability

Stage = Case.Stage
PAGE = 40
HOUR, DAY = 60, 24 * 60
"""In minutes."""


@dataclass(frozen=True)
class Line:
    """One case in the worklist. progress: a Case.Progress value."""

    case: Case
    progress: str
    progress_words: str
    modalities: tuple[str, ...]
    scans: int
    verdict: str
    is_hidden: bool
    differs: bool
    experimental: bool
    waiting: str


@dataclass(frozen=True)
class Chip:
    """One stage, in words, how many cases stand at it, and the query that shows them."""

    stage: str
    words: str
    cases: int
    query: str


@dataclass(frozen=True)
class Page:
    """Some lines, and the case from which the next page continues. sorts: the same list's query, by order."""

    lines: list[Line]
    next_after: uuid.UUID | None
    counts: list[Chip]
    sorts: Mapping[str, str]


def page(user: User, form: WorklistForm) -> Page:
    """The first cases, in the chosen order, that the user may see and the filters let through."""
    order = form.chosen_order()
    cases = form.narrow(Case.objects.visible_to(user).with_progress(), user)
    cases = _continued(cases, user, form.continues_after(), order)
    cases = cases.select_related("patient", "department", "assignee").prefetch_related("reads")
    found = list(cases.in_order(order)[: PAGE + 1])
    shown = found[:PAGE]
    following = shown[-1].pk if len(found) > PAGE else None
    sorts = {name: _query(form, order=name) for name in ORDERS}
    return Page(_lines(shown, user), following, counts(user, form), sorts)


def counts(user: User, form: WorklistForm) -> list[Chip]:
    """How many cases that pass the other filters stand at each stage that readers still work on."""
    cases = Case.objects.visible_to(user)
    if form.as_query().get("progress"):
        cases = cases.with_progress()
    open_ = form.narrow(cases, user, but="stage").exclude(stage=Stage.SIGNED).order_by()
    found = dict(open_.values_list("stage").annotate(cases=Count("pk")))
    return [
        Chip(stage.value, str(stage.label), found[stage], _query(form, stage=stage))
        for stage in Stage
        if found.get(stage)
    ]


def _query(form: WorklistForm, **changed: str) -> str:
    """The same filters and words, but for what is changed."""
    key = form.cleaned_data.get("search")
    return urlencode(form.as_query() | changed | ({"search": str(key)} if key else {}))


def waiting(since: datetime, now: datetime) -> str:
    """How long, as one says it in passing: minutes, hours up to two days, then days."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < HOUR:
        return gettext("{count} min").format(count=minutes)
    if minutes < 2 * DAY:
        return gettext("{count} h").format(count=minutes // HOUR)
    return gettext("{count} d").format(count=minutes // DAY)


def verdict(called: Call | None) -> str:
    """The models' call in a word, and from where to where their probabilities lie: nothing is averaged."""
    if called is None:
        return ""
    chances = [answer.probability for answer in called.answers if answer.probability is not None]
    if not chances:
        return call_words(called.label)
    low, high = probability(min(chances)), probability(max(chances))
    return f"{call_words(called.label)} {low if low == high else f'{low}–{high}'}"


def _continued(cases: CaseQuerySet, user: User, after: uuid.UUID | None, order: str) -> CaseQuerySet:
    last = Case.objects.visible_to(user).filter(pk=after).first() if after else None
    return cases.after(last, order) if last else cases


def _lines(cases: Sequence[Case], user: User) -> list[Line]:
    scans = defaultdict(list)
    for scan in Scan.objects.active().filter(case__in=cases).select_related("image"):
        scans[scan.case_id].append(scan)
    called = calls_of(cases, scans)
    hidden = hidden_cases(cases, scans, user)
    return [_line(case, scans[case.pk], called[case.pk], is_hidden=case.pk in hidden) for case in cases]


def _line(case: Case, scans: Sequence[Scan], called: Call | None, *, is_hidden: bool) -> Line:
    progress = Case.Progress(case.progress)  # type: ignore[attr-defined]  # annotated by with_progress
    return Line(
        case=case,
        progress=progress.value,
        progress_words=str(progress.label),
        modalities=tuple(sorted({scan.image.get_modality_display() for scan in scans})),
        scans=len(scans),
        verdict="" if is_hidden else verdict(called),
        is_hidden=is_hidden and called is not None,
        differs=not is_hidden and _differs(case, called),
        experimental=not is_hidden and called is not None and called.experimental,
        waiting=waiting(case.opened_at, timezone.now()),
    )


def _differs(case: Case, called: Call | None) -> bool:
    """Whether the last read and the models call the case by different names."""
    reads = list(case.reads.all())
    return bool(reads) and called is not None and called.agrees(reads[-1].finding) is False
