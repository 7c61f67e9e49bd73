"""./run as a newcomer meets it, on a data folder of its own."""

import os
import re
import secrets
import select
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from launched import ROOT, Launcher, own_environment

PATIENCE_MILLISECONDS = 60_000

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def own_database() -> Iterator[str]:
    """A DATABASE_URL that somebody names: an empty database on the tests' server, gone afterwards."""
    name = f"own_{secrets.token_hex(4)}"
    servers = os.environ["DATABASE_URL"]
    connection = psycopg2.connect(servers)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    yield urlsplit(servers)._replace(path=f"/{name}").geturl()
    connection.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


def gone(watch: int) -> bool:
    """Whether the process behind a pidfd ends within our patience."""
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    return bool(poll.poll(PATIENCE_MILLISECONDS))


@pytest.fixture
def launcher(home: Path) -> Iterator[Launcher]:
    started = Launcher(home)
    yield started
    started.popen.kill()
    started.popen.communicate()


def test_nothing_is_left_running_after_the_launcher_is_killed(launcher: Launcher) -> None:
    launcher.address()
    programs = launcher.programs()
    for name in ("postgres", "valkey", "manage.py serve", "celery -A config worker", "manage.py maintain"):
        assert any(name in command for command in programs.values()), name
    launcher.popen.kill()
    assert [command for watch, command in programs.items() if not gone(watch)] == []


def test_a_newcomer_is_served_what_falls_is_mended_and_everything_stops_in_order(
    launcher: Launcher, home: Path
) -> None:
    address = launcher.address()
    with urllib.request.urlopen(address, timeout=30) as response:
        assert response.status == 200
        assert "password" in response.read().decode()
    assert "reader" in launcher.said
    second = Launcher(home)
    said, _ = second.popen.communicate(timeout=60)
    assert second.popen.returncode == 1
    assert f"already running at {address}" in said
    assert "Everything is what it was" in managed(home, "verify").stdout
    kill_the_worker(launcher)
    stop(launcher)


def stop(launcher: Launcher) -> None:
    """Ask the launcher to end; its programs end with it, and the data stays."""
    programs = launcher.programs()
    launcher.popen.send_signal(signal.SIGINT)
    said, _ = launcher.popen.communicate(timeout=60)
    assert launcher.popen.returncode == 0
    assert "the data is kept" in said
    assert (launcher.home / "postgres" / "PG_VERSION").exists()
    assert [command for watch, command in programs.items() if not gone(watch)] == []


def test_with_a_database_and_a_name_of_ones_own_it_comes_up_without_the_demo(
    tmp_path: Path, own_database: str
) -> None:
    settings = {"DATABASE_URL": own_database, "ALLOWED_HOSTS": "ventra.hospital.example"}
    started = Launcher(tmp_path, **settings)
    try:
        address = started.address()
        assert "ventra demo only" not in started.said
        assert "./manage first_administrator NAME" in started.said
        made = managed(tmp_path, "first_administrator", "chief", **settings)
        assert f"{address}account/new-password/?link=" in made.stdout
        refused = managed(tmp_path, "demo", **settings)
        assert refused.returncode == 1
        assert "the demo does not come here" in refused.stderr
        asked = urllib.request.Request(address, headers={"Host": "ventra.hospital.example"})
        with urllib.request.urlopen(asked, timeout=30) as response:
            assert response.status == 200
    finally:
        started.popen.send_signal(signal.SIGINT)
        started.popen.communicate(timeout=60)


def managed(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "manage", *words],
        env=own_environment() | {"VENTRA_HOME": str(home)} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_management_command_needs_a_ventra_that_runs(tmp_path: Path) -> None:
    refused = managed(tmp_path, "verify")
    assert refused.returncode == 1
    assert f"No Ventra is running with the data in {tmp_path}. Start one with ./run." in refused.stderr


def kill_the_worker(launcher: Launcher) -> None:
    """Kill every process of the worker; it is started again."""
    worker = "celery -A config worker"
    before = {watch for watch, command in launcher.programs().items() if worker in command}
    assert before
    for watch in before:
        signal.pidfd_send_signal(watch, signal.SIGKILL)
    assert launcher.popen.stdout
    assert next(line for line in launcher.popen.stdout if re.search("worker .*started again", line))
    assert all(gone(watch) for watch in before)
    assert worker in " ".join(launcher.programs().values())


def test_a_port_in_use_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = Launcher(tmp_path, "--port", str(taken.getsockname()[1]))
        said, _ = refused.popen.communicate(timeout=60)
    assert refused.popen.returncode == 1
    assert "name another: ./run --port N" in said
    assert not (tmp_path / "postgres").exists()
