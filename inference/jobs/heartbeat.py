"""A worker's child says that it is still at its jobs, from a thread of its own: what computes cannot."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection

from inference.jobs import deadlines, lease
from inference.jobs.lease import Claim

logger = logging.getLogger(__name__)


@contextmanager
def kept_alive(claims: Sequence[Claim]) -> Iterator[None]:
    """Renew the leases from a thread of its own while the engine computes, but not past its deadline."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(settings.JOB_LEASE_SECONDS / 3) and not deadlines.is_over():
            try:
                close_old_connections()
                lease.heartbeat(claims)
            except DatabaseFault as fault:  # it may answer before the leases are over
                logger.warning("The database did not hear the heartbeat: %s", fault)
        connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
