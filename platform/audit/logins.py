"""Log-ins, log-outs, failed attempts and new passwords, as the frameworks announce them."""

from typing import Any

from allauth.account.signals import password_changed
from django.contrib.auth import signals as auth_signals
from django.http import HttpRequest

from accounts.limits import must_wait
from accounts.models import User
from audit.departments import of_user
from audit.trail import record


def listen() -> None:
    """Connect once, at start-up."""
    auth_signals.user_logged_in.connect(_logged_in, dispatch_uid="audit.logged_in")
    auth_signals.user_logged_out.connect(_logged_out, dispatch_uid="audit.logged_out")
    auth_signals.user_login_failed.connect(_login_failed, dispatch_uid="audit.login_failed")
    password_changed.connect(_password_changed, dispatch_uid="audit.password_changed")


def _logged_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:  # noqa: ARG001
    record("account.logged_in", actor=user, subject=user)


def _logged_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:  # noqa: ARG001
    if user is not None:
        record("account.logged_out", actor=user, subject=user)


def _login_failed(
    sender: Any,  # noqa: ARG001
    credentials: dict[str, Any],
    request: HttpRequest | None = None,
    **_: Any,
) -> None:
    """Of somebody who is in already, it is the password that was asked for again."""
    if request and must_wait(request):
        return  # it was not looked at: whoever hammers shall not fill the trail as well
    asker = getattr(request, "user", None)
    if isinstance(asker, User):
        record("account.confirmation_failed", actor=asker, subject=asker)
        return
    typed = str(credentials.get("username") or credentials.get("login") or "")
    name = "".join(character for character in typed if character.isprintable())[:150]
    whose = of_user(User.objects.filter(username=name).first())
    record("account.login_failed", actor=None, actor_name=name or "(no name)", departments=whose)


def _password_changed(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:  # noqa: ARG001
    record("account.password_changed", actor=user, subject=user)
