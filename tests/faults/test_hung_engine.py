"""A network that never comes back is ended by deadline, cancellation or an orderly stop; others go on."""

import os
import signal
import time
from pathlib import Path

import pytest
from patience import until

from audit.models import Event
from inference.jobs import state as jobs
from inference.models import Job, Prediction, Worker

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
SOON = 10.0
"""Seconds in which a cancelled job frees its worker on a machine that is busy; on a quiet one it is 0.4."""


def is_in(job: Job, *states: str) -> bool:
    return Job.objects.filter(pk=job.pk, state__in=states).exists()


def pid_of(job: Job) -> int:
    """The process that holds the job."""
    return int(Job.objects.get(pk=job.pk).worker.rpartition(":")[2])


def test_work_past_its_deadline_is_tried_again_and_cancelled_work_frees_its_worker(
    worker, maintenance, engine, submit, alice
):
    engine.does("spin")
    late = submit()
    with worker(JOB_DEADLINES="predict=6"), maintenance():
        until(lambda: engine.is_at("spin"))
        engine.does("answer")
        until(lambda: is_in(late, "succeeded"))
        engine.does("spin")
        hung = submit()
        until(lambda: engine.is_at("spin"))
        engine.does("answer")
        child = Path(f"/proc/{pid_of(hung)}/cmdline")
        jobs.cancel(hung, by=alice)
        cancelled = time.monotonic()
        until(lambda: not child.exists())
        freed = time.monotonic() - cancelled
        other = submit()
        until(lambda: is_in(other, "succeeded"))
    late.refresh_from_db()
    assert (late.attempts, late.faults) == (2, {"deadline": 1})
    assert Event.objects.get(verb="job.requeued").detail["code"] == "deadline"
    hung.refresh_from_db()
    other.refresh_from_db()
    print(f"the child was gone {freed:.2f} s after the cancellation")  # seen with pytest -s
    assert freed < SOON
    assert (hung.state, hung.faults, other.attempts) == ("cancelled", {}, 1)


def test_what_a_dead_child_held_goes_on_before_its_lease_is_over_and_a_stop_gives_it_back(
    worker, maintenance, engine, submit
):
    engine.does("spin")
    job = submit()
    with worker(JOB_LEASE_SECONDS="600", JOB_STOP_SECONDS="1") as first, maintenance():
        until(lambda: engine.is_at("spin"))
        engine.does("hold")
        os.kill(pid_of(job), signal.SIGKILL)
        until(lambda: engine.is_at("hold"))
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait() == 0
    job.refresh_from_db()
    assert (job.state, job.attempts, job.faults) == ("queued", 1, {"crash": 1, "restart": 1})
    assert not Worker.objects.exists()


def test_a_worker_that_is_frozen_past_its_lease_publishes_nothing(worker, maintenance, engine, submit):
    engine.does("hold")
    job = submit()
    with maintenance(), worker("first") as first:
        until(lambda: engine.is_at("hold"))
        os.killpg(first.pid, signal.SIGSTOP)
        engine.does("answer")
        with worker("second"):
            until(lambda: is_in(job, "succeeded"))
            os.killpg(first.pid, signal.SIGCONT)
            other = submit()
            until(lambda: is_in(other, "succeeded"))
    assert Prediction.objects.filter(job=job).count() == 1
    job.refresh_from_db()
    assert (job.attempts, job.faults) == (2, {"crash": 1})
