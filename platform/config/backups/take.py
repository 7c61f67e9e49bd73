"""Taking a backup while work goes on."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from audit import seals
from audit.trail import record
from blobs import store
from blobs.models import Blob
from blobs.storage import DurableFileSystemStorage
from cases.models import Case, Read, Scan, SignOff
from config.backups import database
from config.backups.manifest import BLOBS, DUMP, FORMAT, Manifest, blobs_of, sha256_of
from inference.models import Explanation, Job, Prediction
from refusals import Refusal

UNFINISHED = ".unfinished"
COUNTED = (Case, Scan, Read, SignOff, Job, Prediction, Explanation, Blob)
Report = Callable[[str], object]


def take(
    folder: Path, *, keep: int | None = None, check: bool = False, report: Report
) -> tuple[Path, Manifest]:
    """Put the installation away: the folder of this backup, and what it says of itself.

    keep: how many backups stay, the newest ones; None keeps all. check: compare stored files that an earlier
    backup has with ours byte by byte, not by their size alone. Raises backup_busy,
    nowhere_to_store, database_programs: none was taken.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            for leftover in folder.glob(f"*{UNFINISHED}"):
                shutil.rmtree(leftover)
            taken = _take(folder, check=check, report=report)
            if keep is not None:
                _forget(folder, keep=keep, report=report)
            return taken
    except OSError as refused:
        reason = f"Nothing can be put away in {folder}: {refused.strerror or refused}."
        raise Refusal("nowhere_to_store", reason) from refused


def _take(folder: Path, *, check: bool, report: Report) -> tuple[Path, Manifest]:
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    unfinished = folder / f"{name}{UNFINISHED}"
    unfinished.mkdir(mode=0o700)
    seals.catch_up()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot(), now()")
            snapshot, moment = cursor.fetchone()
        said = _described(moment)
        blobs = Blob.objects.order_by("sha256").values_list("sha256", "size")
        (unfinished / BLOBS).write_text("".join(f"{sha256} {size}\n" for sha256, size in blobs.iterator()))
        database.dump(unfinished / DUMP, snapshot=snapshot)
    # Files come after the rows that name them: each was stored before its row, and none changes.
    faults = list(_copied(blobs_of(unfinished), folder / "blobs", check=check, report=report))
    hashes = {name: sha256_of(unfinished / name) for name in (DUMP, BLOBS)}
    manifest = Manifest(**said, sha256=hashes, faults=faults)
    manifest.write(unfinished)
    for fault in faults:
        report(fault)
    finished = folder / name
    unfinished.rename(finished)
    record("installation.backed_up", actor=None, name=name, faults=len(faults))
    return finished, manifest


def _described(moment: datetime) -> dict[str, Any]:
    applied = MigrationRecorder.Migration.objects.order_by("app", "name").values_list("app", "name")
    return {
        "format": FORMAT,
        "ventra": version("ventra"),
        "taken_at": moment.astimezone(UTC).isoformat(),
        "rows": {model._meta.label_lower: model._default_manager.count() for model in COUNTED},
        "heads": seals.heads(),
        "migrations": dict(applied),
    }


def _copied(blobs: list[tuple[str, int]], folder: Path, *, check: bool, report: Report) -> Iterator[str]:
    """Put away what is not there yet; a sentence for each that cannot be read or has changed."""
    target = DurableFileSystemStorage(location=folder)
    target.tidy()
    fresh = 0
    for number, (sha256, size) in enumerate(blobs, 1):
        name = store.name_of(sha256)
        if check or not target.exists(name) or target.size(name) != size:
            try:
                target.save(name, ContentFile(store.read(sha256)))
                fresh += 1
            except (store.BlobCorrupt, store.BlobUnavailable) as fault:
                yield str(fault)
        if number % 1000 == 0:
            report(f"{number} of {len(blobs)} stored files")
    report(f"{len(blobs)} stored files, {fresh} of them copied now")


def backups_in(folder: Path) -> list[Path]:
    """Whole ones, the oldest first."""
    return sorted(
        path.parent for path in folder.glob(f"*/{DUMP}") if not path.parent.name.endswith(UNFINISHED)
    )


def _forget(folder: Path, *, keep: int, report: Report) -> None:
    """Remove old backups, then the stored files that no backup names any more."""
    whole = backups_in(folder)
    for old in whole[: max(0, len(whole) - keep)]:
        shutil.rmtree(old)
        report(f"{old.name} is removed")
    needed = {sha256 for backup in backups_in(folder) for sha256, _ in blobs_of(backup)}
    for path in (folder / "blobs").glob("??/??/*"):
        if path.name not in needed:
            path.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal("backup_busy", f"Another backup is being taken in {folder}.") from None
        yield
