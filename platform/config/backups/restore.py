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
from config.backups.manifest import DUMP, Manifest, blobs_of
from refusals import Refusal


def restore(backup: Path, *, without_damaged: bool = False, report: Callable[[str], object]) -> Manifest:
    """Put a backup in the place of an empty installation, bring it to this version: what it says of itself.

    Files come first and the database last, in one transaction: one that is broken off leaves the installation
    empty, and goes on where it was. without_damaged: stored files that the backup has lost are named, and all
    else is brought back. Raises no_backup, another_version, backup_changed, place_in_use,
    nowhere_to_store, database_programs: the database is as it was.
    """
    manifest = Manifest.read(backup)
    _refuse_a_later_version(manifest)
    _refuse_a_place_in_use()
    blobs = blobs_of(backup)
    source = DurableFileSystemStorage(location=backup.parent / "blobs")
    lost = " ".join(manifest.faults)
    for number, (sha256, _) in enumerate(blobs, 1):
        try:
            _bring_back(sha256, source)
        except Refusal as refusal:
            if refusal.code != "backup_changed" or not (without_damaged or sha256 in lost):
                raise
            report(str(refusal))
        if number % 1000 == 0:
            report(f"{number} of {len(blobs)} stored files")
    report(f"{len(blobs)} stored files are there")
    database.load(backup / DUMP)
    report("the database is there")
    call_command("migrate", interactive=False, verbosity=0)
    record("installation.restored", actor=None, name=backup.name)
    return manifest


def _bring_back(sha256: str, source: DurableFileSystemStorage) -> None:
    missing = f"The stored file {sha256} of the backup is missing or has changed."
    try:
        file = source.open(store.name_of(sha256))
    except OSError as fault:
        raise Refusal("backup_changed", missing) from fault
    with file:
        try:
            store.put_back(sha256, file)
        except store.BlobCorrupt as fault:
            raise Refusal("backup_changed", missing) from fault
        except OSError as fault:
            reason = fault.strerror or fault
            raise Refusal("nowhere_to_store", f"Files cannot be stored here: {reason}.") from fault


def _refuse_a_later_version(manifest: Manifest) -> None:
    known = MigrationLoader(None).disk_migrations
    later = [f"{app} {name}" for app, name in manifest.migrations.items() if (app, name) not in known]
    if later:
        found = f"The backup was taken by a later version than this one: {', '.join(later)}."
        raise Refusal("another_version", found)


def _refuse_a_place_in_use() -> None:
    tables = connection.introspection.table_names()
    for model, what in ((Case, "cases"), (User, "accounts")):
        if model._meta.db_table in tables and model._default_manager.exists():
            found = f"A backup is restored into an empty installation only; this one has {what}."
            raise Refusal("place_in_use", found)
