"""The thin Celery doors."""

import uuid
from typing import Any

from celery import current_app, shared_task
from celery.signals import (
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)

from inference.jobs import presence, worker
from inference.jobs.guard import Guard

_guards: list[Guard] = []


@shared_task(name="inference.work")
def work(wake_up: str) -> None:
    """Do the most urgent waiting work of the queue of the wake-up's job."""
    worker.work(uuid.UUID(wake_up))


@worker_ready.connect
def look_after(sender: Any, **_: Any) -> None:
    """The parent of a worker's children begins."""
    pool = sender.pool
    guard = Guard(lambda: pool.info["processes"], current_app.amqp.queues.consume_from)
    guard.start()
    _guards.append(guard)


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    """The parent was asked to end."""
    for guard in _guards:
        guard.leave()


@worker_process_init.connect
def stay(**_: Any) -> None:
    """A worker's child begins."""
    presence.stay(current_app.amqp.queues.consume_from)


@worker_process_shutdown.connect
def leave(**_: Any) -> None:
    """A worker's child ends as it should."""
    presence.leave()
