"""The job's state machine. Nothing else moves a Job.

The row is the truth and the queue only wakes workers: a message is a wake-up that carries
a job's id. Redis may lose, repeat or reorder wake-ups with no effect but latency. Every
time is the database's, so that a worker with a wrong clock harms nobody.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from inference import events
from inference.models import About, Image, Job, ModelVersion, Prediction
from language.stored import english
from refusals import Refusal
from webhooks import wake_ups

State = Job.State
MOVES = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.QUEUED, State.CANCELLED}),
    State.SUCCEEDED: frozenset[State](),
    State.FAILED: frozenset[State](),
    State.CANCELLED: frozenset[State](),
}


STORAGE, LOST = "storage_unavailable", "file_lost"
NO_FAILURE: dict[str, Any] = {"failure_code": "", "failure_detail": "", "missing_since": None}
"""Of an earlier attempt: the audit keeps it. The row of a job that did not fail says nothing of a failure."""


_asked_before_moving: list[Callable[[Job], None]] = []


def ask_before_moving(question: Callable[[Job], None]) -> None:
    """Let a room above say that a person may not move a job: the question raises Refusal.

    It is asked inside the transaction of the move, when a person cancels a job or asks for it again.
    """
    _asked_before_moving.append(question)


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
    """A new queued job; a worker is woken once the surrounding transaction has committed.

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
    wake_ups.ask(job.queue)
    return job


def again(job: Job, *, by: User, about: About | None = None, parameters: dict[str, Any] | None = None) -> Job:
    """The same work on a scan as a new job; the old row stays as it is.

    about, parameters: else what the old one says.
    """
    image, version = job.scan
    return submit(
        Job.Kind(job.kind),
        image=image,
        model_version=version,
        prediction=job.prediction,
        requested_by=by,
        thread=job.thread,
        priority=job.priority,
        parameters=job.parameters if parameters is None else parameters,
        about=about or job.about,
    )


@transaction.atomic
def ask_again(job: Job, *, by: User, parameters: dict[str, Any] | None = None) -> Job:
    """The same work once more. Raises Refusal unless it failed, reads a scan, and was not asked since.

    parameters: else what the old one says.
    """
    _ask(job)
    Job.objects.select_for_update().get(pk=job.pk)  # two people may press at once
    now = Job.objects.get(pk=job.pk)
    is_asked = Job.objects.asked_again().filter(pk=job.pk).exists()
    if now.state != State.FAILED or now.image_id is None or is_asked:
        raise Refusal("illegal_move", gettext("Only failed work on a scan is asked for again, and once."))
    return again(now, by=by, parameters=parameters)


@transaction.atomic
def cancel(job: Job, *, by: User) -> None:
    """queued or running -> cancelled; raises Refusal when the job is already over."""
    _ask(job)
    if not _cancel(job, by):
        raise Refusal("illegal_move", gettext("The job is already over."))
    events.scan_settled(job)


@transaction.atomic
def cancel_all(image: Image, *, by: User) -> None:
    """Stop whatever is still to be done about an image, unseen work included: it no longer counts.

    Nobody is told that the scan has settled.
    """
    for job in Job.objects.filter(image=image, state__in=_before(State.CANCELLED)):
        _cancel(job, by)


@transaction.atomic
def cancel_answers(image: Image, versions: Iterable[ModelVersion], *, by: User) -> None:
    """Stop answers of these versions that are still to be given about an image: they are asked for otherwise.

    Nobody is told that the scan has settled.
    """
    waiting = Job.objects.filter(image=image, model_version__in=list(versions), kind=Job.Kind.PREDICT)
    for job in waiting.filter(state__in=_before(State.CANCELLED)):
        _cancel(job, by)


def waiting_for_storage() -> QuerySet[Job]:
    """Jobs that go on as soon as a file can be read or written again."""
    return Job.objects.filter(state__in=[State.QUEUED, State.RUNNING], failure_code=STORAGE)


def _cancel(job: Job, by: User) -> bool:
    """Whether there was still something to cancel."""
    changed = Job.objects.filter(pk=job.pk, state__in=_before(State.CANCELLED)).update(
        state=State.CANCELLED, **over(), **NO_FAILURE
    )
    if changed:
        record("job.cancelled", actor=by, subject=job, thread=job.thread)
    return bool(changed)


def due() -> QuerySet[Job]:
    """Jobs that wait, and whose time has come."""
    return Job.objects.filter(state=State.QUEUED, not_before__lte=Now())


def _before(to: Job.State) -> list[Job.State]:
    return [state for state, moves in MOVES.items() if to in moves]


def _ask(job: Job) -> None:
    for question in _asked_before_moving:
        question(job)


def note(verb: str, job: Job, **detail: Any) -> None:
    """A line of the audit about a job that nobody moved by hand."""
    record(verb, actor=None, subject=job, thread=job.thread, **detail)


def over() -> dict[str, Any]:
    """What changes in the row of a job that has ended, however it did."""
    return {"stage": "", "lease_until": None, "finished_at": Now()}
