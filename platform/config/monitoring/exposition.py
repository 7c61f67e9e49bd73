"""The figures of this installation as Prometheus reads them, from the rows themselves.

Nothing is counted in memory: every web process says the same, a restart loses nothing, and what is read is
what is. No figure names a patient, a person or a case.
"""

from collections.abc import Iterable, Iterator
from hmac import compare_digest
from importlib.metadata import version
from ipaddress import ip_address

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from accounts.addresses import client_address
from audit import seals
from blobs import store
from config import maintenance
from config.monitoring import probes
from inference.jobs.metrics import WorkMetrics, work_metrics
from webhooks import outbox


def metrics(request: HttpRequest) -> HttpResponse:
    """All figures, for whoever has METRICS_TOKEN or comes from METRICS_NETWORKS; 404 for everybody else."""
    if not _may_see(request):
        return HttpResponse("not here\n", status=404, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(Installation())
    try:
        said = generate_latest(registry)
    except (DatabaseError, InterfaceError):
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse(said, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})


def _may_see(request: HttpRequest) -> bool:
    """By token where one is set, or by address: the client's own, not that of a proxy in front."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme == "Bearer":
        return compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    address = client_address(peer, forwarded, settings.TRUSTED_PROXIES)
    if not address or (forwarded and ip_address(address) == ip_address(peer)):
        return False  # somebody whom nobody trusts reports others: whose address it is cannot be told
    return any(ip_address(address) in network for network in settings.METRICS_NETWORKS)


class Installation(Collector):
    """Everything there is to say; asked once for each answer."""

    def collect(self) -> Iterable[Metric]:
        """Every family, in the order of docs/operations.md."""
        work = work_metrics()
        yield InfoMetricFamily("ventra", "What runs here.", {"version": version("ventra")})
        yield from _waiting(work)
        yield from _ended(work)
        yield from _hands(work)
        yield from _record()
        yield from _places()

    def describe(self) -> Iterable[Metric]:
        """Nothing: to register must not ask the database."""
        return ()


def _waiting(work: WorkMetrics) -> Iterator[Metric]:
    waiting = _family("ventra_jobs_waiting", "Jobs that wait for a worker.", "kind", "department")
    running = _family("ventra_jobs_running", "Jobs in the hands of a worker.", "kind", "department")
    oldest = _family("ventra_job_oldest_seconds", "Age of the oldest job that waits.", "kind", "department")
    for row in work.open:
        waiting.add_metric([row.kind, row.department], row.waiting)
        running.add_metric([row.kind, row.department], row.running)
        if row.oldest_seconds is not None:
            oldest.add_metric([row.kind, row.department], row.oldest_seconds)
    yield from (waiting, running, oldest)
    yield _one(
        "ventra_urgent_oldest_seconds", "Age of the oldest urgent job that waits.", work.urgent_seconds
    )
    yield _one(
        "ventra_jobs_waiting_for_storage", "Jobs that wait for stored files.", work.waiting_for_storage
    )
    yield _one(
        "ventra_webhooks_due", "Messages to other software that may be sent now.", outbox.due().count()
    )


def _ended(work: WorkMetrics) -> Iterator[Metric]:
    ended = _family("ventra_jobs_ended_1h", "Jobs that ended in the last hour.", "kind", "state", "code")
    attempts = _family("ventra_job_attempts_1h", "Attempts that these jobs took.", "kind", "state", "code")
    for row in work.ended:
        ended.add_metric([row.kind, row.state, row.code], row.jobs)
        attempts.add_metric([row.kind, row.state, row.code], row.attempts)
    faults = _family("ventra_job_faults_1h", "Why these jobs had to be begun anew.", "fault")
    for fault, count in work.faults.items():
        faults.add_metric([fault], count)
    seconds = _family(
        "ventra_job_seconds_1h", "How long they waited, and were worked on.", "kind", "stage", "quantile"
    )
    for latency in work.latencies:
        for quantile, value in latency.seconds.items():
            seconds.add_metric([latency.kind, latency.stage, str(quantile)], value)
    yield from (ended, attempts, faults, seconds)


def _hands(work: WorkMetrics) -> Iterator[Metric]:
    workers = _family("ventra_workers", "Worker processes, by queue.", "queue", "state")
    for queue, (present, lost) in work.workers.items():
        workers.add_metric([queue, "present"], present)
        workers.add_metric([queue, "lost"], lost)
    labels = ("modality", "role", "network", "version", "weights_sha256")
    seats = _family("ventra_model_in_use", "Versions that answer, or answer unseen.", *labels)
    for seat in work.versions:
        seats.add_metric([seat[label] for label in labels], 1)
    yield from (workers, seats)
    yield _one("ventra_maintenance_up", "Whether a maintenance process is there.", maintenance.is_kept())
    yield _one("ventra_sweep_overdue_seconds", "How long a dead worker's job is unswept.", work.sweep_seconds)
    yield _one("ventra_broker_up", "Whether the broker answers.", probes.broker_answers())


def _record() -> Iterator[Metric]:
    rows = _family("ventra_seals_waiting", "Lines of the record that are not chained yet.", "chain")
    seconds = _family("ventra_seal_lag_seconds", "Age of the oldest of them.", "chain")
    for chain in (seals.EVENTS, seals.ROWS):
        lag = seals.lag(chain)
        rows.add_metric([chain.name], lag.rows)
        seconds.add_metric([chain.name], lag.seconds)
    yield from (rows, seconds)


def _places() -> Iterator[Metric]:
    yield _one("ventra_storage_up", "Whether stored files can be read and written.", not store.fault())
    if (free := store.free_bytes()) is not None:
        yield _one("ventra_disk_free_bytes", "Free space where files are stored.", free)
    yield _one(
        "ventra_disk_reserve_bytes", "Free space below which nothing is stored.", settings.DISK_RESERVE_BYTES
    )


def _family(name: str, help_: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, labels=labels)


def _one(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=float(value))
