"""A broker that answers nobody: uploads do not notice, and work goes on when it is back."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from patience import until

from inference.models import Job
from launcher import servers
from launcher.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broker(environment) -> Iterator[Process]:
    """A broker of this test's own, which it may freeze."""
    with servers.throwaway(database=False) as started:
        environment["CELERY_BROKER_URL"] = started.environment["CELERY_BROKER_URL"]
        process = started.processes["valkey"]
        yield process
        os.kill(process.pid, signal.SIGCONT)


def freeze(broker: Process, *, seconds: float) -> None:
    os.kill(broker.pid, signal.SIGSTOP)
    time.sleep(seconds)  # the fault itself
    os.kill(broker.pid, signal.SIGCONT)


def is_done(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, state="succeeded").exists()


def test_a_broker_that_freezes_twice_within_a_second_leaves_no_worker_deaf(
    broker, engine, worker, maintenance, submit
):
    with worker(), maintenance():
        first = submit()
        until(lambda: is_done(first))
        freeze(broker, seconds=0.4)
        time.sleep(0.2)
        freeze(broker, seconds=0.4)
        second = submit()
        since = time.monotonic()
        until(lambda: is_done(second))
    print(f"the job was done {time.monotonic() - since:.2f} s after the second freeze")  # seen with pytest -s
