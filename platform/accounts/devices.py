"""Which people have logged in in this browser before: a signed cookie that names them.

It lets nobody in. It only keeps a stranger's wrong passwords from being counted with theirs.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

COOKIE, SALT = "ventra_device", "accounts.device"
GOOD_FOR = 180 * 24 * 60 * 60
MOST = 20
"""People of one browser: workstations in reading rooms are shared."""


def known(request: HttpRequest, name: str) -> str:
    """What tells this browser of this person from every other; "" where they have not been before."""
    device = _device(request)
    user = User.objects.filter(username=name).values_list("pk", flat=True).first()
    return f"{device['id']} {user}" if user in device["users"] else ""


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """They have logged in here now."""
    device = _device(request)
    users = [user.pk, *(key for key in device["users"] if key != user.pk)][:MOST]
    response.set_cookie(
        COOKIE,
        signing.dumps(device | {"users": users}, salt=SALT),
        max_age=GOOD_FOR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _device(request: HttpRequest) -> dict[str, Any]:
    try:
        found: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return {"id": secrets.token_urlsafe(16), "users": []}
    return found
