"""The database as one file, and back: by PostgreSQL's own programs."""

import os
import shutil
import subprocess
from pathlib import Path

from django.db import connection
from psycopg2.extensions import make_dsn

from launcher.console import Problem
from launcher.postgres import client
from refusals import Refusal

BEGIN = b"BEGIN; SET LOCAL lock_timeout = '15s'; DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
COMMIT = b"\nCOMMIT;\n"
_DJANGOS = {"cursor_factory", "client_encoding", "context", "prepare_threshold", "password"}
"""Parameters of a connection that are Django's or psycopg's, and the password, which stands in no command."""


def dump(target: Path, *, snapshot: str) -> None:
    """Everything as the exported snapshot saw it. Raises database_programs."""
    command = [_program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
    command += [f"--snapshot={snapshot}", f"--file={target}", f"--dbname={_dsn()}"]
    said = subprocess.run(command, capture_output=True, check=False, env=_environment())
    if said.returncode:
        raise _failed("pg_dump", said.stderr)


def load(source: Path) -> None:
    """Put the dump in the place of what is in the database, whole or not at all. Raises database_programs.

    What is read is committed only once it was read to its end: a reader that is killed ends the stream like
    one that is done.
    """
    read = [_program("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--file=-", str(source)]
    # the output of a statement that fails may hold a row: errors are told without it
    write = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"]
    write += ["--output=/dev/null", "--file=-", f"--dbname={_dsn()}"]
    connection.close()
    with (
        subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader,
        subprocess.Popen(write, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()) as writer,
    ):
        assert reader.stdout  # noqa: S101  # it is a pipe
        assert writer.stdin  # noqa: S101
        try:
            writer.stdin.write(BEGIN)
            shutil.copyfileobj(reader.stdout, writer.stdin)
            is_whole = reader.wait() == 0
            if is_whole:
                writer.stdin.write(COMMIT)
        except BrokenPipeError:
            is_whole = True  # it is the writer that has something to say
        _, errors = writer.communicate()
    if not is_whole:
        raise Refusal("database_programs", "pg_restore could not read the dump to its end.")
    if writer.returncode:
        raise _failed("psql", errors)


def _failed(program: str, errors: bytes) -> Refusal:
    lines = errors.decode(errors="replace").splitlines()
    reason = next((line for line in lines if "error:" in line.lower()), lines[-1] if lines else "")
    return Refusal("database_programs", f"{program} failed. {reason}".strip())


def _program(name: str) -> str:
    try:
        return str(client(name))
    except Problem as missing:
        raise Refusal("database_programs", str(missing)) from missing


def _dsn() -> str:
    parameters = connection.get_connection_params()
    return str(make_dsn(**{key: value for key, value in parameters.items() if key not in _DJANGOS}))


def _environment() -> dict[str, str]:
    """With the password, which other users of the machine do not see there."""
    password = connection.get_connection_params().get("password")
    return dict(os.environ) | ({"PGPASSWORD": password} if password else {})
