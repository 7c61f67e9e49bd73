"""Waiting for what other processes do."""

import time
from collections.abc import Callable

from inference.models import Job


def until(holds: Callable[[], bool], *, seconds: float = 120) -> None:
    """Look again and again; fails with all jobs when it takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, list(Job.objects.values())
        time.sleep(0.02)
