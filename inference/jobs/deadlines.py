"""What this process computes, and until when: on its row, where its parent looks (inference.jobs.guard).

An engine that hangs cannot look at a clock, and the thread that lengthens its leases goes on. So the deadline
is kept twice: by the parent, which ends the process, and by that thread, which falls silent if the parent did
not.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from inference.jobs import presence
from inference.models import Worker

_ends = float("inf")
"""Of what is computed now, on this process's own monotonic clock."""


def begin(kind: str, claims: Sequence[tuple[str, int]]) -> None:
    """Work of this kind begins: pairs of a job's id and its claim's token. In the transaction of the claim.

    The row is locked by whoever ends this process, so that nothing can be claimed at that moment.
    """
    global _ends  # noqa: PLW0603  # one process computes one thing
    _ends = time.monotonic() + _seconds(kind)
    presence.be_known()
    _row().update(holds=[list(pair) for pair in claims], deadline_at=_from_now(kind))


def extend(kind: str) -> None:
    """The work has come one step further, and has the whole time again for the next."""
    global _ends  # noqa: PLW0603
    _ends = time.monotonic() + _seconds(kind)
    _row().update(deadline_at=_from_now(kind))


def end() -> None:
    """Nothing is computed now."""
    global _ends  # noqa: PLW0603
    _ends = float("inf")
    _row().update(holds=[], deadline_at=None)


def is_over() -> bool:
    """Whether the deadline went by longer than a lease ago: then nobody has kept it."""
    return time.monotonic() > _ends + settings.JOB_LEASE_SECONDS


def _row() -> QuerySet[Worker]:
    return Worker.objects.filter(name=presence.own_name())


def _seconds(kind: str) -> int:
    return int(settings.JOB_DEADLINES[kind])


def _from_now(kind: str) -> CombinedExpression:
    return Now() + timedelta(seconds=_seconds(kind))
