"""One-time links: how a person comes to a password that nobody else has chosen or seen.

The secret stands in the query of the link, because access logs leave queries out. Only its digest is kept.
Looking at the link changes nothing; opening it binds it to that browser, and only there a password is chosen.
Whoever hands a link out and opens it first is found out: for its owner it no longer works.
"""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import OneTimeLink, User

VALID = timedelta(days=3)


class LinkSpent(Exception):
    """The link was used, replaced, has expired, or never was one: all look the same from outside."""


@transaction.atomic
def one_time_link(user: User, *, by: User | None) -> str:
    """The path of a page on which the user chooses a password; works once, for VALID, and is not kept.

    Whatever let the user in by password before ends now: the old password, sessions, an earlier link.
    by: None where a command makes it. The caller leaves the audit line. ValueError: a service account.
    """
    if user.is_service:
        raise ValueError("A service account has no password.")
    user.set_unusable_password()
    user.save(update_fields=["password"])
    OneTimeLink.objects.filter(user=user).delete()
    secret = secrets.token_urlsafe(32)
    OneTimeLink.objects.create(user=user, digest=_digest(secret), made_by=by, expires_at=Now() + VALID)
    return f"{reverse('account_new_password')}?link={secret}"


def owner_of(secret: str, browser: str) -> tuple[User, bool] | None:
    """Whose password the link sets, and whether this browser has opened it; None when it is not for it.

    browser: what `open_link` gave it, "" before.
    """
    found = _standing(secret, browser).select_related("user").first()
    return (found.user, bool(found.browser)) if found else None


@transaction.atomic
def open_link(secret: str, browser: str) -> tuple[User, str]:
    """Bind the link to the browser that asks: its owner, and what the browser keeps. Raises LinkSpent."""
    link = _standing(secret, browser).select_related("user").select_for_update(of=("self",)).first()
    if link is None:
        raise LinkSpent
    if not link.browser:
        browser = secrets.token_urlsafe(32)
        link.browser = _digest(browser)
        link.save(update_fields=["browser"])
    return link.user, browser


@transaction.atomic
def spend(secret: str, browser: str, password: str) -> User:
    """Set the password, which the caller has checked, and end the link. Raises LinkSpent."""
    found = _standing(secret, browser).exclude(browser="")
    link = found.select_related("user").select_for_update(of=("self",)).first()
    if link is None:
        raise LinkSpent
    link.user.set_password(password)
    link.user.save(update_fields=["password"])
    link.delete()
    return link.user


def tidy() -> None:
    """Forget links that have run out."""
    OneTimeLink.objects.filter(expires_at__lt=Now()).delete()


def _standing(secret: str, browser: str) -> QuerySet[OneTimeLink]:
    """The link, if this browser may have it: nobody has opened it, or this one has."""
    links = OneTimeLink.objects.filter(digest=_digest(secret), expires_at__gt=Now())
    links = links.filter(browser__in=["", _digest(browser)])
    return links.filter(user__is_active=True, user__is_service=False)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
