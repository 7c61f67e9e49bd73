"""What happens to one job of a batch happens to that one alone, and a silent database ends no heartbeat."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from patience import until

from audit.models import Event
from inference.jobs import lease, worker
from inference.jobs import state as jobs
from inference.jobs.heartbeat import kept_alive
from inference.jobs.lease import Claim
from inference.models import Job, Prediction

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(case, alice, add_scan) -> list[Claim]:
    """Three scans in one worker's hands, to be answered by one pass of one version."""
    for seed in (1, 2, 3):
        add_scan(case, alice, seed=seed)
    claims = lease.claim(Job.objects.filter(model_version__network="cnn").first().pk)
    first, others = worker._parts_of(claims)
    assert [len(first), len(others)] == [3, 3]
    return first


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_job_that_is_cancelled_while_it_runs_takes_no_other_of_its_batch_with_it(batch, place, alice):
    cancelled = batch[place].job
    jobs.cancel(cancelled, by=alice)
    worker._see_through(batch)
    states = {held.job.pk: Job.objects.get(pk=held.job.pk).state for held in batch}
    assert states.pop(cancelled.pk) == "cancelled"
    assert set(states.values()) == {"succeeded"}
    assert set(Prediction.objects.values_list("job", flat=True)) == set(states)
    assert not Event.objects.filter(verb="job.requeued").exists()


@pytest.fixture
def held(transactional_db, settings, case, alice, add_scan) -> list[Claim]:
    """One job in a worker's hands, whose lease has run out unless somebody lengthens it."""
    settings.JOB_LEASE_SECONDS = 0.3
    add_scan(case, alice)
    claims = lease.claim(Job.objects.filter(model_version__network="cnn").first().pk)
    expire(claims)
    return claims


def expire(claims: list[Claim]) -> None:
    Job.objects.filter(pk=claims[0].job.pk).update(lease_until=Now() - timedelta(hours=1))


def is_leased(claims: list[Claim]) -> bool:
    return Job.objects.filter(pk=claims[0].job.pk, lease_until__gt=Now() - timedelta(minutes=1)).exists()


def let_in(*, others: bool) -> None:
    """Whether the database takes anybody but this test; those who are in are thrown out."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT {-1 if others else 1}")
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_goes_on_once_the_database_answers_again(held, caplog):
    with kept_alive(held):
        until(lambda: is_leased(held))
        try:
            let_in(others=False)
            until(lambda: "did not hear" in caplog.text)
        finally:
            let_in(others=True)
        expire(held)
        until(lambda: is_leased(held))
