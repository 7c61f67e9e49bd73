"""The database and the broker that come along."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from launcher import servers
from launcher.console import Problem
from launcher.home import Home
from launcher.processes import Process, Program, stop_all
from launcher.servers import Servers

LISTENING = "0A"


@pytest.fixture(scope="module")
def running() -> Iterator[Servers]:
    with servers.throwaway() as started:
        yield started


@contextmanager
def serving(home: Home) -> Iterator[Servers]:
    """Durable servers on a home, as ./run has them."""
    home.make()
    started: list[Process] = []

    def start(program: Program) -> Process:
        started.append(Process(program))
        return started[-1]

    try:
        yield servers.start(home, start)
    finally:
        stop_all(started)


def query(started: Servers, *statements: str) -> list[tuple]:
    with closing(psycopg2.connect(started.environment["DATABASE_URL"])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def broker(started: Servers) -> redis.Redis:
    path = started.environment["CELERY_BROKER_URL"].removeprefix("redis+socket://").split("?")[0]
    return redis.Redis(unix_socket_path=path)


def tcp_ports_of(pid: int) -> set[str]:
    """Local addresses of the listening TCP sockets that a process holds."""
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    return {row[1] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in links}


def test_the_database_answers_and_speaks_every_alphabet(running: Servers) -> None:
    assert query(running, "SELECT lower('ÅÉÎØÜ')") == [("åéîøü",)]


def test_the_database_user_may_make_databases_and_is_no_superuser(running: Servers) -> None:
    assert query(running, "CREATE DATABASE another", "DROP DATABASE another") == []
    assert query(running, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_the_broker_answers_and_refuses_to_forget(running: Servers) -> None:
    with closing(broker(running)) as client:
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_no_server_opens_a_port(running: Servers) -> None:
    assert {name: tcp_ports_of(process.pid) for name, process in running.processes.items()} == {
        "valkey": set(),
        "postgres": set(),
    }


def test_nobody_else_may_reach_the_sockets(running: Servers) -> None:
    sockets = Path(running.environment["DATABASE_URL"].split("host=")[1])
    assert sockets.stat().st_mode & 0o077 == 0


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with serving(home) as started, closing(broker(started)) as client:
        query(started, "CREATE TABLE note (line text)", "INSERT INTO note VALUES ('kept')")
        client.rpush("inference", "wake-up")
    with serving(home) as started, closing(broker(started)) as client:
        assert query(started, "SELECT line FROM note") == [("kept",)]
        assert client.lrange("inference", 0, -1) == [b"wake-up"]


def test_servers_that_were_killed_recover_with_all_that_was_committed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with serving(home) as started:
        query(started, "CREATE TABLE note (line text)", "INSERT INTO note VALUES ('kept')")
        for process in started.processes.values():
            process.kill()
    assert (home.postgres / "postmaster.pid").exists()
    with serving(home) as started:
        assert query(started, "SELECT line FROM note") == [("kept",)]


def test_a_cluster_half_made_is_made_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    (home.root / "postgres.new" / "base").mkdir(parents=True)
    with serving(home) as started:
        assert query(started, "SELECT 1") == [(1,)]


def test_data_of_another_postgresql_is_refused_with_both_versions_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.postgres.mkdir(parents=True)
    (home.postgres / "PG_VERSION").write_text("9\n")
    with pytest.raises(Problem, match="made by PostgreSQL 9; here is version"), serving(home):
        pass


def test_a_long_or_odd_path_gets_its_sockets_in_a_short_private_folder(tmp_path: Path) -> None:
    for folder in (tmp_path / ("deep" * 20), tmp_path / "with space?"):
        home = Home(folder)
        home.make()
        assert len(str(home.sockets)) < 80
        assert home.sockets.stat().st_mode & 0o077 == 0
        home.sockets.rmdir()


def test_where_the_temporary_folder_lies_deep_as_well_they_stand_under_tmp(
    tmp_path: Path, monkeypatch
) -> None:
    deep = tmp_path / ("deep" * 20)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    home = Home(deep / "home")
    home.make()
    assert home.sockets.parent == Path("/tmp")
    home.sockets.rmdir()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    (home.valkey / "appendonlydir").write_text("in the way")
    with pytest.raises(Problem, match=r"(?s)valkey ended while starting.*appendonlydir"), serving(home):
        pass
