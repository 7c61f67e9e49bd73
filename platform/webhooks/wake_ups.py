"""How a queue's workers are woken: whoever has work for them says so here, in the transaction that makes it.

PostgreSQL tells it, once the transaction is committed, to the program that speaks to the broker
(inference.jobs.waking). So no request ever waits for a broker, and what is rolled back wakes nobody.
"""

from django.db import connection

CHANNEL = "ventra_wake_ups"


def ask(queue: str) -> None:
    """Something waits in this queue. Told once a transaction, however often it is asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, queue])
