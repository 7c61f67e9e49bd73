"""The password again, for acts that an unlocked screen must not be enough for."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

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
        raise forms.ValidationError(str(refusal))


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
