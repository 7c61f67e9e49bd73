"""kill -9 of the worker in the middle of a job: the job finishes, once."""

import os
import time
from collections.abc import Callable

import pytest
from django.db import connection

from audit.models import Event
from inference.models import Job, Prediction
from launcher import services
from launcher.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


def until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, list(Job.objects.values())
        time.sleep(0.02)


@pytest.fixture
def environment(settings, tmp_path) -> dict[str, str]:
    """What a real worker needs to join this test: its database, its blobs, short leases."""
    database = connection.settings_dict
    host = f"?host={database['HOST']}" if database["HOST"].startswith("/") else ""
    where = "" if host else f"{database['HOST']}:{database['PORT'] or 5432}"
    login = database["USER"] + (f":{database['PASSWORD']}" if database["PASSWORD"] else "")
    return dict(os.environ) | {
        "DATABASE_URL": f"postgres://{login}@{where}/{database['NAME']}{host}",
        "BLOB_ROOT": str(tmp_path / "blobs"),
        "JOB_QUEUE": settings.JOB_QUEUE,
        "JOB_LEASE_SECONDS": "2",
        "JOB_SWEEP_SECONDS": "1",
        "JOB_RING_AGAIN_SECONDS": "2",
    }


@pytest.fixture
def queue(settings, tmp_path) -> str:
    """A queue that no earlier test's doorbells are in."""
    settings.JOB_QUEUE = f"test-{tmp_path.name}"
    return settings.JOB_QUEUE


def test_a_job_whose_worker_is_killed_is_finished_once_by_the_next(
    queue, environment, tmp_path, case, alice, add_scan
):
    add_scan(case, alice)

    def worker(name: str) -> Process:
        return Process(services.worker(environment, tmp_path / f"{name}.log", queue=queue, processes=1))

    def running() -> bool:
        return Job.objects.filter(state="running").exists()

    with Process(services.beat(environment, tmp_path / "beat.log", tmp_path / "schedule")):
        first = worker("first")
        until(running)
        first.kill()
        interrupted = Job.objects.get(state="running")
        with worker("second"):
            until(lambda: Job.objects.filter(pk=interrupted.pk, state="succeeded").exists())
            until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists())

    interrupted.refresh_from_db()
    assert interrupted.attempts == 2
    assert Prediction.objects.filter(job=interrupted).count() == 1
    assert Event.objects.filter(verb="job.requeued", subject_id=str(interrupted.pk)).count() == 1
    assert Job.objects.exclude(state="succeeded").count() == 0
