"""A receiver on this machine, allowed as an exception, and a webhook that leads to it."""

import ipaddress
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.db.models.functions import Now
from receiver import Receiver, receiving

from webhooks import services
from webhooks.catalogue import EVENTS
from webhooks.models import Delivery, Endpoint
from webhooks.outbox import announce


@pytest.fixture(autouse=True)
def own_senders(settings, tmp_path) -> None:
    """Doorbells that no other test's sender hears; this machine may be called without TLS."""
    settings.WEBHOOK_QUEUE = f"webhooks-{tmp_path.name}"
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def add_webhook(administrator, department, receiver) -> Callable[..., tuple[Endpoint, str]]:
    """A webhook of the department with every event, and its secret: add_webhook(address=...)."""

    def add(name: str = "viewer", address: str = "", events=tuple(EVENTS)) -> tuple[Endpoint, str]:
        address = address or f"http://127.0.0.1:{receiver.port}/ventra?room=2"
        return services.create(
            by=administrator, department=department, name=name, address=address, events=events
        )

    return add


@pytest.fixture
def happen(department) -> Callable[..., None]:
    """Something happens in the department: happen(), happen("case.signed", place)."""

    def happened(event: str = "case.signed", place=department) -> None:
        with transaction.atomic():
            announce(event, department=place, case=str(uuid.uuid4()), case_number="2026-000001")

    return happened


@pytest.fixture
def time_passes() -> Callable[[], None]:
    """Every wait and every lease is over."""

    def pass_() -> None:
        Delivery.objects.update(not_before=Now())
        Delivery.objects.exclude(lease_until=None).update(lease_until=Now())
        Endpoint.objects.exclude(quiet_until=None).update(quiet_until=Now())

    return pass_
