"""Jobs that a dead worker held, or that nobody took, are put back on their way."""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from inference import events
from inference.jobs.lease import Claim, Fenced, retry
from inference.jobs.state import State, due, notify_workers, waiting_for_storage
from inference.models import Job


def sweep() -> int:
    """Requeue what a dead worker held, park what kills workers, notify_workers again what nobody took."""
    if not waiting_for_storage().exists():
        events.storage_found()
    return _requeue_expired() + _ring_again()


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
    unheard = due().exclude(rung_at__gt=Now() - silence)
    ids = list(unheard.order_by("-priority", "created_at").values_list("pk", flat=True)[:200])
    notify_workers(ids)
    return len(ids)
