"""Is it alive, is it ready: for load balancers and container engines."""

from collections.abc import Iterator

import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from kombu import Connection
from kombu.exceptions import KombuError

from blobs import store
from config import maintenance
from inference.jobs import metrics

BROKER_SECONDS = 0.3
URGENT_SECONDS = 300.0
"""An urgent scan that nobody has begun after so long is worth a word."""


def alive(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("alive\n", content_type="text/plain")


def ready(_request: HttpRequest) -> HttpResponse:
    """200 when database and file store answer and the disk has room, 503 otherwise, with the reason.

    What follows on the next lines does not stop this process from taking in scans: a broker that is away, a
    maintenance process that is gone or hangs, an urgent scan that waits.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        reason = store.fault()
        warnings = [] if reason else list(_warnings())
    except (OperationalError, InterfaceError):
        reason, warnings = "The database does not answer.", []
    said = "\n".join([reason or "ready", *warnings])
    return HttpResponse(f"{said}\n", status=503 if reason else 200, content_type="text/plain")


def broker_answers() -> bool:
    """Whether the broker takes a connection and answers a ping: within a second, since probes are short."""
    options = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS, "max_retries": 0}
    try:
        with Connection(settings.CELERY_BROKER_URL, transport_options=options) as broker:
            return bool(broker.default_channel.client.ping())  # type: ignore[attr-defined]  # of Redis
    except (KombuError, redis.RedisError, OSError):
        return False


def _warnings() -> Iterator[str]:
    if not broker_answers():
        yield "The broker does not answer: workers are not woken, work waits."
    if not maintenance.is_kept():
        yield "No maintenance process is there: nothing is swept, sealed or woken."
    elif not metrics.is_swept():
        late = metrics.sweep_seconds()
        yield f"The maintenance process is {late:.0f} s behind with what dead workers held."
    if (waited := metrics.urgent_seconds()) > URGENT_SECONDS:
        yield f"An urgent scan has waited for {waited:.0f} s."
