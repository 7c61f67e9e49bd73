"""Telling people, in the transaction of what they are told of; and taking back what no longer holds."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Department, User
from notices.catalogue import KINDS
from notices.models import Notice

KEPT = timedelta(days=90)
"""How long a notice stays after it was read."""


def tell(
    code: str, people: Iterable[int], *, subject: str, department: Department | int | None = None, **said: Any
) -> None:
    """Tell people by their keys; the same unread notice is not written twice. KeyError: no such code.

    Programs and closed accounts are left out. said: plain JSON values.
    """
    KINDS[code]
    place = department.pk if isinstance(department, Department) else department
    told = User.objects.filter(pk__in=list(people), is_active=True, is_service=False)
    Notice.objects.bulk_create(
        (
            Notice(user_id=key, department_id=place, code=code, subject=subject, parameters=said)
            for key in told.values_list("pk", flat=True)
        ),
        ignore_conflicts=True,
    )


def withdraw(codes: Collection[str], *, subject: str, people: Collection[int] | None = None) -> None:
    """Take back unread notices that no longer hold, as somebody else has done it; people: only theirs."""
    found = Notice.objects.unread().filter(code__in=codes, subject=subject)
    (found if people is None else found.filter(user__in=people)).delete()


def tidy() -> int:
    """Forget what was read long ago: how many."""
    gone, _ = Notice.objects.filter(Q(read_at__lt=Now() - KEPT)).delete()
    return gone
