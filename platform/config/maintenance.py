"""What must go on whatever waits in the queues: chores in a process of their own, never behind a backlog.

One process at a time does them, under an advisory lock of PostgreSQL; another one that is started waits, and
takes over within seconds when the first has gone. Every chore may be done twice or left half done.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection

from accounts import invitations, limits
from audit import checks, seals
from blobs import store
from cases.advice import service as advice
from cases.case_page import presence as presence_at_cases
from cases.uploads import service as uploads
from inference.jobs import presence, sweep
from inference.registry import trainings, weights_upload
from notices import telling
from webhooks import sender

logger = logging.getLogger(__name__)
_LOCK = 0x3A1E
ROUND_SECONDS = 1.0
HOUR = 3600.0


@dataclass(frozen=True)
class Chore:
    """Something to be done again `every` so many seconds."""

    name: str
    every: float
    do: Callable[[], object]


def chores() -> tuple[Chore, ...]:
    """The most urgent first."""
    often = float(settings.JOB_SWEEP_SECONDS)
    return (
        Chore("sweep", often, sweep.sweep),
        Chore("seal", 5.0, seals.catch_up),
        Chore("advise", often, advice.catch_up),
        Chore("check the chain", ROUND_SECONDS, checks.go_on),
        Chore("workers", HOUR, presence.forget_lost),
        Chore("who has a case open", HOUR, presence_at_cases.tidy),
        Chore("tries", HOUR, limits.tidy),
        Chore("links", HOUR, invitations.tidy),
        Chore("uploads that nobody finished", HOUR, uploads.tidy),
        Chore("notices", HOUR, telling.tidy),
        Chore("deliveries", HOUR, sender.tidy),
        Chore("half-written blobs", HOUR, store.tidy),
        Chore("abandoned weights", HOUR, weights_upload.tidy),
        Chore("trainings that are over", HOUR, trainings.tidy),
    )


def keep(over: threading.Event, after_round: Callable[[], object] = lambda: None) -> None:
    """Do what is due, round after round, until `over`; a database that is away only delays."""
    due = {chore.name: 0.0 for chore in chores()}
    while not over.is_set():
        try:
            if _alone():
                _round(due)
            after_round()
        except DatabaseFault as fault:
            logger.warning("Maintenance waits for the database: %s", fault)
            connection.close()
        over.wait(ROUND_SECONDS)


def _round(due: dict[str, float]) -> None:
    for chore in chores():
        if time.monotonic() < due[chore.name]:
            continue
        due[chore.name] = time.monotonic() + chore.every
        try:
            chore.do()
        except DatabaseFault:
            due[chore.name] = 0.0
            raise
        except Exception:
            logger.exception("Maintenance: %s failed", chore.name)


def is_kept() -> bool:
    """Whether a process holds the lock now, here or on another machine."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND classid = 0 AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [_LOCK],
        )
        return bool(cursor.fetchone()[0])


def _alone() -> bool:
    """Whether this process holds the lock, now or already; it goes with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
