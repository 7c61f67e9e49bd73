"""API tokens: one's own, to see, issue and revoke; and everybody's, for administrators to revoke.

They stand in the composition root because issuing is both an account's matter and an audit line.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from knox.models import AuthToken

from accounts.decorators import PersonRequest, people_only
from accounts.models import User
from accounts.reauthentication import ConfirmedForm
from accounts.tokens import issue_token
from audit.trail import record
from notices.telling import tell

SCOPES = (("all", gettext_lazy("do all that I may")), ("read", gettext_lazy("only read")))
LIFETIMES = ((7, gettext_lazy("7 days")), (30, gettext_lazy("30 days")), (90, gettext_lazy("90 days")))


class IssueForm(ConfirmedForm):
    """What for, how long, and the password again: an unlocked screen must not be enough to make a key."""

    field_order = ("name", "scope", "days", "password")
    name = forms.CharField(label=gettext_lazy("What it is for"), max_length=80, required=False)
    scope = forms.ChoiceField(label=gettext_lazy("It may"), choices=SCOPES, initial="all")
    days = forms.TypedChoiceField(label=gettext_lazy("Valid for"), coerce=int, choices=LIFETIMES, initial=30)
    refusal = gettext_lazy("This is not your password. No token was issued.")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def tokens(request: PersonRequest) -> HttpResponse:
    """The list; a POST issues a token and shows it this once."""
    form = IssueForm(request, request.POST or None)
    issued = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        reads_only = said["scope"] == "read"
        issued = issue(request.user, days=said["days"], name=said["name"], reads_only=reads_only)
        form = IssueForm(request)
    context = {"form": form, "issued": issued, "tokens": _valid(request.user), "prefix": "ventra_"}
    return render(request, "account/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@people_only
def revoke_token(request: PersonRequest, digest: str) -> HttpResponse:
    """Make one of one's own tokens worthless at once."""
    revoke(get_object_or_404(AuthToken, user=request.user, digest=digest), by=request.user)
    sentence = gettext("The token was revoked. Programs that used it can no longer come in.")
    messages.success(request, sentence)
    return redirect("account_tokens")


@transaction.atomic
def issue(user: User, *, days: int, name: str = "", reads_only: bool = False) -> str:
    """A new token and its audit line."""
    token = issue_token(user, lifetime=timedelta(days=days), name=name, reads_only=reads_only)
    said = {"days": days, "name": name, "reads_only": reads_only}
    told: dict[str, Any] = {key: value for key, value in said.items() if value}
    record("account.token_issued", actor=user, subject=user, **told)
    return token


@transaction.atomic
def revoke(token: AuthToken, *, by: User) -> None:
    """Delete a token, say so in the audit, and tell its owner where somebody else did it."""
    owner: User = token.user
    record("account.token_revoked", actor=by, subject=owner, name=owner.username, token_key=token.token_key)
    if owner != by:
        key = token.token_key
        tell("account.token_revoked", [owner.pk], subject=token.digest[:64], by=by.full_name, token_key=key)
    token.delete()


@transaction.atomic
def revoke_all(user: User, *, by: User) -> None:
    """Every token of somebody, also those that have run out."""
    for token in AuthToken.objects.filter(user=user).select_related("user"):
        revoke(token, by=by)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def everybodys_tokens(request: PersonRequest) -> HttpResponse:
    """Every token there is, with its last use; an administrator revokes any, with their own password."""
    if not (request.user.is_staff and request.user.has_perm("accounts.change_user")):
        raise PermissionDenied(gettext("Only an administrator manages accounts."))
    form = ConfirmedForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = get_object_or_404(AuthToken.objects.select_related("user"), digest=request.POST.get("token"))
        revoke(found, by=request.user)
        sentence = gettext("The token was revoked. Programs that used it can no longer come in.")
        messages.success(request, sentence)
        return redirect("everybodys_tokens")
    found = AuthToken.objects.filter(expiry__gt=timezone.now()).select_related("user", "use", "scope")
    context = {"form": form, "tokens": found.order_by("user__username", "-created")}
    return render(request, "account/everybodys_tokens.html", context, status=422 if form.errors else 200)


def _valid(user: User) -> Any:
    tokens = AuthToken.objects.filter(user=user, expiry__gt=timezone.now())
    return tokens.select_related("use", "scope").order_by("-created")
