"""Workers are woken from here alone: one thread speaks to the broker, and nobody waits for it.

It hears from PostgreSQL that something waits (webhooks.wake_ups), looks for itself every few seconds, and
sends wake-ups until as many lie in the broker as work waits, WINDOW at most. So a backlog makes no heap of
messages, a broker that forgot or was frozen is told again, and two that do this at once do no harm.
"""

import logging
import select
import threading
from collections.abc import Iterator

import redis
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import KombuError

from inference.jobs.state import due
from inference.models import Job
from webhooks import outbox, wake_ups

logger = logging.getLogger(__name__)
FAULTS = (DatabaseFault, KombuError, redis.RedisError, OSError)
"""Of either server, in the words of its clients."""
WINDOW = 16
"""Wake-ups that lie in the broker for one queue, at most."""


def keep_waking(over: threading.Event) -> None:
    """Until `over`: a database or a broker that is away only delays."""
    while not over.is_set():
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {wake_ups.CHANNEL}")
            with current_app.connection_for_write() as broker:
                while not over.is_set():
                    wake(broker)
                    _wait_until_told(settings.JOB_SWEEP_SECONDS)
        except FAULTS as fault:
            logger.warning("No worker can be woken: %s: %s", type(fault).__name__, fault)
        except Exception:
            logger.exception("No worker can be woken")
        connection.close()
        over.wait(1)


def wake(broker: Connection) -> int:
    """Wake the workers of every queue in which something waits: how many wake-ups."""
    sent = 0
    client = broker.default_channel.client  # type: ignore[attr-defined]  # of Redis
    for queue, task, arguments in _waiting():
        missing = len(arguments) - client.llen(queue)
        for words in arguments[: max(0, missing)]:
            current_app.send_task(task, args=words, queue=queue, connection=broker, retry=False)
            sent += 1
        if task == _WORK:
            Job.objects.filter(pk=arguments[0][0]).update(rung_at=Now())
    return sent


_WORK = "inference.work"


def _waiting() -> Iterator[tuple[str, str, list[list[str]]]]:
    """Each queue with the task that does its work, and what that is to be told, once for each wake-up."""
    for queue in due().order_by().values_list("queue", flat=True).distinct():
        urgent = due().filter(queue=queue).order_by("-priority", "created_at")
        yield queue, _WORK, [[str(pk)] for pk in urgent.values_list("pk", flat=True)[:WINDOW]]
    if outbox.due().exists():
        yield settings.WEBHOOK_QUEUE, "webhooks.deliver", [[]]


def _wait_until_told(seconds: float) -> None:
    told = connection.connection
    with connection.wrap_database_errors:
        select.select([told.fileno()], [], [], seconds)
        told.poll()
    told.notifies.clear()
