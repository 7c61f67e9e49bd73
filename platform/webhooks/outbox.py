"""The only way in: an event becomes one row for each endpoint that wants it, in the transaction of the event.

What is rolled back is never sent, and what is committed is sent even if everything dies at that moment.
"""

import uuid
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Department
from webhooks import wake_ups
from webhooks.catalogue import EVENTS, OF_THE_HOUSE, TEST, VERSION, links
from webhooks.models import Delivery, Endpoint


def announce(event: str, *, department: Department | int | None, **data: Any) -> None:
    """Tell every endpoint of the department that has chosen the event; those of the house, every endpoint.

    data: identifiers, codes and hashes, as plain JSON values; nothing of a patient. An unknown event raises
    KeyError, one of a department without its department ValueError.
    """
    EVENTS[event]
    if department is None and event not in OF_THE_HOUSE:
        raise ValueError(f"{event} is about a department's cases: say which.")
    place = department.pk if isinstance(department, Department) else department
    wanting = Endpoint.objects.filter(disabled_at__isnull=True, events__contains=[event])
    if place is not None:
        wanting = wanting.filter(department=place)
    _write(wanting.select_related("department"), event, data)


def announce_test(endpoint: Endpoint) -> None:
    """A message that says nothing, for one endpoint, whatever it has chosen."""
    _write(Endpoint.objects.filter(pk=endpoint.pk).select_related("department"), TEST, {})


def due() -> QuerySet[Delivery]:
    """What may be sent now: nobody is sending it, and its endpoint neither rests nor is disabled."""
    rests = Q(endpoint__quiet_until__gt=Now())
    held = Q(lease_until__gt=Now())
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING, not_before__lte=Now())
    return waiting.filter(endpoint__disabled_at__isnull=True).exclude(rests).exclude(held)


def notify_sender() -> None:
    """Have a sender woken, once the surrounding transaction is committed."""
    wake_ups.ask(settings.WEBHOOK_QUEUE)


def again(delivery: Delivery) -> None:
    """Put a message that is over back into the outbox: the same event, with all its attempts before it."""
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.WAITING,
        attempts=0,
        token=F("token") + 1,
        lease_until=None,
        not_before=Now(),
        delivered_at=None,
    )
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(quiet_until=None)
    notify_sender()


def _write(endpoints: QuerySet[Endpoint], event: str, data: dict[str, Any]) -> None:
    event_id = uuid.uuid4()
    written = Delivery.objects.bulk_create(
        Delivery(endpoint=one, event_id=event_id, event=event, payload=_payload(one, event_id, event, data))
        for one in endpoints
    )
    if written:
        notify_sender()


def _payload(endpoint: Endpoint, event_id: uuid.UUID, event: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(event_id),
        "type": event,
        "version": VERSION,
        "occurred_at": timezone.now().isoformat(),
        "department": endpoint.department.slug,
        "data": data,
        "links": links(data),
    }
