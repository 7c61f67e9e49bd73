"""Refused access is an event too: what somebody asked for that exists and is not theirs.

The asker is told the same as of what does not exist. It stands in the composition root because each room
knows whose its things are, and none knows all.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import models
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from knox.models import AuthToken

from accounts.models import User
from audit import departments
from audit.models import Event
from audit.trail import record
from cases.models import SavedView
from cases.owners import case_behind
from notices.models import Notice
from webhooks.models import Delivery, Endpoint

NOTED_AGAIN = timedelta(minutes=1)
"""A page that keeps asking for the same thing is one line in this time."""


class Owned(NamedTuple):
    """Something that exists: where it belongs in the trail."""

    subject: models.Model
    thread: str
    departments: Iterable[int]


def note_refused_access(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Add a line for a 403, and for a 404 on something that is there, of whoever is logged in."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code in {403, 404} and isinstance(request.user, User) and request.resolver_match:
            _note(request, request.user, response.status_code)
        return response

    return respond


def _note(request: HttpRequest, asker: User, status: int) -> None:
    match = request.resolver_match
    keys: dict[str, Any] = match.kwargs if match else {}
    found = next((owned for key in keys.values() if (owned := _owned(key, request.path_info))), None)
    if found is None and status == 404:
        return
    subject = found.subject if found else None
    same = Event.objects.filter(verb="access.refused", actor_id=asker.pk, occurred_at__gt=Now() - NOTED_AGAIN)
    if same.filter(subject_id=str(subject.pk) if subject else "", detail__page=_page(request)).exists():
        return
    record(
        "access.refused",
        actor=asker,
        subject=subject,
        thread=found.thread if found else "",
        departments=found.departments if found else None,
        page=_page(request),
        method=request.method,
        status=status,
    )


def _page(request: HttpRequest) -> str:
    return (request.resolver_match.view_name or "") if request.resolver_match else ""


def _owned(key: Any, path: str) -> Owned | None:
    if isinstance(key, uuid.UUID):
        return _in_the_record(key) or _of_a_department(key) or _of_a_person(SavedView, key, "owner")
    if path.startswith("/notices/"):
        return _of_a_person(Notice, key, "user")
    if path.startswith("/account/tokens/"):
        return _of_a_person(AuthToken, key, "user")
    return None


def _in_the_record(key: uuid.UUID) -> Owned | None:
    case = case_behind(key)
    return Owned(case, case.thread, [case.department_id]) if case else None


def _of_a_department(key: uuid.UUID) -> Owned | None:
    endpoint = Endpoint.objects.filter(pk=key).first()
    if endpoint is None and (delivery := Delivery.objects.filter(pk=key).first()):
        endpoint = delivery.endpoint
    return Owned(endpoint, "", [endpoint.department_id]) if endpoint else None


def _of_a_person(model: type[models.Model], key: Any, owner: str) -> Owned | None:
    row = model._default_manager.filter(pk=key).first()
    person: User | None = getattr(row, owner, None)
    return Owned(person, "", departments.of_user(person)) if person else None
