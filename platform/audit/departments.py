"""Which departments an event is about, found once: when it is written.

Auditors are shown what was about their department then. Whoever leaves it later takes nothing along, and
whoever belongs to two brings nothing from one to the other.
"""

from collections.abc import Callable, Iterable

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import Department, Membership, User

Owner = Callable[[str], Iterable[int]]
_OWNERS: dict[str, Owner] = {}
EVERYWHERE = ("model.",)
"""Beginnings of verbs that are about no department in particular: a version answers the scans of all."""


def owned(kind: str, owner: Owner) -> None:
    """Say once, at start-up, whose the threads "<kind>:<key>" are: owner(key) gives keys of departments."""
    _OWNERS[kind] = owner


def of(
    verb: str, actor: User | AnonymousUser | None, subject: models.Model | None, thread: str
) -> Iterable[int]:
    """Whose the thread is, else whom the subject belongs to, else where the actor works; else nobody's."""
    if verb.startswith(EVERYWHERE):
        return ()
    kind, _, key = thread.partition(":")
    owner = _OWNERS.get(kind)
    return (owner(key) if owner else ()) or _of_subject(subject) or of_user(actor)


def of_user(user: User | AnonymousUser | None) -> list[int]:
    """The departments in which somebody holds a role now."""
    if user is None or user.pk is None:
        return []
    return list(Membership.objects.filter(user_id=user.pk).values_list("department_id", flat=True))


def _of_subject(subject: models.Model | None) -> list[int]:
    match subject:
        case Department():
            return [subject.pk]
        case User():
            return of_user(subject)
    found = getattr(subject, "department_id", None)
    return [found] if isinstance(found, int) else []
