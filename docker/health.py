"""Is this container well? `python health.py web|worker|maintenance` exits 0 if it is, else says why not."""

import http.client
import os
import sys
import time
from pathlib import Path

import kombu
import kombu.exceptions

STALE_AFTER_SECONDS = 120.0


def web() -> str | None:
    """The web process answers."""
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as error:
        return f"/healthz does not answer: {error}"
    return None if status == http.HTTPStatus.OK else f"/healthz answers {status}"


def worker() -> str | None:
    """The queue is reachable, and the worker has the processes that do its jobs."""
    if not any(_children(pid) for pid in _named("celery")):
        return "the worker has no processes for jobs"
    try:
        with kombu.Connection(os.environ["CELERY_BROKER_URL"]) as broker:
            broker.ensure_connection(max_retries=1, timeout=4)
    except kombu.exceptions.OperationalError as error:
        return f"the queue does not answer: {error}"
    return None


def maintenance() -> str | None:
    """It touches its file every second, also while it waits for another one that is at work."""
    pulse = Path("/tmp/pulse")  # noqa: S108  # in a container of its own
    if not pulse.exists() or time.time() - pulse.stat().st_mtime > STALE_AFTER_SECONDS:
        return "maintenance has not gone round lately"
    return None


CHECKS = {"web": web, "worker": worker, "maintenance": maintenance}


def _named(program: str) -> list[int]:
    """Processes that run the program, alone or by their interpreter; not the init that only names it."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if program in _first_words(pid)]


def _first_words(pid: int) -> list[str]:
    return [Path(word).name for word in _read(f"/proc/{pid}/cmdline").split("\0")[:2]]


def _children(pid: int) -> str:
    return _read(f"/proc/{pid}/task/{pid}/children").strip()


def _read(path: str) -> str:
    """A file of /proc; empty if its process has just gone."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(CHECKS[sys.argv[1]]())
