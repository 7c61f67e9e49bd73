"""Two workers that end a scan's last two jobs at the same moment: its sender is told, and once."""

import threading

import pytest
from answers import answer
from django.db import connection, transaction
from patience import until

from inference import events
from inference.models import Job
from notices.models import Notice

pytestmark = pytest.mark.django_db(transaction=True)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


def test_answers_that_end_together_tell_once(case, alice, add_scan, settings):
    settings.JOB_BATCH = 1
    first, second = add_scan(case, alice).image.jobs.order_by("created_at")
    told, go_on = threading.Event(), threading.Event()

    def publish(job: Job, *, held: bool) -> None:
        with transaction.atomic():
            events.answered(job, answer(job), digest="")
            told.set()
            if held:
                go_on.wait(30)
        connection.close()

    slow = threading.Thread(target=publish, args=(first,), kwargs={"held": True})
    quick = threading.Thread(target=publish, args=(second,), kwargs={"held": False})
    slow.start()
    assert told.wait(30)
    quick.start()
    until(lambda: waits_for_a_lock() or not quick.is_alive())
    go_on.set()
    slow.join()
    quick.join()
    assert [notice.code for notice in Notice.objects.all()] == ["scan.answered"]
