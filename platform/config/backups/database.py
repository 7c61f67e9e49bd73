"""The database as one file, and back: by PostgreSQL's own programs."""

import os
import subprocess
from pathlib import Path

from django.db import connection
from psycopg2.extensions import make_dsn

from config.backups.manifest import BackupFault
from launcher.console import Problem
from launcher.postgres import client

EMPTY = "SET lock_timeout = '15s'; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
_OURS = {"cursor_factory", "client_encoding", "context", "prepare_threshold", "password"}


def dump(target: Path, *, snapshot: str) -> None:
    """Everything as the exported snapshot saw it. Raises BackupFault."""
    command = [
        _program("pg_dump"),
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot}",
    ]
    _run([*command, f"--file={target}", f"--dbname={_dsn()}"])


def load(source: Path) -> None:
    """Put the dump in the place of all that is in the database: whole, or not at all. Raises BackupFault."""
    read = [_program("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--file=-", str(source)]
    write = [_program("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    # the output of a statement that fails may hold a row: errors are told without it
    write += [
        "--set=VERBOSITY=terse",
        "--output=/dev/null",
        f"--command={EMPTY}",
        "--file=-",
        f"--dbname={_dsn()}",
    ]
    connection.close()
    with subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        _run(write, stdin=reader.stdout)
        if reader.wait():
            raise BackupFault("pg_restore could not read the dump to its end.")


def _run(command: list[str], stdin: object = subprocess.DEVNULL) -> None:
    said = subprocess.run(  # type: ignore[call-overload]
        command, stdin=stdin, capture_output=True, text=True, check=False, env=_environment()
    )
    if said.returncode:
        reason = next((line for line in said.stderr.splitlines() if "ror:" in line or "ERROR" in line), "")
        raise BackupFault(f"{Path(command[0]).name} failed. {reason or said.stderr[-300:]}".strip())


def _program(name: str) -> str:
    try:
        return str(client(name))
    except Problem as missing:
        raise BackupFault(str(missing)) from missing


def _dsn() -> str:
    parameters = connection.get_connection_params()
    return str(make_dsn(**{key: value for key, value in parameters.items() if key not in _OURS}))


def _environment() -> dict[str, str]:
    """The password stands in the environment, where other users of the machine do not see it."""
    password = connection.get_connection_params().get("password")
    return dict(os.environ) | ({"PGPASSWORD": password} if password else {})
