"""Writing to the trail, and reading one thread of it."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from audit import departments as concern
from audit.catalogue import SENTENCES
from audit.context import origin
from audit.models import Event

SYSTEM = "Ventra"


def record(
    verb: str,
    *,
    actor: User | AnonymousUser | None,
    subject: models.Model | None = None,
    thread: str = "",
    actor_name: str = "",
    departments: Iterable[int] | None = None,
    **detail: Any,
) -> Event:
    """Add one line in the caller's transaction: if it cannot be written, nothing is.

    actor None means Ventra itself (worker, sweeper). detail must be JSON and holds no
    identity of a patient. An unknown verb raises KeyError.
    departments: keys of those it is about; without them audit.departments finds them.
    """
    if verb not in SENTENCES:
        raise KeyError(f"{verb} is not in audit.catalogue")
    here = origin.get()
    about = concern.of(verb, actor, subject, thread) if departments is None else departments
    return Event.objects.create(
        verb=verb,
        actor_id=actor.pk if actor else None,
        actor_name=actor_name or (actor.get_username() if actor else SYSTEM),
        subject_type=subject._meta.label_lower if subject else "",
        subject_id=str(subject.pk) if subject else "",
        thread=thread,
        detail=detail,
        door=here.door,
        request_id=here.request_id,
        ip_address=here.ip_address,
        departments=sorted(set(about)),
    )


def numbers_of(threads: Iterable[str]) -> dict[str, str]:
    """The number of each of these threads that is a case's, as its opening has put it on the trail."""
    opened = Event.objects.filter(verb="case.opened", thread__in=[one for one in threads if one])
    return {event.thread: str(event.detail.get("number", "")) for event in opened}


def thread_of(thread: str) -> models.QuerySet[Event]:
    """The events of one thread, newest first."""
    return Event.objects.filter(thread=thread).order_by("-id")
