"""kill -9 of the worker in the middle of a job: the job finishes, once."""

import pytest
from patience import until

from audit.models import Event
from inference.jobs import queue as queue_now
from inference.models import Job, Prediction, Worker
from launcher import services
from launcher.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


def test_what_a_killed_worker_held_is_finished_once_by_the_next(
    maintenance, queue, environment, tmp_path, case, alice, add_scan
):
    add_scan(case, alice)

    patient = environment | {"JOB_LEASE_SECONDS": "8"}  # a worker that shares its core is slow, not lost

    def worker(name: str) -> Process:
        return Process(services.worker(patient, tmp_path / f"{name}.log", queue=queue, processes=1))

    def running() -> bool:
        return Job.objects.filter(state="running").exists()

    with maintenance():
        first = worker("first")
        until(running)
        first.kill()
        interrupted = list(Job.objects.filter(state="running"))
        with worker("second"):
            until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists())

    assert interrupted
    for job in interrupted:
        job.refresh_from_db()
        assert job.attempts == 2
        assert Event.objects.filter(verb="job.requeued", subject_id=str(job.pk)).count() == 1
    for job in Job.objects.filter(kind=Job.Kind.PREDICT):
        assert Prediction.objects.filter(job=job).count() == 1
    assert Job.objects.exclude(state="succeeded").count() == 0


def test_an_idle_worker_says_it_is_there_is_lost_when_killed_and_gone_when_it_ends(
    queue, environment, tmp_path, alice
):
    def worker(name: str) -> Process:
        return Process(services.worker(environment, tmp_path / f"{name}.log", queue=queue, processes=2))

    first = worker("first")
    until(lambda: Worker.objects.count() == 2)
    assert {one.worker.queues for one in queue_now.overview(alice).workers} == {queue}
    first.kill()
    until(lambda: all(one.is_lost for one in queue_now.overview(alice).workers))
    with worker("second"):
        until(lambda: Worker.objects.count() == 4)
        assert [one.is_lost for one in queue_now.overview(alice).workers] == [False, False, True, True]
    assert Worker.objects.count() == 2, "who ends as it should is not missed"
