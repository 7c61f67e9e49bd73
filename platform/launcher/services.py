"""Ventra's own programs: web, worker, trainer, sender, maintenance. Tests start real ones from here too."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from launcher.environment import ROOT
from launcher.processes import Program

QUEUE, TRAINING_QUEUE, WEBHOOK_QUEUE = "inference", "training", "webhooks"
HERE = "127.0.0.1"
QUIET = ("-l", "INFO", "--without-gossip", "--without-mingle")
_CELERY = (sys.executable, "-m", "celery", "-A", "config")


def web(environment: Mapping[str, str], log: Path, port: int, host: str = HERE) -> Program:
    """The pages and the API, on this machine's own address unless another is named."""
    command = (sys.executable, "manage.py", "serve", "--host", host, "--port", str(port))
    return _program("web", command, environment, log)


def worker(environment: Mapping[str, str], log: Path, *, queue: str = QUEUE, processes: int = 2) -> Program:
    """A prefork worker; a job it leaves behind when killed is claimed again when its lease is over."""
    options = ("-Q", queue, "-c", str(processes), "-n", "worker@%h")
    return _program("worker", (*_CELERY, "worker", *options, *QUIET), environment, log)


def trainer(environment: Mapping[str, str], log: Path, *, queue: str = TRAINING_QUEUE) -> Program:
    """One process for trainings, replaced after each: what they held in memory goes with it."""
    options = ("-Q", queue, "-c", "1", "-n", "trainer@%h", "--max-tasks-per-child", "1")
    return _program("trainer", (*_CELERY, "worker", *options, *QUIET), environment, log)


def sender(environment: Mapping[str, str], log: Path, *, queue: str = WEBHOOK_QUEUE) -> Program:
    """One process that calls webhooks: no job waits behind a receiver that is slow."""
    options = ("-Q", queue, "-c", "1", "-n", "sender@%h")
    return _program("sender", (*_CELERY, "worker", *options, *QUIET), environment, log)


def maintenance(environment: Mapping[str, str], log: Path) -> Program:
    """Sweeps, seals, tidies and wakes the workers."""
    return _program("maintenance", (sys.executable, "manage.py", "maintain"), environment, log)


def worker_processes() -> int:
    """Two at least, so that no scan waits behind a slow one; four at most, for their memory."""
    return max(2, min(4, os.cpu_count() or 1))


def _program(name: str, command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> Program:
    return Program(name, command, log, environment=environment, directory=ROOT, grace_seconds=10)
