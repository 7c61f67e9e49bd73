"""The password again, for acts that an unlocked screen must not be enough for."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from accounts import limits

NOT_YOURS = gettext_lazy("This is not your password. Nothing was changed.")


def confirm(
    request: HttpRequest,
    password: str,
    refusal: str | Promise = NOT_YOURS,
) -> None:
    """Raises ValidationError unless it is the password of whoever is asking.

    Goes through authenticate, so that guessing here is counted and slowed, and told to the auditors.
    """
    name = request.user.get_username()
    if authenticate(request, username=name, password=password) is None:
        wait = limits.must_wait(request)
        raise forms.ValidationError(
            too_many(wait) if wait else str(refusal), code="wait" if wait else "wrong"
        )
    limits.succeeded(request)


def too_many(seconds: int) -> str:
    """What is said to whoever must wait: the same to everybody, whether there is such an account or not."""
    sentence = ngettext(
        "Too many wrong passwords. Wait {seconds} second, then try again.",
        "Too many wrong passwords. Wait {seconds} seconds, then try again.",
        seconds,
    )
    return sentence.format(seconds=seconds)


class ConfirmedForm(forms.Form):
    """A form that does nothing without the password of the person who sends it."""

    password = forms.CharField(
        label=gettext_lazy("Your password, again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    refusal: str | Promise = NOT_YOURS

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        """Raises ValidationError when it is not theirs."""
        password: str = self.cleaned_data["password"]
        confirm(self.request, password, self.refusal)
        return password
