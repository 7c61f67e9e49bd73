"""The back-up drill: an installation at work is put away, brought back elsewhere, and nothing is missing."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest
from django.db import connection
from patience import until

from audit.models import Event
from cases.models import Scan
from config.backups.manifest import sha256_of
from config.backups.take import backups_in
from inference.models import Job
from launcher import services
from launcher.environment import ROOT
from launcher.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


def command(*arguments: object, within: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A management command as an operator types it."""
    words = [sys.executable, "manage.py", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, env=within, capture_output=True, text=True, check=False)


@pytest.fixture
def elsewhere(environment, tmp_path) -> Iterator[dict[str, str]]:
    """Another installation: a database of its own with nothing in it, and a folder that is not there yet."""
    name = f"restored_{uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    url = environment["DATABASE_URL"].replace(f"/{connection.settings_dict['NAME']}", f"/{name}")
    yield environment | {"DATABASE_URL": url, "BLOB_ROOT": str(tmp_path / "elsewhere")}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def found(installation: dict[str, str], query: str) -> list[tuple]:
    """What is in its database."""
    with psycopg2.connect(installation["DATABASE_URL"]) as other, other.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.fixture
def filled(case, alice, add_scan) -> list[UUID]:
    """Three scans that were taken in: their keys."""
    return [add_scan(case, alice, seed=seed).pk for seed in range(3)]


def test_a_backup_under_load_restored_elsewhere_holds_every_accepted_scan_and_work_goes_on_there(
    engine, maintenance, worker, submit, environment, elsewhere, tmp_path
):
    with worker(), maintenance():
        before = [submit().image_id for _ in range(3)]
        until(lambda: Job.objects.filter(state="succeeded").exists())
        over = threading.Event()
        load = _submit_until(over, submit)
        taken = command("backup", tmp_path / "backups", within=environment)
        over.set()
        load()
        assert taken.returncode == 0, taken.stderr
        until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists())
    assert Scan.objects.count() > len(before)
    backup = Path(taken.stdout.strip())

    restored = command("restore", backup, within=elsewhere)
    assert restored.returncode == 0, restored.stderr
    assert "Everything is what it was" in restored.stdout
    there = {image for (image,) in found(elsewhere, "SELECT image_id FROM cases_scan")}
    assert set(before) <= there
    rows = json.loads((backup / "manifest.json").read_text())["rows"]
    assert rows["cases.scan"] == len(there)
    assert found(elsewhere, "SELECT count(*) FROM inference_prediction") == [(rows["inference.prediction"],)]

    with worker("elsewhere", **elsewhere), _maintained(elsewhere, tmp_path):
        until(lambda: not found(elsewhere, "SELECT FROM inference_job WHERE state IN ('queued', 'running')"))
    assert found(elsewhere, "SELECT count(*) FROM inference_job WHERE state <> 'succeeded'") == [(0,)]
    assert command("verify", within=elsewhere).returncode == 0
    verbs = [verb for (verb,) in found(elsewhere, "SELECT verb FROM audit_event ORDER BY id")]
    assert "installation.restored" in verbs
    assert Event.objects.filter(verb="installation.backed_up").count() == 1


def _submit_until(over: threading.Event, submit: Callable[[], Job]) -> Callable[[], None]:
    """Upload scan after scan in a thread of its own; the function that waits for its end."""

    def uploads() -> None:
        try:
            while not over.is_set():
                submit()
        finally:
            connection.close()

    thread = threading.Thread(target=uploads)
    thread.start()
    return thread.join


def _maintained(installation: dict[str, str], tmp_path: Path) -> Process:
    return Process(services.maintenance(installation, tmp_path / "maintenance-elsewhere.log"))


def test_a_backup_that_is_killed_leaves_no_half_one_and_the_next_copies_only_what_is_missing(
    filled, environment, tmp_path
):
    folder = tmp_path / "backups"
    words = [sys.executable, "manage.py", "backup", str(folder)]
    first = subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    until(lambda: any((folder / "blobs").glob("??/??/*")))
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    copied = {path: path.stat().st_mtime_ns for path in (folder / "blobs").glob("??/??/*")}
    second = command("backup", folder, within=environment)
    assert second.returncode == 0, second.stderr
    assert [str(backup) for backup in backups_in(folder)][-1] == second.stdout.strip()
    assert not list(folder.glob("*.unfinished"))
    assert {path: path.stat().st_mtime_ns for path in copied} == copied


def test_a_restore_that_is_killed_leaves_an_empty_place_and_goes_on(filled, environment, elsewhere, tmp_path):
    taken = command("backup", tmp_path / "backups", within=environment)
    blobs = Path(elsewhere["BLOB_ROOT"])
    words = [sys.executable, "manage.py", "restore", taken.stdout.strip()]
    first = subprocess.Popen(words, cwd=ROOT, env=elsewhere, stderr=subprocess.DEVNULL)
    until(lambda: any(blobs.glob("??/??/*")))
    os.kill(first.pid, signal.SIGSTOP)
    is_empty = not found(elsewhere, "SELECT FROM pg_tables WHERE schemaname = 'public'")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert is_empty, "files come before the database"
    second = command("restore", taken.stdout.strip(), within=elsewhere)
    assert second.returncode == 0, second.stderr
    assert set(filled) == {key for (key,) in found(elsewhere, "SELECT id FROM cases_scan")}


def test_what_is_no_whole_backup_and_a_place_in_use_are_refused_and_nothing_changes(
    filled, environment, elsewhere, tmp_path
):
    folder = tmp_path / "backups"
    backup = Path(command("backup", folder, within=environment).stdout.strip())

    in_use = command("restore", backup, within=environment)
    assert "this one has cases" in in_use.stderr
    assert "is no backup" in command("restore", tmp_path, within=elsewhere).stderr
    content = (backup / "database.dump").read_bytes()
    (backup / "database.dump").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "database.dump of" in command("restore", backup, within=elsewhere).stderr
    (backup / "database.dump").write_bytes(content)
    manifest = json.loads((backup / "manifest.json").read_text())
    later = manifest | {"migrations": manifest["migrations"] | {"cases": "9999_later"}}
    (backup / "manifest.json").write_text(json.dumps(later))
    assert "cases 9999_later" in command("restore", backup, within=elsewhere).stderr
    (backup / "manifest.json").write_text(json.dumps(manifest))
    one = next((folder / "blobs").glob("??/??/*"))
    kept = one.read_bytes()
    one.write_bytes(b"something else")
    changed = command("restore", backup, within=elsewhere)
    assert f"The stored file {one.name} of the backup is missing or has changed." in changed.stderr
    assert "(backup_changed)" in changed.stderr
    assert not found(elsewhere, "SELECT FROM pg_tables WHERE schemaname = 'public'")

    # the next backup finds the changed file by its size, and --check by its bytes
    assert command("backup", folder, within=environment).returncode == 0
    assert one.read_bytes() == kept
    one.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert command("backup", folder, "--check", within=environment).returncode == 0
    assert one.read_bytes() == kept
    assert command("restore", backup, within=elsewhere).returncode == 0


def test_a_dump_that_cannot_be_read_to_its_end_leaves_the_place_empty(
    filled, environment, elsewhere, tmp_path
):
    """As when the program that reads it is killed: what it had read by then is not committed."""
    backup = Path(command("backup", tmp_path / "backups", within=environment).stdout.strip())
    content = (backup / "database.dump").read_bytes()
    (backup / "database.dump").write_bytes(content[: len(content) * 9 // 10])
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["sha256"]["database.dump"] = sha256_of(backup / "database.dump")
    (backup / "manifest.json").write_text(json.dumps(manifest))
    refused = command("restore", backup, within=elsewhere)
    assert "pg_restore could not read the dump to its end. (database_programs)" in refused.stderr
    assert not found(elsewhere, "SELECT FROM pg_tables WHERE schemaname = 'public'")


def test_a_damaged_file_of_a_backup_need_not_keep_the_rest(filled, environment, elsewhere, tmp_path):
    backup = Path(command("backup", tmp_path / "backups", within=environment).stdout.strip())
    one = next((tmp_path / "backups" / "blobs").glob("??/??/*"))
    one.write_bytes(b"something else")
    restored = command("restore", backup, "--without-damaged", within=elsewhere)
    assert f"The stored file {one.name} of the backup is missing or has changed." in restored.stderr
    assert f"blob {one.name} is missing" in restored.stderr, "verify says so too"
    assert set(filled) == {key for (key,) in found(elsewhere, "SELECT id FROM cases_scan")}


def test_a_file_that_is_lost_is_named_and_everything_else_is_put_away(
    filled, environment, elsewhere, tmp_path
):
    lost = next(Path(environment["BLOB_ROOT"]).glob("??/??/*"))
    lost.unlink()
    taken = command("backup", tmp_path / "backups", within=environment)
    assert taken.returncode == 1
    assert f"blob {lost.name} is missing" in taken.stderr
    restored = command("restore", taken.stdout.strip(), within=elsewhere)
    assert restored.returncode == 1, "verify names it again"
    assert f"blob {lost.name} is missing" in restored.stderr
    assert set(filled) == {key for (key,) in found(elsewhere, "SELECT id FROM cases_scan")}


def test_old_backups_go_with_the_files_that_only_they_need(filled, environment, tmp_path):
    folder = tmp_path / "backups"
    first = Path(command("backup", folder, within=environment).stdout.strip())
    needed = set((folder / "blobs").glob("??/??/*"))
    stray = folder / "blobs" / "00" / "00" / ("0" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"of a backup that is gone")
    until(lambda: first.name != _now_as_a_name())
    second = Path(command("backup", folder, "--keep", "1", within=environment).stdout.strip())
    assert backups_in(folder) == [second]
    assert set((folder / "blobs").glob("??/??/*")) == needed


def _now_as_a_name() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
