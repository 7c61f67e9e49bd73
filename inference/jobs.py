"""The job's state machine. Nothing else moves a Job.

The row is the truth and the queue only wakes workers: a message is a doorbell that carries
a job's id. Redis may lose, repeat or reorder doorbells with no effect but latency. Every
time is the database's, so that a worker with a wrong clock harms nobody.
"""

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_noop
from kombu.exceptions import OperationalError

from accounts.models import User
from audit.trail import record
from blobs import store
from inference import presence, telling
from inference.models import About, Image, Job, ModelVersion, Prediction
from language.stored import english

logger = logging.getLogger(__name__)

State = Job.State
BATCHED = frozenset({Job.Kind.PREDICT, Job.Kind.SHADOW})
"""Kinds of which one forward pass does several."""
MOVES = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.QUEUED, State.CANCELLED}),
    State.SUCCEEDED: frozenset[State](),
    State.FAILED: frozenset[State](),
    State.CANCELLED: frozenset[State](),
}


STORAGE, LOST = "storage_unavailable", "file_lost"
_IS_LOST = gettext_noop("A stored file that it needs is missing for good: {detail}.")
_NO_FAILURE: dict[str, Any] = {"failure_code": "", "failure_detail": "", "missing_since": None}
"""Of an earlier attempt: the audit keeps it. The row of a job that did not fail says nothing of a failure."""


class IllegalMove(Exception):
    """The state machine has no such arrow."""


class NotToBeMoved(IllegalMove):
    """What the job is for lets no person move it any more. `code` for programs, the sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Fenced(Exception):
    """The job was given to somebody else, finished or cancelled: publish nothing."""


class RefusedWork(Exception):
    """The work cannot be done, however often it is tried. `code` for programs, the sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


_asked_before_moving: list[Callable[[Job], None]] = []


def ask_before_moving(question: Callable[[Job], None]) -> None:
    """Let a room above say that a person may not move a job: the question raises NotToBeMoved.

    It is asked inside the transaction of the move, when a person cancels a job or asks for it again.
    """
    _asked_before_moving.append(question)


@dataclass(frozen=True)
class Claim:
    """A job in this worker's hands, as long as `token` is still the row's."""

    job: Job
    token: int


def submit(  # noqa: PLR0913  # a job is named by all it is about
    kind: Job.Kind,
    *,
    image: Image | None = None,
    model_version: ModelVersion | None = None,
    requested_by: User | None,
    thread: str = "",
    priority: int = 0,
    prediction: Prediction | None = None,
    parameters: dict[str, Any] | None = None,
    about: About | None = None,
) -> Job:
    """A new queued job; the doorbell rings once the surrounding transaction has committed.

    about: without it nobody is told how the job ended.
    """
    job = Job.objects.create(
        kind=kind,
        queue=settings.TRAINING_QUEUE if kind == Job.Kind.TRAIN else settings.JOB_QUEUE,
        image=image,
        model_version=model_version,
        requested_by=requested_by,
        thread=thread,
        priority=priority,
        prediction=prediction,
        parameters=parameters or {},
        department_id=about.department_id if about else None,
        names=about.names if about else {},
    )
    with english():
        name = str(model_version or "")
    record("job.queued", actor=requested_by, subject=job, thread=thread, kind=kind, model_version=name)
    transaction.on_commit(lambda: ring([job.pk]))
    return job


def again(job: Job, *, by: User, about: About | None = None) -> Job:
    """The same work on a scan as a new job; the old row stays as it is. about: else what the old one says."""
    image, version = job.scan
    return submit(
        Job.Kind(job.kind),
        image=image,
        model_version=version,
        prediction=job.prediction,
        requested_by=by,
        thread=job.thread,
        priority=job.priority,
        parameters=job.parameters,
        about=about or job.about,
    )


@transaction.atomic
def ask_again(job: Job, *, by: User) -> Job:
    """The same work once more. Raises IllegalMove unless it failed, reads a scan, and was not asked since."""
    _ask(job)
    Job.objects.select_for_update().get(pk=job.pk)  # two people may press at once
    now = Job.objects.get(pk=job.pk)
    is_asked = Job.objects.asked_again().filter(pk=job.pk).exists()
    if now.state != State.FAILED or now.image_id is None or is_asked:
        raise IllegalMove(gettext("Only failed work on a scan is asked for again, and once."))
    return again(now, by=by)


def ring(ids: Iterable[uuid.UUID]) -> None:
    """Wake a worker for each job. A broker that is down only delays: the sweeper rings again."""
    for job in Job.objects.filter(pk__in=list(ids)).only("queue"):
        try:
            current_app.send_task("inference.work", args=[str(job.pk)], queue=job.queue)
        except (OperationalError, OSError) as fault:
            logger.warning("The broker did not take the doorbell of job %s: %s", job.pk, fault)
            return
        Job.objects.filter(pk=job.pk).update(rung_at=Now())


@transaction.atomic
def claim(doorbell: uuid.UUID) -> list[Claim]:
    """Take the most urgent waiting job of the doorbell's queue, and others like it, up to a batch.

    Empty when there is nothing to do: then the message is acknowledged and that is all.
    A job that has been tried before runs alone, so that one that kills its worker takes
    no other with it.
    """
    waiting = _due().filter(queue__in=Job.objects.filter(pk=doorbell).values("queue"))
    waiting = waiting.order_by("-priority", "created_at").select_for_update(skip_locked=True)
    first = waiting.first()
    if first is None:
        return []
    batch = [first]
    if first.kind in BATCHED and first.attempts == 0:
        alike = waiting.filter(kind=first.kind, model_version=first.model_version_id, attempts=0)
        batch += alike.exclude(pk=first.pk)[: settings.JOB_BATCH - 1]
    Job.objects.filter(pk__in=[job.pk for job in batch]).update(
        state=State.RUNNING,
        token=F("token") + 1,
        attempts=F("attempts") + 1,
        worker=presence.own_name(),
        lease_until=Now() + _lease(),
        started_at=Now(),
        stage="starting",
    )
    return [Claim(job, job.token + 1) for job in batch]


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
    _move(held, State.SUCCEEDED, **_over(), **_NO_FAILURE, **result)


def fail(held: Claim, code: str, detail: str) -> None:
    """running -> failed: final. A new submission of the same image is a new job."""
    with transaction.atomic():
        _move(held, State.FAILED, **_over(), **_failure(code, detail))
        _tell("job.failed", held.job, code=code, detail=detail)
        telling.failed(held.job, code)


def retry(held: Claim, code: str, detail: str) -> None:
    """running -> queued after a back-off, or failed when the budget is spent."""
    attempts = Job.objects.values_list("attempts", flat=True).get(pk=held.job.pk)
    if attempts >= settings.JOB_MAX_ATTEMPTS:
        fail(held, code, detail)
        return
    with transaction.atomic():
        _move(
            held, State.QUEUED, not_before=Now() + _back_off(attempts), **_waiting(), **_failure(code, detail)
        )
        _tell("job.requeued", held.job, code=code, detail=detail)


def wait(held: Claim, detail: str) -> None:
    """running -> queued because a file cannot be got at now. However often, it spends no attempt.

    The audit and whoever runs the place hear of it once, and it is looked at again every few seconds. A file
    that is missing for JOB_LOST_FILE_HOURS while the store itself answers is lost: the job fails. Hours in
    which the store is away do not count.
    """
    before, since = Job.objects.values_list("failure_code", "missing_since").get(pk=held.job.pk)
    is_away = bool(store.fault())
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
        )
        if before != STORAGE:
            _tell("job.requeued", held.job, code=STORAGE, detail=detail)
            telling.storage_missed()


@transaction.atomic
def _lose(held: Claim, detail: str) -> None:
    """Failed, with no attempt spent. Uploading the same file heals it; the work is then asked for again."""
    words = _IS_LOST.format(detail=detail)
    _move(held, State.FAILED, attempts=F("attempts") - 1, **_over(), **_failure(LOST, words))
    _tell("job.failed", held.job, code=LOST, detail=words)
    telling.failed(held.job, LOST)
    telling.file_lost(detail)


@transaction.atomic
def cancel(job: Job, *, by: User) -> None:
    """queued or running -> cancelled; raises IllegalMove when the job is already over, NotToBeMoved."""
    _ask(job)
    if not _cancel(job, by):
        raise IllegalMove(gettext("The job is already over."))
    telling.scan_settled(job)


@transaction.atomic
def cancel_all(image: Image, *, by: User) -> None:
    """Stop whatever is still to be done about an image, unseen work included: it no longer counts.

    Nobody is told that the scan has settled.
    """
    for job in Job.objects.filter(image=image, state__in=_before(State.CANCELLED)):
        _cancel(job, by)


def sweep() -> int:
    """Requeue what a dead worker held, park what kills workers, ring again what nobody took."""
    if not waiting_for_storage().exists():
        telling.storage_found()
    return _requeue_expired() + _ring_again()


def waiting_for_storage() -> QuerySet[Job]:
    """Jobs that go on as soon as a file can be read or written again."""
    return Job.objects.filter(state__in=[State.QUEUED, State.RUNNING], failure_code=STORAGE)


def _requeue_expired() -> int:
    expired = Job.objects.filter(state=State.RUNNING, lease_until__lt=Now())
    for job in expired:
        try:
            retry(Claim(job, job.token), "worker_lost", "The worker that held the job stopped answering.")
        except Fenced:
            continue  # its worker finished after all, between our look and our move
    return len(expired)


def _ring_again() -> int:
    silence = timedelta(seconds=settings.JOB_RING_AGAIN_SECONDS)
    due = _due().exclude(rung_at__gt=Now() - silence)
    ids = list(due.order_by("-priority", "created_at").values_list("pk", flat=True)[:200])
    ring(ids)
    return len(ids)


def _cancel(job: Job, by: User) -> bool:
    """Whether there was still something to cancel."""
    changed = Job.objects.filter(pk=job.pk, state__in=_before(State.CANCELLED)).update(
        state=State.CANCELLED, **_over(), **_NO_FAILURE
    )
    if changed:
        record("job.cancelled", actor=by, subject=job, thread=job.thread)
    return bool(changed)


def _due() -> QuerySet[Job]:
    return Job.objects.filter(state=State.QUEUED, not_before__lte=Now())


def _held(held: Claim) -> QuerySet[Job]:
    return Job.objects.filter(pk=held.job.pk, token=held.token, state=State.RUNNING)


def _before(to: Job.State) -> list[Job.State]:
    return [state for state, moves in MOVES.items() if to in moves]


def _move(held: Claim, to: Job.State, **change: Any) -> None:
    if to not in MOVES[State.RUNNING]:
        raise IllegalMove(f"running -> {to}")
    if not _held(held).update(state=to, **change):
        raise Fenced(f"job {held.job.pk} is no longer ours")


def _ask(job: Job) -> None:
    for question in _asked_before_moving:
        question(job)


def _tell(verb: str, job: Job, **detail: Any) -> None:
    record(verb, actor=None, subject=job, thread=job.thread, **detail)


def _over() -> dict[str, Any]:
    return {"stage": "", "lease_until": None, "finished_at": Now()}


def _waiting() -> dict[str, Any]:
    return {"stage": "", "lease_until": None, "worker": "", "rung_at": None}


def _failure(code: str, detail: str) -> dict[str, Any]:
    return {"failure_code": code[:40], "failure_detail": detail[:500], "missing_since": None}


def _patience() -> timedelta:
    return timedelta(hours=settings.JOB_LOST_FILE_HOURS)


def _lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _back_off(attempts: int) -> timedelta:
    return timedelta(seconds=2 ** (attempts - 1) * settings.JOB_SWEEP_SECONDS)
