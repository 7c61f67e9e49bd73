"""The parent of a worker's children looks after them: it ends the one whose work has come to nothing.

Once a second it reads what each child holds (inference.jobs.deadlines). It kills a child that computes past
its deadline, or for a job that was cancelled or given to another; the pool starts a new one in its place.
What a child held that died by itself goes back to the queue at once, before its lease is over. And when the
worker is stopped in order, what would last too long is given back and spends no attempt: a training at once,
since its checkpoint is there, a scan after JOB_STOP_SECONDS. A worker that has gone deaf, as Celery over
Redis can when its connection breaks, ends itself; whoever keeps it starts it again.

The guard holds the lock of the child's row while it decides, and a child needs that row to claim: it is never
killed with a job in its hands that the guard has not seen.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from inference.jobs import lease, presence
from inference.jobs.lease import Claim, Fault, Fenced
from inference.jobs.state import due
from inference.models import Job, Worker

logger = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 1.0
DEAF_AFTER_SECONDS = 20.0
_TOO_LONG = gettext_noop("The work took longer than its deadline and was ended.")
_DIED = gettext_noop("The process that did the work died.")

# A child is forked between two looks, never within one: it would inherit locks that nobody gives back.
_looking = threading.Lock()
os.register_at_fork(
    before=_looking.acquire, after_in_parent=_looking.release, after_in_child=_looking.release
)


class Guard:
    """Looks after the children whose process ids `children()` gives, from a thread of its own."""

    def __init__(self, children: Callable[[], Iterable[int]], queues: Iterable[str] = ()) -> None:
        """`queues` are those whose wake-ups this worker should hear."""
        self._children = children
        self._queues = list(queues)
        self._hears_until = float("inf")
        self._known: set[int] = set()
        self._leaving = threading.Event()
        self._left_at = float("inf")

    def start(self) -> None:
        """Look from now on, until this process ends."""
        threading.Thread(target=self._run, name="guard", daemon=True).start()

    def leave(self) -> None:
        """The worker is being stopped: nothing may last much longer."""
        self._left_at = min(self._left_at, time.monotonic())
        self._leaving.set()

    def look(self) -> None:
        """One look at every child."""
        now = set(self._children())
        gone, self._known = self._known - now, now
        for pid in gone:
            self._settle(presence.name_of(pid))
        busy = Worker.objects.filter(name__in=map(presence.name_of, now)).exclude(holds=[])
        names = list(busy.values_list("name", flat=True))
        for name in names:
            self._judge(name)
        self._listen(is_idle=not names)

    def _run(self) -> None:
        while True:
            try:
                with _looking:
                    close_old_connections()
                    self.look()
            except DatabaseFault as fault:  # whoever holds a job cannot lengthen its lease either
                logger.warning("The database did not let the guard look: %s", fault)
                connection.close()
            except Exception:
                logger.exception("The guard could not look after the workers")
            if self._leaving.is_set():
                time.sleep(LOOK_EVERY_SECONDS / 5)
            else:
                self._leaving.wait(LOOK_EVERY_SECONDS)

    def _listen(self, *, is_idle: bool) -> None:
        """End a worker that does nothing while wake-ups for it lie in the broker: a new one hears them."""
        recently = Now() - timedelta(seconds=3 * settings.JOB_SWEEP_SECONDS)
        calling = due().filter(queue__in=self._queues, rung_at__gt=recently)
        if self._leaving.is_set() or not is_idle or not calling.exists():
            self._hears_until = float("inf")
            return
        self._hears_until = min(self._hears_until, time.monotonic() + DEAF_AFTER_SECONDS)
        if time.monotonic() > self._hears_until:
            logger.error("This worker does not hear its wake-ups any more and is ended")
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Timer(settings.JOB_STOP_SECONDS + 5, os._exit, [1]).start()  # should it not hear that

    @transaction.atomic
    def _judge(self, name: str) -> None:
        row = _locked(name)
        if row is None:
            return
        claims, lost = _claims(row)
        if claims and Worker.objects.filter(pk=row.pk, deadline_at__lt=Now()).exists():
            logger.error("%s computes past its deadline and is ended", name)
            _kill(row)
            _each(claims, lambda held: lease.retry(held, "deadline", _TOO_LONG, fault=Fault.DEADLINE))
        elif not claims and lost:
            logger.info("%s computes for nobody any more and is ended", name)
            _kill(row)
        elif claims and self._is_to_stop(claims):
            logger.info("%s is stopped, and gives back what it holds", name)
            _kill(row)
            _each(claims, lease.give_back)

    @transaction.atomic
    def _settle(self, name: str) -> None:
        """A child has ended: what it still held goes back to the queue."""
        row = _locked(name)
        if row is None:
            return
        claims, _ = _claims(row)
        _each(claims, lambda held: lease.retry(held, "worker_lost", _DIED, fault=Fault.CRASH))
        row.delete()

    def _is_to_stop(self, claims: list[Claim]) -> bool:
        if claims[0].job.kind == Job.Kind.TRAIN:
            return self._leaving.is_set()
        return time.monotonic() > self._left_at + settings.JOB_STOP_SECONDS


def _locked(name: str) -> Worker | None:
    return Worker.objects.select_for_update().filter(name=name).first()


def _claims(row: Worker) -> tuple[list[Claim], bool]:
    """What the process holds by right, and whether anything was taken away from it."""
    tokens = dict(row.holds)
    jobs = {str(job.pk): job for job in Job.objects.filter(pk__in=tokens)}
    by_right = [
        Claim(job, tokens[key])
        for key, job in jobs.items()
        if job.state == Job.State.RUNNING and job.token == tokens[key]
    ]
    lost = any(job.state == Job.State.CANCELLED or job.token != tokens[key] for key, job in jobs.items())
    return by_right, lost


def _kill(row: Worker) -> None:
    """End the process at once; its row goes with it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(row.name.rpartition(":")[2]), signal.SIGKILL)
    row.delete()


def _each(claims: Iterable[Claim], move: Callable[[Claim], None]) -> None:
    for held in claims:
        try:
            move(held)
        except Fenced:
            logger.info("Job %s had ended meanwhile", held.job.pk)
