"""What a worker does with jobs: takes them under a lease, holds them, and ends them.

Every write is fenced by the token of its claim: one that has lost its lease changes nothing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from blobs import store
from inference import events
from inference.jobs import deadlines, presence, turns
from inference.jobs.state import LOST, MOVES, NO_FAILURE, STORAGE, State, due, note, over
from inference.models import Job, ModelVersion
from webhooks import wake_ups

BATCHED = frozenset({Job.Kind.PREDICT, Job.Kind.SHADOW})
"""Kinds of which several are done at once."""


class Fault(StrEnum):
    """Why a job had to be begun anew: each is counted apart. The last two spend no attempt."""

    CRASH = "crash"
    ERROR = "error"
    DEADLINE = "deadline"
    STORAGE = "storage"
    RESTART = "restart"


_IS_LOST = gettext_noop("A stored file that it needs is missing for good: {detail}.")
_STOPPED = gettext_noop("The worker was stopped in order; the work goes on elsewhere.")


class Fenced(Exception):
    """The job was given to somebody else, finished or cancelled: publish nothing."""


@dataclass(frozen=True)
class Claim:
    """A job in this worker's hands, as long as `token` is still the row's."""

    job: Job
    token: int


@transaction.atomic
def claim(wake_up: uuid.UUID) -> list[Claim]:
    """Take the most urgent waiting job of the queue of the wake-up's job, and what is done along with it.

    Among equally urgent jobs departments take turns. A reading of a scan is one piece of work: all versions
    that are to answer about it, and other scans up to a batch.

    Empty when there is nothing to do: then the message is acknowledged and that is all.
    A job that has been tried before runs alone, so that one that kills its worker takes
    no other with it.
    """
    waiting = due().filter(queue__in=Job.objects.filter(pk=wake_up).values("queue"))
    first = turns.next_of(waiting)
    if first is None:
        return []
    alone = first.kind not in BATCHED or first.attempts
    return _take([first] if alone else [first, *_along_with(first, waiting)])


@transaction.atomic
def claim_maps(read: Sequence[Claim], method: str) -> list[Claim]:
    """Take what is to be explained by this method of the answers just given, while nothing more urgent waits.

    The process that answered still has the picture prepared and what the networks made of it.
    """
    first = read[0].job
    waiting = due().filter(queue=first.queue)
    if waiting.filter(priority__gt=first.priority).exists():
        return []
    answered = waiting.filter(
        kind=Job.Kind.EXPLAIN,
        parameters__method=method,
        prediction__job__in=[held.job.pk for held in read],
        attempts=0,
    )
    return _take(list(_in_turn(answered)))


def _along_with(first: Job, waiting: QuerySet[Job]) -> list[Job]:
    """Other versions' jobs about the same scan, then those as urgent about other scans that fit in whole."""
    room = settings.JOB_BATCH - 1
    alike = waiting.filter(kind=first.kind, attempts=0).exclude(pk=first.pk)
    same = list(_in_turn(alike.filter(image=first.image_id))[:room])
    others = alike.filter(model_version=first.model_version_id, priority=first.priority)
    more = (room - len(same)) // (1 + len(same))
    images = list(_in_turn(others.exclude(image=first.image_id)).values_list("image", flat=True)[:more])
    return same + list(_in_turn(alike.filter(image__in=images))[: room - len(same)])


def _in_turn(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """The most urgent first, then the oldest, but for those that somebody else is taking just now."""
    return jobs.order_by("-priority", "created_at").select_for_update(skip_locked=True, of=("self",))


def _take(batch: list[Job]) -> list[Claim]:
    if not batch:
        return []
    Job.objects.filter(pk__in=[job.pk for job in batch]).update(
        state=State.RUNNING,
        token=F("token") + 1,
        attempts=F("attempts") + 1,
        worker=presence.own_name(),
        lease_until=Now() + _lease(),
        started_at=Now(),
        stage="starting",
    )
    claims = [Claim(job, job.token + 1) for job in batch]
    deadlines.begin(batch[0].kind, [(str(held.job.pk), held.token) for held in claims])
    return claims


def heartbeat(
    claims: Iterable[Claim], stage: str | None = None, *, progress: dict[str, Any] | None = None
) -> None:
    """Lengthen the leases of what we still hold, and say what is being done."""
    change: dict[str, Any] = {"lease_until": Now() + _lease()}
    if stage is not None:
        change["stage"] = stage
    if progress is not None:
        change["progress"] = progress
    for held in claims:
        _held(held).update(**change)


def is_ours(held: Claim) -> bool:
    """Whether the job is still in this worker's hands: not cancelled, not given to another."""
    return _held(held).exists()


def finish(held: Claim, *, made: ModelVersion | None = None) -> None:
    """running -> succeeded, inside the transaction that writes the results; raises Fenced.

    made: the model version that work on models ends with.
    """
    result = {"model_version": made} if made else {}
    _move(held, State.SUCCEEDED, **over(), **NO_FAILURE, **result)


def fail(held: Claim, code: str, detail: str, **more: Any) -> None:
    """running -> failed: final. A new submission of the same image is a new job."""
    with transaction.atomic():
        _move(held, State.FAILED, **over(), **_failure(code, detail), **more)
        note("job.failed", held.job, code=code, detail=detail)
        events.failed(held.job, code)


def retry(held: Claim, code: str, detail: str, *, fault: Fault = Fault.ERROR) -> None:
    """running -> queued after a back-off, or failed when the budget is spent."""
    attempts = Job.objects.values_list("attempts", flat=True).get(pk=held.job.pk)
    counted = _counted(held, fault)
    if attempts >= settings.JOB_MAX_ATTEMPTS:
        fail(held, code, detail, **counted)
        return
    with transaction.atomic():
        _move(
            held,
            State.QUEUED,
            not_before=Now() + _back_off(attempts),
            **_waiting(),
            **_failure(code, detail),
            **counted,
        )
        note("job.requeued", held.job, code=code, detail=detail)


def give_back(held: Claim) -> None:
    """running -> queued because its worker is stopped in order: no attempt is spent."""
    with transaction.atomic():
        _move(
            held,
            State.QUEUED,
            attempts=F("attempts") - 1,
            not_before=Now(),
            **_waiting(),
            **_counted(held, Fault.RESTART),
        )
        note("job.requeued", held.job, code=Fault.RESTART.value, detail=_STOPPED)
        wake_ups.ask(held.job.queue)


def wait(held: Claim, detail: str) -> None:
    """running -> queued because a file cannot be got at now. However often, it spends no attempt.

    The audit and whoever runs the place hear of it once, and it is looked at again every few seconds. A file
    that is missing for JOB_LOST_FILE_HOURS while the store itself answers is lost: the job fails. Hours in
    which the store is away do not count.
    """
    before, since = Job.objects.values_list("failure_code", "missing_since").get(pk=held.job.pk)
    is_away = bool(store.fault())
    counted = {} if before == STORAGE else _counted(held, Fault.STORAGE)  # once, however long it lasts
    if since and not is_away and Job.objects.filter(pk=held.job.pk, missing_since__lt=Now() - _patience()):
        _lose(held, detail)
        return
    with transaction.atomic():
        _move(
            held,
            State.QUEUED,
            attempts=F("attempts") - 1,
            not_before=Now() + timedelta(seconds=2 * settings.JOB_SWEEP_SECONDS),
            **_waiting(),
            **_failure(STORAGE, detail) | {"missing_since": None if is_away else since or Now()},
            **counted,
        )
        if before != STORAGE:
            note("job.requeued", held.job, code=STORAGE, detail=detail)
            events.storage_missed()


@transaction.atomic
def _lose(held: Claim, detail: str) -> None:
    """Failed, with no attempt spent. Uploading the same file heals it; the work is then asked for again."""
    words = _IS_LOST.format(detail=detail)
    _move(held, State.FAILED, attempts=F("attempts") - 1, **over(), **_failure(LOST, words))
    note("job.failed", held.job, code=LOST, detail=words)
    events.failed(held.job, LOST)
    events.file_lost(detail)


def _held(held: Claim) -> QuerySet[Job]:
    return Job.objects.filter(pk=held.job.pk, token=held.token, state=State.RUNNING)


def _move(held: Claim, to: Job.State, **change: Any) -> None:
    if to not in MOVES[State.RUNNING]:
        raise ValueError(f"no such move: running -> {to}")
    if not _held(held).update(state=to, **change):
        raise Fenced(f"job {held.job.pk} is no longer ours")


def _counted(held: Claim, fault: Fault) -> dict[str, Any]:
    """One more fault of this kind; the fence of the move keeps two from counting at once."""
    faults: dict[str, int] = Job.objects.values_list("faults", flat=True).get(pk=held.job.pk)
    return {"faults": faults | {fault.value: faults.get(fault.value, 0) + 1}}


def _patience() -> timedelta:
    return timedelta(hours=settings.JOB_LOST_FILE_HOURS)


def _lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _back_off(attempts: int) -> timedelta:
    return timedelta(seconds=2 ** (attempts - 1) * settings.JOB_SWEEP_SECONDS)


def _waiting() -> dict[str, Any]:
    return {"stage": "", "lease_until": None, "worker": "", "rung_at": None}


def _failure(code: str, detail: str) -> dict[str, Any]:
    return {"failure_code": code[:40], "failure_detail": detail[:500], "missing_since": None}
