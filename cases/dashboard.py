"""How a department reads, week by week: turnaround, agreement with the models, overrides, and drift."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User
from cases.advice.performance import Performance, performance
from cases.models import Case, Read, Scan, SignOff
from cases.review.calls import NORMAL
from inference.charts.svg import Chart
from inference.charts.voice import voice
from inference.charts.weeks import Week, weeks_chart
from inference.engine.records import POSITIVE
from inference.engine.uncertainty.undecided import UNDECIDED
from inference.models import Prediction
from inference.training.evaluation.figures import Figure, wilson

WEEKS = 12
OVERRIDES = 20
CALLED = (NORMAL, POSITIVE)
Row = TypeVar("Row")


@dataclass(frozen=True)
class Agreement:
    """How often one kind of read agrees with the models' call, and how the calls fall.

    table: (reader's finding, models normal, models ventriculomegaly). undecided: how many of such reads were
    filed while the models decided nothing; they agree and differ with nobody.
    """

    kind: str
    figure: Figure | None
    undecided: Figure | None
    table: list[tuple[str, int, int]]


@dataclass(frozen=True)
class Dashboard:
    """Everything the page shows about the last weeks of the departments a user may see."""

    since: datetime
    reads: int
    signed: int
    agreements: list[Agreement]
    changed: Figure | None
    charts: list[Chart]
    overrides: list[Read]
    advice: list[Performance]


def dashboard(user: User) -> Dashboard:
    """The last WEEKS weeks, ending now; in a fixed number of queries.

    Signed cases only: of an open one it would tell a blind reader what models and others found.
    """
    since = _monday(timezone.now()) - timedelta(weeks=WEEKS - 1)
    cases = Case.objects.visible_to(user).at_stage(Case.Stage.SIGNED)
    reads = list(
        Read.objects.filter(case__in=cases, created_at__gte=since)
        .select_related("case", "reader")
        .order_by("created_at")
    )
    signed = list(SignOff.objects.filter(case__in=cases, signed_at__gte=since).select_related("case"))
    images = Scan.objects.active().filter(case__in=cases).values("image")
    answers = list(
        Prediction.objects.shown()
        .filter(image__in=images, created_at__gte=since)
        .only("analysable", "probability", "quality", "created_at")
    )
    return Dashboard(
        since=since,
        reads=len(reads),
        signed=len(signed),
        agreements=[_agreement(reads, kind) for kind in (Read.Kind.BLIND, Read.Kind.FINAL)],
        changed=_changed(reads),
        charts=[
            _turnaround(signed, since),
            _agreeing(reads, since),
            _scores(answers, since),
            _refusals(answers, since),
        ],
        overrides=[read for read in reversed(reads) if read.reason][:OVERRIDES],
        advice=performance(cases),
    )


def _agreement(reads: Sequence[Read], kind: Read.Kind) -> Agreement:
    mine = [read for read in reads if read.kind == kind]
    asked = [read for read in mine if read.agrees is not None]
    called = [read for read in mine if _models_said(read) in (*CALLED, UNDECIDED)]
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for read in asked:
        counts[read.finding, _models_said(read)] += 1
    return Agreement(
        kind=str(kind.label),
        figure=wilson(sum(bool(read.agrees) for read in asked), len(asked)) if asked else None,
        undecided=wilson(sum(read.called == UNDECIDED for read in called), len(called)) if called else None,
        table=[(finding, *(counts[finding, said] for said in CALLED)) for finding in CALLED],  # type: ignore[misc]
    )


def _models_said(read: Read) -> str:
    """What the models called the case when this read was filed; inferred for reads older than `called`."""
    if read.called or read.agrees is None:
        return read.called
    if read.agrees:
        return read.finding
    return CALLED[1 - CALLED.index(read.finding)]


def _changed(reads: Sequence[Read]) -> Figure | None:
    """Share of readers who changed their finding after they had seen the answers."""
    blind: dict[tuple[object, object], str] = {}
    pairs = []
    for read in reads:
        key = (read.case_id, read.reader_id)
        if read.kind == Read.Kind.BLIND:
            blind[key] = read.finding
        elif read.kind == Read.Kind.FINAL and key in blind:
            pairs.append(blind[key] != read.finding)
    return wilson(sum(pairs), len(pairs)) if pairs else None


def _turnaround(signed: Sequence[SignOff], since: datetime) -> Chart:
    by_week = _by_week(signed, since, lambda one: one.signed_at)
    weeks = [
        _median_week(start, [(one.signed_at - one.case.opened_at).total_seconds() / 3600 for one in found])
        for start, found in by_week
    ]
    words = gettext(
        "Hours from opening a case to its signature: median, and from the fastest to the slowest tenth."
    )
    return weeks_chart(gettext("Turnaround"), words, gettext("hours"), weeks, voice=voice())


def _agreeing(reads: Sequence[Read], since: datetime) -> Chart:
    asked = [
        read for read in reads if read.agrees is not None and read.kind in {Read.Kind.BLIND, Read.Kind.FINAL}
    ]
    weeks = [
        _share_week(start, [bool(read.agrees) for read in found])
        for start, found in _by_week(asked, since, lambda one: one.created_at)
    ]
    words = gettext("Share of blind and final reads with the models' call, with 95 % intervals.")
    return weeks_chart(
        gettext("Agreement with the models"), words, gettext("share of reads"), weeks, top=1.0, voice=voice()
    )


def _scores(answers: Sequence[Prediction], since: datetime) -> Chart:
    said = [answer for answer in answers if answer.probability is not None]
    weeks = [
        _median_week(start, [answer.probability or 0.0 for answer in found])
        for start, found in _by_week(said, since, lambda one: one.created_at)
    ]
    words = gettext(
        "Probabilities of all answers: median, and from the lowest to the highest tenth. A shift means other "
        "patients, other machines or another version."
    )
    return weeks_chart(
        gettext("Drift of the scores"), words, gettext("probability"), weeks, top=1.0, voice=voice()
    )


def _refusals(answers: Sequence[Prediction], since: datetime) -> Chart:
    weeks = [
        _share_week(start, [not answer.analysable for answer in found])
        for start, found in _by_week(answers, since, lambda one: one.created_at)
    ]
    words = gettext(
        "Share of answers that say not analysable, with 95 % intervals. A rise means worse pictures, or "
        "pictures of another kind."
    )
    return weeks_chart(
        gettext("Drift of the quality"), words, gettext("share refused"), weeks, top=1.0, voice=voice()
    )


def _median_week(start: date, values: Sequence[float]) -> Week:
    if not values:
        return Week(start, None, None, None, 0)
    low, middle, high = (float(value) for value in np.percentile(values, [10, 50, 90]))
    return Week(start, middle, low, high, len(values))


def _share_week(start: date, hits: Sequence[bool]) -> Week:
    if not hits:
        return Week(start, None, None, None, 0)
    found = wilson(sum(hits), len(hits))
    return Week(start, found.value, found.low, found.high, len(hits))


def _by_week(
    rows: Iterable[Row], since: datetime, moment: Callable[[Row], datetime]
) -> list[tuple[date, list[Row]]]:
    """Every week since then, also those in which nothing happened."""
    found: dict[date, list[Row]] = {(since + timedelta(weeks=n)).date(): [] for n in range(WEEKS)}
    for row in rows:
        start = _monday(moment(row)).date()
        if start in found:
            found[start].append(row)
    return list(found.items())


def _monday(moment: datetime) -> datetime:
    """Midnight at the beginning of the week, in the time zone of whoever looks."""
    local = timezone.localtime(moment)
    return (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
