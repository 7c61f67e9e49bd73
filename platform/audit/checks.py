"""Both chains walked once a day, and whenever an auditor asks, slice by slice beside all other chores.

What it finds stands on the audit page and is itself a line of the trail. `manage.py verify` proves more:
files, rows behind their digests, and a head that was kept outside.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from audit import seals
from audit.models import ChainCheck
from audit.seals import Chain, Place
from audit.trail import record

SLICE = 4000
"""Links at a time: a fraction of a second, so that no other chore waits for it."""
AGAIN_AFTER = timedelta(hours=24)


def last() -> ChainCheck | None:
    """The newest one that has come to its end."""
    return ChainCheck.objects.filter(ended_at__isnull=False).order_by("-ended_at").first()


def under_way() -> ChainCheck | None:
    """The one that goes on now."""
    return ChainCheck.objects.filter(ended_at__isnull=True).first()


def ask(by: User | None = None) -> ChainCheck:
    """Begin one, unless one goes on already."""
    with transaction.atomic():
        ChainCheck.objects.bulk_create([ChainCheck(asked_by=by)], ignore_conflicts=True)
        return ChainCheck.objects.get(ended_at__isnull=True)


def go_on() -> bool:
    """The next slice of a check that goes on or is due; whether one ended with it. A chore."""
    if under_way() is None:
        if ChainCheck.objects.filter(asked_at__gt=Now() - AGAIN_AFTER).exists():
            return False
        ask()
    with transaction.atomic():
        check = ChainCheck.objects.select_for_update().filter(ended_at__isnull=True).first()
        return _looked_on(check) if check else False


def _looked_on(check: ChainCheck) -> bool:
    left = SLICE
    events, left = _walked(check, seals.EVENTS, Place(check.events, check.events_hash or seals.GENESIS), left)
    rows, left = _walked(check, seals.ROWS, Place(check.rows, check.rows_hash or seals.GENESIS), left)
    check.events, check.events_hash = events.number, events.hash
    check.rows, check.rows_hash = rows.number, rows.hash
    is_over = left > 0
    if is_over:
        check.ended_at = Now()
        heads = {"events": [check.events, check.events_hash], "rows": [check.rows, check.rows_hash]}
        record("audit.checked", actor=check.asked_by, links=check.links, faults=check.faults, heads=heads)
    check.save()
    return is_over


def _walked(check: ChainCheck, chain: Chain, place: Place, most: int) -> tuple[Place, int]:
    """How far it came, and how many links may be looked at still."""
    for here, faults in seals.walk(chain, place, most):
        place, most = here, most - 1
        check.faults += len(faults)
        if faults and not check.first_fault:
            first = faults[0]
            check.first_fault = f"audit seal {first.seal}, {chain.name} {first.event}: {first.reason}"
    return place, most
