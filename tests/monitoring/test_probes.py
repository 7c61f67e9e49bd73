"""Health is asked by machines, which name this machine and not the hospital's."""

import os
import signal
import socket
import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from patience import until

from cases.models import Case
from inference.jobs import metrics
from inference.models import Job
from launcher import services
from launcher.processes import Process

pytestmark = pytest.mark.django_db

NO_MAINTENANCE = "No maintenance process is there: nothing is swept, sealed or woken."


def said(client) -> list[str]:
    answer = client.get("/readyz", headers={"host": "10.9.8.7"})
    assert answer.status_code == 200
    return answer.content.decode().splitlines()


def test_a_probe_is_answered_under_every_name(client, settings):
    settings.ALLOWED_HOSTS = ["ventra.hospital.example"]
    settings.SECURE_SSL_REDIRECT = True
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/", headers={"host": "127.0.0.1:8000"}).status_code == 400


def test_a_disk_that_is_full_is_a_reason_and_a_missing_maintenance_only_a_word(client, settings, models):
    assert said(client) == ["ready", NO_MAINTENANCE]
    settings.DISK_RESERVE_BYTES = 2**60
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (
        503,
        b"The disk of the stored files is full up to its reserve.\n",
    )


def test_a_frozen_broker_neither_delays_nor_fails_a_probe(client, settings, tmp_path):
    """One that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        began = time.monotonic()
        assert "The broker does not answer: workers are not woken, work waits." in said(client)
        assert time.monotonic() - began < 3


def test_an_urgent_scan_that_waits_is_said_and_a_routine_one_is_not(case, alice, models, add_scan, client):
    add_scan(case, alice)
    Job.objects.update(created_at=Now() - timedelta(minutes=9))
    assert not [line for line in said(client) if "urgent" in line]
    assert Case.Priority.URGENT == metrics.URGENT
    Job.objects.update(priority=Case.Priority.URGENT)
    assert [line for line in said(client) if line.startswith("An urgent scan has waited for 54")]


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_a_maintenance_process_that_hangs_is_seen_by_what_it_leaves(
    case, alice, models, add_scan, client, environment, tmp_path
):
    with Process(services.maintenance(environment, tmp_path / "maintenance.log")) as process:
        until(lambda: said(client) == ["ready"])
        os.kill(process.pid, signal.SIGSTOP)
        add_scan(case, alice)
        Job.objects.update(state="running", lease_until=Now() - timedelta(minutes=2))
        (line,) = said(client)[1:]
        assert line.startswith("The maintenance process is 1")
        os.kill(process.pid, signal.SIGCONT)
    until(lambda: said(client) == ["ready", NO_MAINTENANCE])
