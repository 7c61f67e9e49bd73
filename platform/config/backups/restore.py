"""Bringing a backup back into an empty installation."""

from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from accounts.models import User
from audit.trail import record
from blobs import store
from blobs.storage import DurableFileSystemStorage
from cases.models import Case
from config.backups import database
from config.backups.manifest import DUMP, BackupFault, Manifest, blobs_of


def restore(backup: Path, *, report: Callable[[str], object]) -> Manifest:
    """Put a backup in the place of an empty installation, bring it to this version: what it says of itself.

    Files come first and the database last, in one transaction: one that is broken off leaves the installation
    empty, and goes on where it was. Raises BackupFault: the database is as it was.
    """
    manifest = Manifest.read(backup)
    _refuse_a_later_version(manifest)
    _refuse_a_place_in_use()
    source = DurableFileSystemStorage(location=backup.parent / "blobs")
    blobs = blobs_of(backup)
    known_faults = set(manifest.faults)
    for number, (sha256, _) in enumerate(blobs, 1):
        try:
            with source.open(store.name_of(sha256)) as file:
                store.put_back(sha256, file)
        except (OSError, store.BlobCorrupt) as fault:
            if not any(sha256 in known for known in known_faults):
                raise BackupFault(
                    f"The stored file {sha256} of the backup is missing or has changed."
                ) from fault
        if number % 1000 == 0:
            report(f"{number} of {len(blobs)} stored files")
    report(f"{len(blobs)} stored files are there")
    database.load(backup / DUMP)
    report("the database is there")
    call_command("migrate", interactive=False, verbosity=0)
    record("installation.restored", actor=None, name=backup.name)
    return manifest


def _refuse_a_later_version(manifest: Manifest) -> None:
    known = MigrationLoader(None).disk_migrations
    later = [f"{app} {name}" for app, name in manifest.migrations.items() if (app, name) not in known]
    if later:
        raise BackupFault(f"The backup was taken by a later version than this one: {', '.join(later)}.")


def _refuse_a_place_in_use() -> None:
    tables = connection.introspection.table_names()
    for model, what in ((Case, "cases"), (User, "accounts")):
        if model._meta.db_table in tables and model._default_manager.exists():
            raise BackupFault(f"A backup is restored into an empty installation only; this one has {what}.")
