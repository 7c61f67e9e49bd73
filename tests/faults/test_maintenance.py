"""Sweeping and sealing go on whatever waits in the queues, and whoever of those who do it is killed."""

import pytest
from celery import current_app
from patience import until

from audit.models import Event, Seal
from inference.jobs import waking
from inference.models import Job

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
BACKLOG = 2000


def are_all_sealed() -> bool:
    return not Event.objects.filter(seal__isnull=True).exists() and Seal.objects.exists()


def messages_of(queue: str) -> int:
    """How many wake-ups lie in the broker."""
    with current_app.connection_for_write() as broker:
        return broker.default_channel.client.llen(queue)


def test_behind_a_backlog_that_nobody_does_the_trail_is_sealed_and_wake_ups_stay_few(
    maintenance, submit, queue
):
    job = submit()
    kept = {field.attname: getattr(job, field.attname) for field in Job._meta.concrete_fields}
    del kept["id"]
    Job.objects.bulk_create(Job(**kept) for _ in range(BACKLOG))
    first = maintenance()
    with first, maintenance():
        until(are_all_sealed)
        until(lambda: messages_of(queue) > 0)
        first.kill()
        submit()
        until(are_all_sealed)
    assert messages_of(queue) <= 2 * waking.WINDOW, "a window for each of the two, at worst"
