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
_arriving = threading.Lock()
_arrived: set[str] = set()
"""The names under which this process has written its row."""
_heard: str | None = None
"""Its queues; None in a process that is no worker's child."""


def own_name() -> str:
    """This process, as its jobs and its row call it."""
    return name_of(os.getpid())


def name_of(pid: int) -> str:
    """A process of this machine, likewise."""
    return f"{socket.gethostname()}:{pid}"


def stay(queues: Iterable[str]) -> None:
    """From now on, and without waiting for the database: say that this process is there."""
    global _heard  # noqa: PLW0603  # of this process
    _over.clear()
    _heard = ",".join(sorted(queues))[:200]
    threading.Thread(target=_stay, name="presence", daemon=True).start()


def be_known() -> None:
    """Write the row of this process, if it is a worker's child and nobody knows it yet."""
    with _arriving:
        if _heard is not None and own_name() not in _arrived:
            arrive(_heard)
            _arrived.add(own_name())


def leave() -> None:
    """The process ends as it should: nobody will miss it."""
    _over.set()
    Worker.objects.filter(name=own_name()).delete()


def arrive(queues: str) -> None:
    """A new process, even where an earlier one had the same number."""
    fresh = {"queues": queues, "device": "", "started_at": Now(), "seen_at": Now(), "lease_until": _lease()}
    fresh |= {"holds": [], "deadline_at": None}
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


def _stay() -> None:
    """Until the process leaves; a database that is away only delays."""
    while True:
        try:
            close_old_connections()
            be_known()
            if not beat():
                _arrived.clear()
                be_known()
        except DatabaseFault as fault:
            logger.warning("The database did not hear this worker: %s", fault)
        if _over.wait(settings.JOB_LEASE_SECONDS / 3):
            break
    connection.close()


def _lease() -> CombinedExpression:
    return Now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
