"""One migrated database for all test processes: each of them starts from a copy of it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

NAME = "test_ventra_migrated"


@contextmanager
def to_copy_from(shared: Path, process: str) -> Iterator[None]:
    """Inside, Django's test database is made from the migrated one; the last process out takes that away.

    shared: a folder of this run, the same for every process. process: this one's name.
    """
    users = shared / "migrated-database"
    with _alone(shared):
        first = not users.exists() or not any(users.iterdir())
        users.mkdir(exist_ok=True)
        (users / process).touch()
        if first:
            _migrate()
    connection.settings_dict["TEST"] |= {"TEMPLATE": NAME, "MIGRATE": False}
    yield
    with _alone(shared):
        (users / process).unlink()
        if not any(users.iterdir()):
            with connection.creation._nodb_cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {NAME}")


@contextmanager
def _alone(shared: Path) -> Iterator[None]:
    with (shared / "migrated-database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate() -> None:
    """Make it under its own name, and leave the settings as if nothing had been."""
    named, used = connection.settings_dict["TEST"]["NAME"], connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = NAME
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connection.close()
        connection.settings_dict["TEST"]["NAME"] = named
        connection.settings_dict["NAME"] = used
