"""New passwords: a one-time link that an administrator hands out, and the page behind it.

They stand in the composition root because a password is an account's matter, an audit line and a notice.
"""

from typing import Any
from urllib.parse import urlencode

from allauth.account import forms as allauth_forms
from allauth.core import context
from django import forms
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.models import User
from accounts.reauthentication import confirm
from audit.trail import record
from config.token_pages import revoke_all
from notices.telling import tell

OPENED = "opened_link"
"""What of a browser's session says which one-time link it has opened."""
VISITOR = "(visitor)"
"""Who opens a link, on the trail: nobody has proved yet who it is."""


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


class RevokeTokensField(forms.BooleanField):
    """Offered wherever somebody comes to a new password."""

    def __init__(self) -> None:
        label = gettext_lazy("Also revoke my API tokens: programs that use them can no longer come in")
        super().__init__(required=False, label=label)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types
    """allauth's, with the old password counted like every other try, and an offer to revoke tokens."""

    revoke_tokens = RevokeTokensField()

    def clean_oldpassword(self) -> str:
        """Raises ValidationError when it is not theirs."""
        old: str = self.cleaned_data["oldpassword"]
        confirm(context.request, old)
        return old

    @transaction.atomic
    def save(self) -> None:
        """The password, and the tokens where that is wanted. Other sessions end with the old password."""
        super().save()
        if self.cleaned_data["revoke_tokens"]:
            revoke_all(self.user, by=self.user)


class OwnPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not generic when it runs
    """A password chosen with a link."""

    revoke_tokens = RevokeTokensField()


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("new_password1", "new_password2", "link")
def new_password(request: HttpRequest) -> HttpResponse:
    """Choose one's own password with the secret of a link: open it in this browser, then choose.

    Looking changes nothing. Whoever is logged in is somebody else than its owner, whose sessions have ended.
    """
    secret = (request.POST if request.method == "POST" else request.GET).get("link", "")
    browser = request.session.get(OPENED, "")
    found = invitations.owner_of(secret, browser)
    if found is None:
        return _page(request, 410)
    owner, is_open = found
    if isinstance(request.user, User) and request.user != owner:
        raise PermissionDenied(_not_yours(request.user))
    if request.method == "POST" and "open" in request.POST:
        return _opened(request, secret, browser)
    if not is_open:
        return _page(request, 200, owner=owner, secret=secret)
    form = OwnPasswordForm(owner, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _choose(
                secret, browser, form.cleaned_data["new_password1"], revoke=form.cleaned_data["revoke_tokens"]
            )
        except invitations.LinkSpent:
            return _page(request, 410)
        messages.success(request, gettext("Your password is set. Log in with it."))
        return redirect("account_login")
    return _page(request, 422 if form.errors else 200, form=form, owner=owner, secret=secret)


@transaction.atomic
def _opened(request: HttpRequest, secret: str, browser: str) -> HttpResponse:
    """The link is this browser's from now on; that somebody has opened it is on the trail, from where too."""
    try:
        owner, kept = invitations.open_link(secret, browser)
    except invitations.LinkSpent:
        return _page(request, 410)
    if kept != browser:
        request.session[OPENED] = kept
        record(
            "account.link_opened", actor=None, actor_name=VISITOR, subject=owner, name=owner.get_username()
        )
    return redirect(f"{request.path}?{urlencode({'link': secret})}")


def _not_yours(user: User) -> str:
    sentence = gettext(
        "You are logged in as {name}. A one-time link is opened by the person whose password it sets, in "
        "their own browser."
    )
    return sentence.format(name=user.get_username())


@transaction.atomic
def _choose(secret: str, browser: str, password: str, *, revoke: bool) -> None:
    owner = invitations.spend(secret, browser, password)
    record("account.password_chosen", actor=owner, subject=owner)
    if revoke:
        revoke_all(owner, by=owner)


def _page(request: HttpRequest, status: int, **context: Any) -> HttpResponse:
    response = render(request, "account/new_password.html", context, status=status)
    response.headers["Referrer-Policy"] = "strict-origin"  # the secret stands in this page's own address
    return response
