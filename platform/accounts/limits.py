"""How fast passwords may be tried, so that a stranger can neither guess them nor lock their owner out.

Four counters, none of which a stranger shares with somebody who has been here before:

- a browser in which this person has logged in before (a signed cookie): its own;
- any other browser: one for address and user name together, and one for the address, for many names;
- a session in which the password is asked for again: its own.

Each allows some tries at once, then one after a wait that doubles; it forgets slowly. A try is counted before
the password is looked at, so that many at the same time are counted too, and given back when it was right.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts import devices
from accounts.addresses import neighbourhood
from accounts.models import Attempts, User

KEPT = timedelta(days=1)
FIRST_WAIT = 10
"""Seconds; each further wait is twice as long."""
_WAIT, _TAKEN = "accounts.must_wait", "accounts.taken"


class Counter(NamedTuple):
    """key: a digest, for what is typed as a name may be a password. free: tries without a wait.

    longest: seconds that a wait grows to. leak: seconds until one try is forgotten. is_shared: with others.
    """

    key: str
    free: int
    longest: int
    leak: int
    is_shared: bool = False


def counters(request: HttpRequest | None, name: str) -> list[Counter]:
    """Those that a try for this user name counts for."""
    asker = getattr(request, "user", None)
    if request and isinstance(asker, User) and asker.get_username() == name:
        return [_counter("session", request.session.session_key or "", free=10, longest=300, leak=120)]
    if request and (device := devices.known(request, name)):
        return [_counter("device", device, free=10, longest=300, leak=120)]
    address = neighbourhood(request.META.get("REMOTE_ADDR", "") if request else "")
    return [
        _counter("address", address, free=20, longest=60, leak=180)._replace(is_shared=True),
        _counter("name", f"{address} {name.casefold()}", free=5, longest=300, leak=300),
    ]


@transaction.atomic
def take(wanted: Sequence[Counter]) -> int:
    """Count a try with each: 0, or the seconds to wait, and then it is counted with none."""
    Attempts.objects.bulk_create([Attempts(key=one.key) for one in wanted], ignore_conflicts=True)
    rows = Attempts.objects.select_for_update().filter(key__in=[one.key for one in wanted]).order_by("key")
    found = {row.key: row for row in rows.annotate(now=Now())}
    waits = [(row.free_at - row.now).total_seconds() for row in found.values()]
    if max(waits, default=0) > 0:
        return int(max(waits)) + 1
    for one in wanted:
        row = found[one.key]
        tries = _remembered(row, row.now, one.leak) + 1
        wait = min(FIRST_WAIT * 2 ** min(tries - one.free, 20), one.longest) if tries >= one.free else 0
        row.tries, row.last_at, row.free_at = tries, row.now, row.now + timedelta(seconds=wait)
        row.save(update_fields=["tries", "last_at", "free_at"])
    return 0


@transaction.atomic
def give_back(taken: Sequence[Counter]) -> None:
    """It was the right password: what only its owner could try is forgotten, an address has one try less."""
    for one in taken:
        row = Attempts.objects.select_for_update().filter(key=one.key).annotate(now=Now()).first()
        if row:
            row.tries, row.free_at = max(0, row.tries - 1) if one.is_shared else 0, row.now
            row.save(update_fields=["tries", "free_at"])


def must_wait(request: HttpRequest) -> int:
    """Seconds, when the try that was just made for this request was not looked at."""
    return int(request.META.get(_WAIT, 0))


def tried(request: HttpRequest | None, name: str) -> bool:
    """Count a try; False when it must not be looked at."""
    wanted = counters(request, name)
    wait = take(wanted)
    if request:
        request.META[_WAIT], request.META[_TAKEN] = wait, wanted
    return not wait


def succeeded(request: HttpRequest) -> None:
    """Give back what was counted for this request."""
    give_back(request.META.pop(_TAKEN, ()))


def tidy() -> None:
    """Forget what nobody has tried for long."""
    Attempts.objects.filter(last_at__lt=Now() - KEPT).delete()


def _remembered(row: Attempts, now: datetime, leak: int) -> int:
    return max(0, row.tries - int((now - row.last_at).total_seconds() // leak))


def _counter(kind: str, who: str, *, free: int, longest: int, leak: int) -> Counter:
    return Counter(salted_hmac("accounts.limits", f"{kind} {who}").hexdigest(), free, longest, leak)
