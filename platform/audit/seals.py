"""The chain that makes the trail tamper-evident.

Events are written unchained in their own transactions, so that busy writers never wait
for one another; a sealer links them a few seconds later. A row that commits late is
sealed late: each link names its event, so gaps in the ids need no guessing. Whoever keeps
the head's hash elsewhere (`manage.py verify --anchor`) also detects a chain that was cut
off or rewritten as a whole.

Two chains: of the events, and of the digests of rows (audit.rows).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Prefetch, QuerySet
from django.db.models.functions import Now

from audit.models import Event, RowDigest, RowSeal, Seal
from digests import canonical_json, sha256_hex

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
    return sha256_hex(canonical_json(said))


def row_digest(row: RowDigest) -> str:
    """The same of a row's digest, with the names of the columns that it covers."""
    said = {
        "id": row.pk,
        "table": row.form.table_name,
        "columns": row.form.columns,
        "key": row.row_key,
        "digest": row.digest,
        "change": row.change,
        "written_at": row.written_at.isoformat(),
    }
    return sha256_hex(canonical_json(said))


@dataclass(frozen=True)
class Chain:
    """Rows that are only ever added, and the links that bind each to everything before it.

    link: the name of the link's field that leads to its row. digest: of a row, in one byte form. written: the
    name of the row's field that says when.
    """

    rows: Any
    links: Any
    link: str
    digest: Callable[[Any], str]
    name: str
    written: str

    def linked(self) -> QuerySet[Any]:
        """The links in order; a join would hide a row that is lost."""
        query: QuerySet[Any] = self.links.objects.order_by("number")
        return query.prefetch_related(Prefetch(self.link, self.rows.objects.select_related(*self.more)))

    @property
    def more(self) -> tuple[str, ...]:
        """What a row's digest also reads."""
        return ("form",) if self.rows is RowDigest else ()


EVENTS = Chain(Event, Seal, "event", digest, "event", "occurred_at")
ROWS = Chain(RowDigest, RowSeal, "row", row_digest, "digest", "written_at")


@dataclass(frozen=True)
class Lag:
    """What is written and not linked yet. seconds: the age of the oldest of it, 0 when all is linked."""

    rows: int
    seconds: float


def lag(chain: Chain = EVENTS) -> Lag:
    """How far the links of a chain are behind what was written."""
    newest = chain.links.objects.aggregate(newest=Max(f"{chain.link}_id"))["newest"] or 0
    rows = chain.rows.objects.filter(seal__isnull=True, pk__gt=newest - _LOOK_BACK)
    found = rows.aggregate(count=Count("pk"), age=Now() - Min(chain.written))
    return Lag(found["count"], found["age"].total_seconds() if found["age"] else 0.0)


def seal(limit: int = 1000, *, look_back: int = _LOOK_BACK, chain: Chain = EVENTS) -> int:
    """Link the next unsealed events; returns how many. Idle while another sealer works."""
    with transaction.atomic():
        if not _alone():
            return 0
        number, last = head(chain)
        links = []
        for row in _unsealed(chain, limit, look_back):
            number += 1
            said = chain.digest(row)
            last = sha256_hex((last + said).encode())
            links.append(chain.links(number=number, digest=said, hash=last, **{chain.link: row}))
        chain.links.objects.bulk_create(links)
        return len(links)


def catch_up(rounds: int = 20) -> int:
    """Link what has been written since the last time, in both chains, up to so many rounds; how many."""
    linked = 0
    for chain in (EVENTS, ROWS):
        for _ in range(rounds):
            found = seal(chain=chain)
            linked += found
            if not found:
                break
    return linked


def seal_all() -> None:
    """Link everything that is still unsealed, however old, in both chains."""
    for chain in (EVENTS, ROWS):
        while seal(look_back=2**62, chain=chain):
            pass


@dataclass(frozen=True)
class Place:
    """A link of a chain: everything up to it has been looked at."""

    number: int = 0
    hash: str = GENESIS


BEGINNING = Place()


def walk(
    chain: Chain,
    after: Place = BEGINNING,
    most: int | None = None,
) -> Iterator[tuple[Place, list[Fault]]]:
    """The next links of a chain, each with what is wrong at it, and no more than `most` of them."""
    last, expected = after.hash, after.number + 1
    links = chain.linked().filter(number__gt=after.number)[:most]
    for link in links.iterator(chunk_size=2000):
        row_id, found = getattr(link, f"{chain.link}_id"), []
        if link.number != expected:
            found.append(Fault(expected, row_id, "a seal is missing"))
        if reason := _wrong_with_row(chain, link):
            found.append(Fault(link.number, row_id, reason))
        if sha256_hex((last + link.digest).encode()) != link.hash:
            found.append(Fault(link.number, row_id, "the chain is broken here"))
        yield Place(link.number, link.hash), found
        last, expected = link.hash, link.number + 1


def verify(*, anchor: tuple[int, str] | None = None, chain: Chain = EVENTS) -> Iterator[Fault]:
    """Every fault of the chain, in order. anchor: (number, hash) kept outside the database."""
    anchored = anchor is None
    for place, found in walk(chain):
        yield from found
        anchored = anchored or (place.number, place.hash) == anchor
    if anchor and not anchored:
        yield Fault(anchor[0], 0, "the anchored seal is not in the chain: it was cut off or rewritten")


def head(chain: Chain = EVENTS) -> tuple[int, str]:
    """(number, hash) of the newest link: keep it where the database's owner cannot write."""
    newest = chain.links.objects.order_by("-number").first()
    return (newest.number, newest.hash) if newest else (0, GENESIS)


def heads() -> dict[str, Any]:
    """Of both chains, as an anchor is kept outside: number and hash of the events', and those of "rows"."""
    events, rows = ({"number": number, "hash": hash_} for number, hash_ in (head(EVENTS), head(ROWS)))
    return events | {"rows": rows}


def _wrong_with_row(chain: Chain, link: Any) -> str:
    try:
        row = getattr(link, chain.link)
    except ObjectDoesNotExist:
        return f"the {chain.name} is gone"
    return "" if chain.digest(row) == link.digest else f"the {chain.name} was changed after it was sealed"


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])


def _unsealed(chain: Chain, limit: int, look_back: int) -> Iterator[Any]:
    newest = chain.links.objects.aggregate(newest=Max(f"{chain.link}_id"))["newest"] or 0
    rows = chain.rows.objects.filter(seal__isnull=True, pk__gt=newest - look_back)
    yield from rows.select_related(*chain.more).order_by("pk")[:limit]
