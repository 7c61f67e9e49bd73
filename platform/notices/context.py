"""The bell in every page's frame."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest

from accounts.models import User
from notices.models import Notice

MOST = 99
"""What the bell counts to; beyond it says 99+."""


def bell(request: HttpRequest) -> dict[str, Callable[[], int]]:
    """unread_notices: counted when a page asks for it, so that fragments without the frame cost nothing."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or user.is_service:
        return {}
    return {"unread_notices": cache(lambda: unread(user))}


def unread(user: User) -> int:
    """How many notices the user has not looked at, up to one more than the bell counts to."""
    return Notice.objects.visible_to(user).unread()[: MOST + 1].count()
