"""Reading the queue: what waits, where in line, and what went wrong. Nothing here moves a job."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from inference.models import Job

State = Job.State
SHOWN = 50
RECENT = timedelta(hours=24)


@dataclass(frozen=True)
class Overview:
    """The queue now, and what finished in the last day."""

    counts: dict[str, int]
    oldest_wait_since: datetime | None
    running: list[Job]
    waiting: list[Job]
    failures: list[Job]


def overview() -> Overview:
    """Everything the queue page shows; no job names a patient."""
    jobs = Job.objects.select_related("model_version", "image")
    waiting = jobs.filter(state=State.QUEUED)
    failed = jobs.filter(state=State.FAILED, finished_at__gt=Now() - RECENT)
    return Overview(
        counts=_counts(),
        oldest_wait_since=waiting.aggregate(oldest=Min("created_at"))["oldest"],
        running=list(jobs.filter(state=State.RUNNING).order_by("started_at")[:SHOWN]),
        waiting=list(waiting.order_by("-priority", "created_at")[:SHOWN]),
        failures=list(failed.order_by("-finished_at")[:SHOWN]),
    )


def positions(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The place in line, from 1, of those of the jobs that wait to be claimed."""
    ahead = Job.objects.filter(state=State.QUEUED, queue=OuterRef("queue")).filter(
        Q(priority__gt=OuterRef("priority"))
        | Q(priority=OuterRef("priority"), created_at__lt=OuterRef("created_at"))
    )
    counted = ahead.order_by().values("queue").annotate(jobs=Count("pk")).values("jobs")
    waiting = Job.objects.filter(pk__in=list(ids), state=State.QUEUED).annotate(ahead=Subquery(counted))
    return {pk: (jobs or 0) + 1 for pk, jobs in waiting.values_list("pk", "ahead")}


def _counts() -> dict[str, int]:
    open_ = Q(state__in=[State.QUEUED, State.RUNNING])
    recent: QuerySet[Job] = Job.objects.filter(open_ | Q(finished_at__gt=Now() - RECENT))
    found = dict(recent.order_by().values_list("state").annotate(jobs=Count("pk")))
    return {state.value: found.get(state.value, 0) for state in State}
