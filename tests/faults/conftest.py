"""Real workers that join a test: its database, its blobs, queues of their own."""

import os

import pytest
from django.db import connection


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
        "WORK_ROOT": settings.WORK_ROOT,
        "TRAINING_DATA_DIR": settings.TRAINING_DATA_DIR,
        "JOB_QUEUE": settings.JOB_QUEUE,
        "TRAINING_QUEUE": settings.TRAINING_QUEUE,
        "WEBHOOK_QUEUE": settings.WEBHOOK_QUEUE,
        "JOB_LEASE_SECONDS": "2",
        "JOB_SWEEP_SECONDS": "1",
        "JOB_RING_AGAIN_SECONDS": "2",
    }


@pytest.fixture
def queue(settings, tmp_path) -> str:
    """A queue that no earlier test's wake-ups are in."""
    settings.JOB_QUEUE = f"test-{tmp_path.name}"
    settings.TRAINING_QUEUE = f"training-{tmp_path.name}"
    settings.WEBHOOK_QUEUE = f"webhooks-{tmp_path.name}"
    return settings.JOB_QUEUE
