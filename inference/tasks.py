"""The thin Celery doors."""

import uuid

from celery import shared_task

from inference import jobs, worker


@shared_task(name="inference.work")
def work(doorbell: str) -> None:
    """Do the most urgent waiting work of the doorbell's queue."""
    worker.work(uuid.UUID(doorbell))


@shared_task(name="inference.sweep")
def sweep() -> None:
    """Recover what dead workers held and ring for what nobody took."""
    jobs.sweep()
