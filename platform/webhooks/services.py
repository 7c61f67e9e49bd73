"""Every write an administrator causes: one function, one transaction, one audit line."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import Department, User
from accounts.roles import MANAGE_WEBHOOKS, departments_where
from audit.trail import record
from notices.telling import tell, withdraw
from refusals import Refusal
from webhooks import outbox, signing
from webhooks.models import Delivery, Endpoint

Why = Endpoint.Why


@transaction.atomic
def create(
    *, by: User, department: Department, name: str, address: str, events: Iterable[str]
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is not shown again. Raises PermissionDenied elsewhere."""
    _require_administrator(by, department)
    endpoint = Endpoint.objects.create(
        department=department, name=name, address=address, events=sorted(events), made_by=by
    )
    secret = signing.make(endpoint)
    record("webhook.created", actor=by, subject=endpoint, **_facts(endpoint))
    return endpoint, secret


@transaction.atomic
def change(endpoint: Endpoint, *, by: User, name: str, address: str, events: Iterable[str]) -> None:
    """Another name, address or choice of events. What waits goes to the new address."""
    _require_administrator(by, endpoint.department)
    Endpoint.objects.filter(pk=endpoint.pk).update(name=name, address=address, events=sorted(events))
    endpoint.refresh_from_db()
    record("webhook.changed", actor=by, subject=endpoint, **_facts(endpoint))


@transaction.atomic
def rotate(endpoint: Endpoint, *, by: User) -> str:
    """A new secret, shown once; the one before it signs as well for a day."""
    _require_administrator(by, endpoint.department)
    secret = signing.make(endpoint)
    record("webhook.secret_rotated", actor=by, subject=endpoint, detail=endpoint.name)
    return secret


@transaction.atomic
def disable(endpoint: Endpoint, *, by: User) -> None:
    """Nothing more is written for it or sent to it; what waits stays. Again changes nothing."""
    _require_administrator(by, endpoint.department)
    if _disabled(endpoint, Why.BY_HAND):
        record("webhook.disabled", actor=by, subject=endpoint, detail=endpoint.name)


@transaction.atomic
def enable(endpoint: Endpoint, *, by: User) -> None:
    """From now on it hears again, and what had waited is sent. Again changes nothing."""
    _require_administrator(by, endpoint.department)
    disabled = Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=False)
    if disabled.update(disabled_at=None, disabled_why="", failures=0, quiet_until=None):
        record("webhook.enabled", actor=by, subject=endpoint, detail=endpoint.name)
        withdraw(["webhook.disabled"], subject=f"webhook:{endpoint.pk}")
        outbox.notify_sender()


@transaction.atomic
def send_test(endpoint: Endpoint, *, by: User) -> None:
    """A message that says nothing. Raises Refusal for a disabled endpoint."""
    _require_administrator(by, endpoint.department)
    _require_enabled(endpoint)
    outbox.announce_test(endpoint)
    record("webhook.tested", actor=by, subject=endpoint, detail=endpoint.name)


@transaction.atomic
def send_again(delivery: Delivery, *, by: User) -> None:
    """The same event, with the same id, once more. Raises Refusal for a disabled endpoint."""
    endpoint = delivery.endpoint
    _require_administrator(by, endpoint.department)
    _require_enabled(endpoint)
    outbox.again(delivery)
    record(
        "webhook.sent_again", actor=by, subject=endpoint, detail=endpoint.name, event=str(delivery.event_id)
    )


def disable_for_failures(endpoint: Endpoint, failures: int) -> None:
    """In the transaction of the last failure. The department's administrators are told."""
    if not _disabled(endpoint, Why.FAILURES):
        return
    record("webhook.disabled", actor=None, subject=endpoint, detail=endpoint.name, failures=failures)
    people = User.objects.filter(
        memberships__department=endpoint.department_id, memberships__role__in=MANAGE_WEBHOOKS
    )
    tell(
        "webhook.disabled",
        people.values_list("pk", flat=True),
        subject=f"webhook:{endpoint.pk}",
        department=endpoint.department_id,
        endpoint=str(endpoint.pk),
        name=endpoint.name,
        failures=failures,
    )


def _facts(endpoint: Endpoint) -> dict[str, Any]:
    """For the audit. The rest of an address may hold a key of the receiver's."""
    host = urlsplit(endpoint.address).hostname
    return {"detail": endpoint.name, "host": host, "events": endpoint.events}


def _disabled(endpoint: Endpoint, why: Endpoint.Why) -> bool:
    enabled = Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=True)
    return bool(enabled.update(disabled_at=Now(), disabled_why=why))


def _require_administrator(user: User, department: Department) -> None:
    if not departments_where(user, MANAGE_WEBHOOKS).filter(pk=department.pk).exists():
        raise PermissionDenied(_("You are not an administrator of this department."))


def _require_enabled(endpoint: Endpoint) -> None:
    if endpoint.disabled_at:
        raise Refusal("endpoint_disabled", _("The webhook is disabled: enable it first."))
