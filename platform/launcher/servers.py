"""The database and the broker: the user's own where the environment names them, else ours."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launcher import postgres, valkey
from launcher.home import Home
from launcher.processes import Process, Program, stop_all

OURS = ("valkey", "postgres")
READY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Servers:
    """What was started: `environment` names the servers as the settings expect it."""

    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)


def named_by_user(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment has NAME or NAME_FILE."""
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def addresses(home: Home) -> dict[str, str]:
    """Where a home's servers listen, but for those that the user named."""
    ours = {}
    if not named_by_user("DATABASE_URL"):
        ours["DATABASE_URL"] = postgres.cluster(home).url
    if not named_by_user("CELERY_BROKER_URL"):
        ours["CELERY_BROKER_URL"] = valkey.url(home)
    return ours


def start(
    home: Home,
    start_program: Callable[[Program], Process],
    *,
    durable: bool = True,
    database: bool = True,
    broker: bool = True,
) -> Servers:
    """Start the wanted servers side by side and wait until they answer."""
    servers, waits = Servers(), []
    if broker:
        process = start_program(valkey.program(home, durable=durable))
        servers.processes["valkey"] = process
        servers.environment["CELERY_BROKER_URL"] = valkey.url(home)
        waits.append((process, lambda: valkey.is_ready(home)))
    if database:
        cluster = postgres.cluster(home, durable=durable)
        cluster.make_ready()
        server = start_program(cluster.program())
        servers.processes["postgres"] = server
        servers.environment["DATABASE_URL"] = cluster.url
        waits.append((server, lambda: cluster.is_ready(server)))
    for started, ready in waits:
        started.wait_until(ready, seconds=READY_WITHIN_SECONDS)
    return servers


@contextlib.contextmanager
def throwaway(*, database: bool = True, broker: bool = True) -> Iterator[Servers]:
    """Servers of one's own in a temporary folder, gone with the block and with the process.

    `processes["valkey"].kill()` or a SIGSTOP to its `pid` make the faults that tests need.
    """
    with tempfile.TemporaryDirectory(prefix="ventra-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        home.make()
        started: list[Process] = []

        def start_program(program: Program) -> Process:
            started.append(Process(program))
            return started[-1]

        try:
            yield start(home, start_program, durable=False, database=database, broker=broker)
        finally:
            stop_all(started)
