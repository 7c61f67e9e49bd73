"""The thin Celery doors."""

import uuid
from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_process_init, worker_process_shutdown

from inference.jobs import presence, worker
from inference.jobs import sweep as sweeper


@shared_task(name="inference.work")
def work(wake_up: str) -> None:
    """Do the most urgent waiting work of the queue of the wake-up's job."""
    worker.work(uuid.UUID(wake_up))


@shared_task(name="inference.sweep")
def sweep() -> None:
    """Recover what dead workers held and ring for what nobody took."""
    sweeper.sweep()
    presence.forget_lost()


@worker_process_init.connect
def stay(**_: Any) -> None:
    """A worker's child begins."""
    presence.stay(current_app.amqp.queues.consume_from)


@worker_process_shutdown.connect
def leave(**_: Any) -> None:
    """A worker's child ends as it should."""
    presence.leave()
