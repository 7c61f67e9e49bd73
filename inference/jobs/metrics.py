"""What an operator watches of the work, in numbers: no job is named here, and no patient."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Min, Q, Sum
from django.db.models.functions import Now

from inference.jobs.lease import Fault
from inference.jobs.state import State, due, waiting_for_storage
from inference.models import Activation, Job, Worker

RECENT = timedelta(hours=1)
"""What ended before is not counted: the table holds every job there ever was."""
URGENT = 20
"""The priority of the work on an urgent case, and of nothing else."""
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Open:
    """Jobs of one kind and department that are not over.

    oldest_seconds: how long the one that waits longest has been waiting; None where all of them run.
    """

    kind: str
    department: str
    waiting: int
    running: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Ended:
    """Jobs of one kind that ended lately in one way. code: why they failed, or ""; attempts: of all."""

    kind: str
    state: str
    code: str
    jobs: int
    attempts: int


@dataclass(frozen=True)
class Latency:
    """Seconds of one stage, "waiting" for a worker or "working" until published, by quantile."""

    kind: str
    stage: str
    seconds: dict[float, float]
    jobs: int


@dataclass(frozen=True)
class WorkMetrics:
    """The work as it stands, and what became of it in the last hour (RECENT).

    urgent_seconds, sweep_seconds: for how long the oldest urgent scan waits, and the oldest lease has been
    over without anybody sweeping it; 0 when there is none. faults: by inference.jobs.lease.Fault, of what
    ended. workers: by queue, how many are there and how many are lost.
    """

    open: list[Open]
    ended: list[Ended]
    faults: dict[str, int]
    latencies: list[Latency]
    workers: dict[str, tuple[int, int]]
    urgent_seconds: float
    sweep_seconds: float
    waiting_for_storage: int
    versions: list[dict[str, str]]


def work_metrics() -> WorkMetrics:
    """A dozen queries on indexes; every time is the database's."""
    ended = Job.objects.filter(finished_at__gt=Now() - RECENT)
    return WorkMetrics(
        open=list(_open()),
        ended=[
            Ended(*row)
            for row in ended.order_by("kind", "state", "failure_code")
            .values_list("kind", "state", "failure_code")
            .annotate(jobs=Count("pk"), attempts=Sum("attempts"))
        ],
        faults=_faults(),
        latencies=list(_latencies()),
        workers=_workers(),
        urgent_seconds=urgent_seconds(),
        sweep_seconds=sweep_seconds(),
        waiting_for_storage=waiting_for_storage().count(),
        versions=_versions(),
    )


def urgent_seconds() -> float:
    """For how long the oldest urgent scan that could be worked on has waited; 0 without one."""
    return _age(due().filter(priority__gte=URGENT).aggregate(age=Now() - Min("created_at"))["age"])


def sweep_seconds() -> float:
    """For how long a job has been held by a worker that is gone, unswept; 0 when all is in hand."""
    lost = Job.objects.filter(state=State.RUNNING, lease_until__lt=Now())
    return _age(lost.aggregate(age=Now() - Min("lease_until"))["age"])


def is_swept() -> bool:
    """Whether the maintenance process keeps up: it looks every JOB_SWEEP_SECONDS."""
    return sweep_seconds() < 30 + 2 * settings.JOB_SWEEP_SECONDS


def _age(found: timedelta | None) -> float:
    return found.total_seconds() if found else 0.0


def _open() -> Iterator[Open]:
    waiting = Q(state=State.QUEUED)
    rows = (
        Job.objects.filter(state__in=[State.QUEUED, State.RUNNING])
        .order_by("kind", "department__name")
        .values_list("kind", "department__name")
        .annotate(
            waiting=Count("pk", filter=waiting),
            running=Count("pk", filter=~waiting),
            age=Now() - Min("created_at", filter=waiting),
        )
    )
    for kind, department, queued, running, age in rows:
        yield Open(kind, department or "", queued, running, age.total_seconds() if age else None)


def _faults() -> dict[str, int]:
    query = """
        SELECT fault.key, sum(fault.value::int) FROM inference_job, jsonb_each_text(faults) AS fault
        WHERE finished_at > now() - %s::interval GROUP BY fault.key"""
    with connection.cursor() as cursor:
        cursor.execute(query, [f"{RECENT.total_seconds()} s"])
        found = dict(cursor.fetchall())
    return {fault.value: int(found.get(fault.value, 0)) for fault in Fault}


def _latencies() -> Iterator[Latency]:
    query = """
        SELECT kind, count(*),
               percentile_cont(%s) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - created_at)),
               percentile_cont(%s) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at))
        FROM inference_job
        WHERE finished_at > now() - %s::interval AND started_at IS NOT NULL AND state = 'succeeded'
        GROUP BY kind ORDER BY kind"""
    quantiles = list(QUANTILES)
    with connection.cursor() as cursor:
        cursor.execute(query, [quantiles, quantiles, f"{RECENT.total_seconds()} s"])
        for kind, jobs, waiting, working in cursor.fetchall():
            for stage, seconds in (("waiting", waiting), ("working", working)):
                found = {q: max(0.0, float(s)) for q, s in zip(QUANTILES, seconds, strict=True)}
                yield Latency(kind, stage, found, jobs)


def _workers() -> dict[str, tuple[int, int]]:
    is_lost = ExpressionWrapper(Q(lease_until__lt=Now()), output_field=BooleanField())
    counts: dict[str, list[int]] = {}
    for worker in Worker.objects.annotate(is_lost=is_lost):
        for queue in worker.hears:
            counts.setdefault(queue, [0, 0])[worker.is_lost] += 1
    return {queue: (present, lost) for queue, (present, lost) in sorted(counts.items())}


def _versions() -> list[dict[str, str]]:
    seats = Activation.objects.filter(ended_at__isnull=True).order_by("modality", "role")
    return [
        {
            "modality": seat.modality,
            "role": seat.role,
            "network": seat.model_version.network,
            "version": seat.model_version.version,
            "weights_sha256": seat.model_version.weights_id,
        }
        for seat in seats.select_related("model_version")
    ]
