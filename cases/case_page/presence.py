"""Two people at one case see each other: each open page says every few seconds that it is there."""

from datetime import timedelta

from django.db.models.functions import Now

from accounts.models import User
from cases.models import Case, Presence

EVERY_SECONDS = 20
GONE_AFTER = timedelta(seconds=3 * EVERY_SECONDS)


def be_there(case: Case, user: User) -> list[User]:
    """Say that the user has the case open; the others who do, by name. A signed case is nobody's work."""
    if case.stage == Case.Stage.SIGNED:
        return []
    Presence.objects.update_or_create(case=case, user=user, defaults={"seen_at": Now()})
    there = Presence.objects.filter(case=case, seen_at__gt=Now() - GONE_AFTER).exclude(user=user)
    return [row.user for row in there.select_related("user").order_by("user__username")]


def tidy() -> int:
    """Remove those who left long ago: how many."""
    return Presence.objects.filter(seen_at__lt=Now() - timedelta(hours=1)).delete()[0]
