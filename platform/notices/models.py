"""Notices: one row for each person and thing to be told."""

from collections import defaultdict
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Department, Role, User
from accounts.roles import departments_where
from language.stored import said
from notices.catalogue import KINDS


class NoticeQuerySet(models.QuerySet["Notice"]):
    """The reading rule, shared by bell and page."""

    def visible_to(self, user: User) -> Self:
        """The user's own, without those of departments in which they may no longer read such a thing."""
        allowed = models.Q(department__isnull=True)
        for roles, codes in _codes_by_roles().items():
            allowed |= models.Q(code__in=codes, department__in=departments_where(user, roles))
        return self.filter(allowed, user=user, code__in=list(KINDS))

    def unread(self) -> Self:
        """Those that the user has not looked at."""
        return self.filter(read_at__isnull=True)


def _codes_by_roles() -> dict[frozenset[Role], list[str]]:
    found: dict[frozenset[Role], list[str]] = defaultdict(list)
    for code, kind in KINDS.items():
        found[kind.roles].append(code)
    return found


class Notice(models.Model):
    """Something that concerns one person. subject: what it is about; the same twice is one unread notice.

    parameters: for the sentence and the address of the page. They hold no identity of a patient, no class
    and no probability.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    department = models.ForeignKey(Department, null=True, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    parameters = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "-id"], name="notice_of_user")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "code", "subject"],
                condition=models.Q(read_at__isnull=True),
                name="one_unread_notice_of_a_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """In the language of whoever reads it now."""
        values: dict[str, Any] = self.parameters
        if "model_version" in values:
            values = values | {"model_version": said(values["model_version"])}
        if "role" in values:
            values = values | {"role": str(Role(values["role"]).label)}
        return str(KINDS[self.code].says) % values

    @property
    def page(self) -> str:
        """The address that it leads to."""
        kind = KINDS[self.code]
        address = reverse(kind.page, args=[self.parameters[kind.key]] if kind.key else None)
        scan = self.parameters.get("scan_number")
        return f"{address}?scan={scan}" if scan else address
