"""The chain that makes the trail tamper-evident.

Events are written unchained in their own transactions, so that busy writers never wait
for one another; a sealer links them a few seconds later. A row that commits late is
sealed late: each link names its event, so gaps in the ids need no guessing. Whoever keeps
the head's hash elsewhere (`manage.py verify --anchor`) also detects a chain that was cut
off or rewritten as a whole.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from audit.models import Event, Seal

GENESIS = "0" * 64
_ADVISORY_LOCK = 0x5EA1
_LOOK_BACK = 100_000  # ids; a transaction that stays open for longer than this is sealed by `verify`


@dataclass(frozen=True)
class Fault:
    """One place where the trail does not prove itself."""

    seal: int
    event: int
    reason: str


def digest(event: Event) -> str:
    """SHA-256 of everything the event says, in one byte form.

    An event of version 1 was sealed before events named their departments, and is sealed as it was then.
    """
    said: dict[str, Any] = {
        "id": event.pk,
        "occurred_at": event.occurred_at.isoformat(),
        "verb": event.verb,
        "actor": [event.actor_id, event.actor_name],
        "subject": [event.subject_type, event.subject_id],
        "thread": event.thread,
        "detail": event.detail,
        "origin": [event.door, event.request_id, event.ip_address],
    }
    if event.version > 1:
        said |= {"version": event.version, "departments": event.departments}
    return _sha256(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def seal(limit: int = 1000, *, look_back: int = _LOOK_BACK) -> int:
    """Link the next unsealed events; returns how many. Idle while another sealer works."""
    with transaction.atomic():
        if not _alone():
            return 0
        last = Seal.objects.order_by("-number").first()
        number, head = (last.number, last.hash) if last else (0, GENESIS)
        links = []
        for event in _unsealed(limit, look_back):
            number += 1
            event_digest = digest(event)
            head = _sha256(head + event_digest)
            links.append(Seal(number=number, event=event, digest=event_digest, hash=head))
        Seal.objects.bulk_create(links)
        return len(links)


def verify(*, anchor: tuple[int, str] | None = None) -> Iterator[Fault]:
    """Every fault of the chain, in order. anchor: (number, hash) kept outside the database."""
    head, expected = GENESIS, 1
    anchored = anchor is None
    links = Seal.objects.order_by("number").prefetch_related("event")  # a join would hide a lost event
    for link in links.iterator(chunk_size=2000):
        if link.number != expected:
            yield Fault(expected, link.event_id, "a seal is missing")
        if reason := _wrong_with_event(link):
            yield Fault(link.number, link.event_id, reason)
        head = _sha256(head + link.digest)
        if head != link.hash:
            yield Fault(link.number, link.event_id, "the chain is broken here")
        anchored = anchored or (link.number, link.hash) == anchor
        head, expected = link.hash, link.number + 1
    if anchor and not anchored:
        yield Fault(anchor[0], 0, "the anchored seal is not in the chain: it was cut off or rewritten")


def head() -> tuple[int, str]:
    """(number, hash) of the newest link: keep it where the database's owner cannot write."""
    last = Seal.objects.order_by("-number").first()
    return (last.number, last.hash) if last else (0, GENESIS)


def _wrong_with_event(link: Seal) -> str:
    try:
        event = link.event
    except Event.DoesNotExist:
        return "the event is gone"
    return "" if digest(event) == link.digest else "the event was changed after it was sealed"


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])


def _unsealed(limit: int, look_back: int) -> Iterator[Event]:
    newest = Seal.objects.aggregate(newest=Max("event_id"))["newest"] or 0
    events = Event.objects.filter(seal__isnull=True, pk__gt=newest - look_back)
    yield from events.order_by("pk")[:limit]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
