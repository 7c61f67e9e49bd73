"""The trail and its seals. Rows are only ever added; a database trigger says so too."""

from typing import Any, ClassVar, NoReturn, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now

from accounts.models import User
from accounts.roles import READ_AUDIT, departments_where


class AppendOnly(models.Model):
    """A row that is written once. The database's triggers hold against raw SQL as well."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; an update raises TypeError."""
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Always raises TypeError."""
        raise TypeError(f"{type(self).__name__} rows are append-only.")


class EventQuerySet(models.QuerySet["Event"]):
    """The auditor's reading rule, shared by page and export."""

    def visible_to(self, user: User) -> Self:
        """The events of the departments that the user audits, and those that are nobody's alone.

        What an event is about is told by the event, never by who belongs where today.
        """
        audited = list(departments_where(user, READ_AUDIT).values_list("pk", flat=True))
        if not audited:
            return self.none()
        nobodys = models.Q(departments=[], thread="")
        return self.filter(models.Q(departments__overlap=audited) | nobodys)


class Event(AppendOnly):
    """One thing somebody did. Names stand beside keys, so that history outlives accounts.

    thread: what the event belongs to, e.g. "case:<uuid>"; one case's timeline is one thread.
    departments: keys of those it was about when it was written, ascending; empty: of none in particular.
    version: what its seal covers (audit.seals.digest).
    """

    occurred_at = models.DateTimeField(db_default=Now(), editable=False)
    verb = models.CharField(max_length=40)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    thread = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    door = models.CharField(max_length=12)
    request_id = models.CharField(max_length=36, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    departments = ArrayField(models.BigIntegerField(), default=list)
    version = models.PositiveSmallIntegerField(default=2)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["thread", "-id"], name="event_thread"),
            models.Index(fields=["verb", "-id"], name="event_verb"),
            models.Index(fields=["actor_id", "-id"], name="event_actor"),
            GinIndex(fields=["departments"], name="event_departments"),
            models.Index(
                KeyTextTransform("number", "detail"),
                condition=models.Q(verb="case.opened"),
                name="event_case_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at} {self.actor_name} {self.verb}"


class Seal(AppendOnly):
    """One link of the chain, binding one event to everything sealed before it.

    digest: SHA-256 of the event's canonical JSON.
    hash: SHA-256 of the previous link's hash and this digest.
    """

    number = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="seal")
    digest = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"seal {self.number}: {self.hash[:12]}"


class ChainCheck(models.Model):
    """Somebody's, or the day's, walk along both chains, slice by slice: how far it is, and what it has found.

    It proves nothing by itself: whoever doubts it has the chains walked again.
    """

    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)
    events = models.BigIntegerField(default=0, help_text="Links of the events' chain that were looked at.")
    events_hash = models.CharField(max_length=64, blank=True)
    rows = models.BigIntegerField(default=0, help_text="Likewise of the chain of rows.")
    rows_hash = models.CharField(max_length=64, blank=True)
    faults = models.BigIntegerField(default=0)
    first_fault = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["ended_at"],
                condition=models.Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="one_check_of_the_chain_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.pk}: {self.events} and {self.rows} links, {self.faults} faults"

    @property
    def links(self) -> int:
        """Of both chains."""
        return self.events + self.rows


class RowForm(AppendOnly):
    """The columns that digests of a table's rows cover; another form begins when a column is added."""

    id = models.AutoField(primary_key=True)
    table_name = models.CharField(max_length=63)
    columns = ArrayField(models.CharField(max_length=63))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table_name", "columns"], name="one_form_for_the_same_columns"),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} ({', '.join(self.columns)})"


class RowDigest(AppendOnly):
    """What a row said after a change: SHA-256 of its columns as JSON. A trigger writes it; see audit.rows."""

    class Change(models.TextChoices):
        INSERT = "insert"
        UPDATE = "update"
        DELETE = "delete"
        LATE = "late"
        """Recorded after it was written: before there were digests, or anew after a column was added."""

    id = models.BigAutoField(primary_key=True)
    form = models.ForeignKey(RowForm, on_delete=models.PROTECT, related_name="+")
    table_name = models.CharField(max_length=63)
    row_key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    change = models.CharField(max_length=6, choices=Change)
    written_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["table_name", "row_key", "-id"], name="digest_of_row")]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_key}: {self.digest[:12]}"


class RowSeal(AppendOnly):
    """One link of the chain of rows' digests; see Seal."""

    number = models.BigIntegerField(primary_key=True)
    row = models.OneToOneField(RowDigest, on_delete=models.PROTECT, related_name="seal")
    digest = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"seal {self.number}: {self.hash[:12]}"
