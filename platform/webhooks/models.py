"""Who wants to hear of what, the secrets that prove who tells it, and everything that is to be told."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, User
from accounts.roles import MANAGE_WEBHOOKS, departments_where


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """The administrators' reading rule."""

    def visible_to(self, user: User) -> Self:
        """Those of the departments that the user administers."""
        return self.filter(department__in=departments_where(user, MANAGE_WEBHOOKS))


class Endpoint(models.Model):
    """An address that hears of one department's cases.

    failures: attempts in a row that have failed. quiet_until: nothing is sent before.
    """

    class Why(models.TextChoices):
        BY_HAND = "by_hand", _("Disabled by an administrator")
        FAILURES = "failures", _("Too many attempts in a row have failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    address = models.CharField(max_length=500)
    events = models.JSONField(default=list, help_text="Names out of webhooks.catalogue.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    failures = models.PositiveIntegerField(default=0)
    quiet_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=10, choices=Why, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("department__name", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "name"], name="one_webhook_of_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Secret(models.Model):
    """What a secret is derived from, together with the program's own key; the secret itself is not stored.

    sha256: of the secret, to notice when it can no longer be derived. until: None for the present one, for
    its predecessor the end of the overlap in which both sign.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    salt = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    until = models.DateTimeField(null=True)
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=models.Q(until__isnull=True), name="one_present_secret"
            ),
        ]

    def __str__(self) -> str:
        return f"Secret of {self.endpoint}"


class Delivery(models.Model):
    """One event for one endpoint: the outbox. Written with what it tells, sent afterwards.

    event_id: the same for every endpoint and attempt. token, lease_until: as of a job (inference.jobs).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        GIVEN_UP = "given_up", _("Given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deliveries")
    event_id = models.UUIDField()
    event = models.CharField(max_length=40)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(db_default=Now())
    last_status = models.PositiveSmallIntegerField(null=True)
    last_problem = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["not_before"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["endpoint", "-created_at"], name="delivery_of_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}: {self.get_state_display().lower()}"
