"""New passwords: a one-time link that an administrator hands out, and the page behind it.

They stand in the composition root because a password is an account's matter, an audit line and a notice.
"""

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.models import User
from audit.trail import record
from notices.telling import tell


@transaction.atomic
def hand_out(user: User, *, by: User | None) -> str:
    """A one-time link (a path) for a new password, its audit line, and a notice to whom it concerns.

    by: None where a command makes it. Raises ValueError for a service account.
    """
    link = invitations.one_time_link(user, by=by)
    record("account.link_made", actor=by, subject=user, name=user.get_username())
    if by:
        tell("account.link_made", [user.pk], subject=str(user.pk), by=by.full_name)
    return link


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("new_password1", "new_password2", "link")
def new_password(request: HttpRequest) -> HttpResponse:
    """Choose one's own password with the secret of a link. Whoever opens the page changes nothing yet."""
    secret = (request.POST if request.method == "POST" else request.GET).get("link", "")
    owner = invitations.owner_of(secret)
    if owner is None:
        return _page(request, 410)
    form: SetPasswordForm[User] = SetPasswordForm(owner, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _choose(secret, form.cleaned_data["new_password1"])
        except invitations.LinkSpent:
            return _page(request, 410)
        messages.success(request, gettext("Your password is set. Log in with it."))
        return redirect("account_login")
    return _page(request, 422 if form.errors else 200, form=form, owner=owner, secret=secret)


@transaction.atomic
def _choose(secret: str, password: str) -> None:
    owner = invitations.spend(secret, password)
    record("account.password_chosen", actor=owner, subject=owner)


def _page(request: HttpRequest, status: int, **context: Any) -> HttpResponse:
    response = render(request, "account/new_password.html", context, status=status)
    response.headers["Referrer-Policy"] = "strict-origin"  # the secret stands in this page's own address
    return response
