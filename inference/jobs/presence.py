"""Which workers there are: each says now and then that it is there, one cheap write, and takes itself off.

A worker that is killed says nothing any more, and counts as lost when its lease is over: as with its jobs.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from inference.models import Worker

logger = logging.getLogger(__name__)
REMEMBERED = timedelta(hours=24)
"""For how long a lost worker is still shown."""
_over = threading.Event()


def own_name() -> str:
    """This process, as its jobs and its row call it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def stay(queues: Iterable[str]) -> None:
    """From now on, and without waiting for the database: say that this process is there."""
    _over.clear()
    heard = ",".join(sorted(queues))[:200]
    threading.Thread(target=_stay, args=[heard], name="presence", daemon=True).start()


def leave() -> None:
    """The process ends as it should: nobody will miss it."""
    _over.set()
    Worker.objects.filter(name=own_name()).delete()


def arrive(queues: str) -> None:
    """A new process, even where an earlier one had the same number."""
    fresh = {"queues": queues, "device": "", "started_at": Now(), "seen_at": Now(), "lease_until": _lease()}
    Worker.objects.update_or_create(name=own_name(), defaults=fresh)


def beat() -> bool:
    """Say so once more; False when nobody knows this process."""
    return bool(Worker.objects.filter(name=own_name()).update(seen_at=Now(), lease_until=_lease()))


def runs_on(device: str) -> None:
    """Say where this process computes."""
    Worker.objects.filter(name=own_name()).update(device=device[:40])


def forget_lost() -> None:
    """Take off the workers that have been lost for long."""
    Worker.objects.filter(lease_until__lt=Now() - REMEMBERED).delete()


def _stay(queues: str) -> None:
    """Until the process leaves; a database that is away only delays."""
    is_known = False
    while True:
        try:
            close_old_connections()
            is_known = is_known and beat()
            if not is_known:
                arrive(queues)
                is_known = True
        except DatabaseFault as fault:
            logger.warning("The database did not hear this worker: %s", fault)
        if _over.wait(settings.JOB_LEASE_SECONDS / 3):
            break
    connection.close()


def _lease() -> CombinedExpression:
    return Now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
