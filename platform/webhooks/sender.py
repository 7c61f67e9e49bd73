"""Claim a message -> POST it -> note what came of it. Nothing is sent inside a transaction.

A sender that dies in between leaves a lease that runs out: the message is sent again with the same event id.
So each message arrives at least once, and in no promised order.
"""

import json
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from audit.context import Origin, origin
from webhooks import outbox, services, signing
from webhooks.models import Delivery, Endpoint
from webhooks.posting import Outcome, post

State = Delivery.State
ROUND = 100
"""Deliveries that one wake-up carries out; then it wakes itself again, so that a restart is never far."""
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 10
DISABLE_AFTER = 20
"""Attempts in a row, of whatever messages, after which an endpoint is disabled."""
FIRST_WAIT, WAIT_GROWS, LONGEST_WAIT = 10, 4, 6 * 3600
JITTER = 0.2
KEPT = timedelta(days=30)
"""How long a message that is over stays on the page."""


@dataclass(frozen=True)
class Held:
    """A message in this sender's hands, as long as `token` is still the row's."""

    delivery: Delivery
    token: int


def deliver() -> None:
    """Send what is due, one message after another."""
    token = origin.set(Origin("worker"))
    try:
        for _ in range(ROUND):
            held = claim()
            if held is None:
                return
            settle(held, send(held))
        outbox.notify_sender()
    finally:
        origin.reset(token)


@transaction.atomic
def claim() -> Held | None:
    """Take the message that has been due the longest. Others may be claiming at the same time."""
    waiting = outbox.due().select_related("endpoint").order_by("not_before", "created_at")
    found = waiting.select_for_update(of=("self",), skip_locked=True).first()
    if found is None:
        return None
    Delivery.objects.filter(pk=found.pk).update(
        token=F("token") + 1, attempts=F("attempts") + 1, lease_until=Now() + LEASE
    )
    return Held(found, found.token + 1)


def send(held: Held) -> Outcome:
    """The one attempt. A message whose senders have died every time is not tried for ever."""
    delivery = held.delivery
    if delivery.attempts >= MAX_ATTEMPTS:
        return Outcome(None, "sender_lost")
    body = json.dumps(delivery.payload, sort_keys=True, separators=(",", ":")).encode()
    try:
        signed = signing.headers(delivery.endpoint, str(delivery.event_id), int(time.time()), body)
    except signing.SecretLost:
        return Outcome(None, "secret_lost")
    return post(
        delivery.endpoint.address, body, signed | {"Content-Type": "application/json", "User-Agent": "Ventra"}
    )


@transaction.atomic
def settle(held: Held, outcome: Outcome) -> None:
    """Note what came of an attempt, unless the message has been given to somebody else meanwhile."""
    rows = Delivery.objects.select_for_update().filter(
        pk=held.delivery.pk, token=held.token, state=State.WAITING
    )
    delivery = rows.first()
    if delivery is None:
        return
    endpoint = Endpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
    said = {"lease_until": None, "last_status": outcome.status, "last_problem": outcome.problem}
    rows.update(**said, **_next(delivery, outcome))
    if outcome.problem:
        _count_failure(endpoint)
    else:
        Endpoint.objects.filter(pk=endpoint.pk).update(failures=0, quiet_until=None)


def wait_after(failures: int) -> timedelta:
    """10 s, 40 s, 160 s and so on up to 6 h, a fifth more or less, so that many do not come back at once."""
    seconds = min(FIRST_WAIT * WAIT_GROWS ** min(failures - 1, 10), LONGEST_WAIT)
    return timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311  # no secret


def tidy() -> int:
    """Forget messages that were over long ago: how many."""
    over = Delivery.objects.exclude(state=State.WAITING).filter(created_at__lt=Now() - KEPT)
    gone, _ = over.delete()
    return gone


def _next(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    if not outcome.problem:
        return {"state": State.DELIVERED, "delivered_at": Now()}
    if delivery.attempts >= MAX_ATTEMPTS:
        return {"state": State.GIVEN_UP}
    return {"not_before": Now() + wait_after(delivery.attempts)}


def _count_failure(endpoint: Endpoint) -> None:
    """The endpoint rests, so that one that is down costs one attempt at a time, not one a message."""
    failures = endpoint.failures + 1
    Endpoint.objects.filter(pk=endpoint.pk).update(
        failures=failures, quiet_until=Now() + wait_after(failures)
    )
    if failures >= DISABLE_AFTER and endpoint.disabled_at is None:
        services.disable_for_failures(endpoint, failures)
