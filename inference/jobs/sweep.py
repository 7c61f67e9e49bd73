"""Jobs that a dead worker held are put back on their way."""

from django.db.models.functions import Now

from inference import events
from inference.jobs.lease import Claim, Fault, Fenced, retry
from inference.jobs.state import State, waiting_for_storage
from inference.models import Job


def sweep() -> int:
    """Requeue what a dead worker held, park what kills workers: how many."""
    if not waiting_for_storage().exists():
        events.storage_found()
    return _requeue_expired()


def _requeue_expired() -> int:
    expired = Job.objects.filter(state=State.RUNNING, lease_until__lt=Now())
    for job in expired:
        try:
            retry(
                Claim(job, job.token),
                "worker_lost",
                "The worker that held the job stopped answering.",
                fault=Fault.CRASH,
            )
        except Fenced:
            continue  # its worker finished after all, between our look and our move
    return len(expired)
