"""Reading the queue: what waits, where in line, and what went wrong. Nothing here moves a job."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import BooleanField, Count, ExpressionWrapper, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now, TruncHour
from django.utils import timezone

from accounts.models import User
from blobs import store
from inference.jobs.state import waiting_for_storage
from inference.models import Job, Worker

State = Job.State
SHOWN = 50
RECENT = timedelta(hours=24)


HOURS = 24


@dataclass(frozen=True)
class Present:
    """A worker, and the jobs in its hands."""

    worker: Worker
    is_lost: bool
    jobs: list[Job]


@dataclass(frozen=True)
class Hour:
    """How many jobs were done in an hour, by kind."""

    start: datetime
    done: dict[str, int]


@dataclass(frozen=True)
class Overview:
    """The queue now, and what finished in the last day.

    counts are of the whole installation; running, waiting and failures hold only what the looker may see.
    movable: keys of those that they may cancel or ask for again. unlisted: open jobs that are only counted.
    free_disk: bytes that may still be written where files are stored; None where that cannot be told.
    """

    counts: dict[str, int]
    oldest_wait_since: datetime | None
    running: list[Job]
    waiting: list[Job]
    failures: list[Job]
    movable: frozenset[uuid.UUID]
    unlisted: int
    workers: list[Present]
    unheard: list[str]
    storage_fault: str
    free_disk: int | None
    waiting_for_storage: int


def overview(user: User) -> Overview:
    """Everything the queue page shows; no job names a patient, and those of others are counted only."""
    every = Job.objects.select_related("model_version", "image")
    seen = every.visible_to(user)
    waiting = every.filter(state=State.QUEUED)
    running = list(every.filter(state=State.RUNNING).order_by("started_at"))
    visible = set(seen.filter(state=State.RUNNING).values_list("pk", flat=True))
    failed = seen.filter(state=State.FAILED, finished_at__gt=Now() - RECENT)
    workers = _present(running)
    heard = {name for one in workers if not one.is_lost for name in one.worker.hears}
    rows = (
        [job for job in running if job.pk in visible][:SHOWN],
        list(seen.filter(state=State.QUEUED).order_by("-priority", "created_at")[:SHOWN]),
        list(failed.with_asked_again().order_by("-finished_at")[:SHOWN]),
    )
    listed = [job.pk for part in rows for job in part]
    counts = _counts()
    seen_open = seen.filter(state__in=[State.QUEUED, State.RUNNING]).count()
    return Overview(
        workers=workers,
        unheard=sorted(set(waiting.values_list("queue", flat=True).distinct().order_by()) - heard),
        storage_fault=store.fault(),
        free_disk=store.free_bytes(),
        waiting_for_storage=waiting_for_storage().count(),
        counts=counts,
        oldest_wait_since=waiting.aggregate(oldest=Min("created_at"))["oldest"],
        running=rows[0],
        waiting=rows[1],
        failures=rows[2],
        movable=frozenset(Job.objects.movable_by(user).filter(pk__in=listed).values_list("pk", flat=True)),
        unlisted=max(0, counts[State.QUEUED] + counts[State.RUNNING] - seen_open),
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


def throughput() -> list[Hour]:
    """What was done in each of the last hours, the present one last."""
    now = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=back) for back in reversed(range(HOURS))]
    done = Job.objects.filter(state=State.SUCCEEDED, finished_at__gte=hours[0])
    counted = done.annotate(hour=TruncHour("finished_at", tzinfo=UTC)).order_by().values_list("hour", "kind")
    found: dict[datetime, dict[str, int]] = {hour: {} for hour in hours}
    for hour, kind, jobs in counted.annotate(jobs=Count("pk")):
        found.setdefault(hour, {})[kind] = jobs
    return [Hour(hour, found[hour]) for hour in hours]


def _present(running: Iterable[Job]) -> list[Present]:
    """Every worker that is there or was lost lately."""
    is_lost = ExpressionWrapper(Q(lease_until__lt=Now()), output_field=BooleanField())
    held: dict[str, list[Job]] = defaultdict(list)
    for job in running:
        held[job.worker].append(job)
    rows = Worker.objects.annotate(is_lost=is_lost).order_by("is_lost", "started_at")
    return [Present(row, row.is_lost, held[row.name]) for row in rows]


def _counts() -> dict[str, int]:
    open_ = Q(state__in=[State.QUEUED, State.RUNNING])
    recent: QuerySet[Job] = Job.objects.filter(open_ | Q(finished_at__gt=Now() - RECENT))
    found = dict(recent.order_by().values_list("state").annotate(jobs=Count("pk")))
    return {state.value: found.get(state.value, 0) for state in State}
