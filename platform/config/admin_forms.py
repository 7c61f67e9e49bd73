"""The Administration's forms: none stores anything without the administrator's own password."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import UsernameField
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Membership, Role, User
from accounts.reauthentication import confirm
from accounts.roles import CLINICAL
from cases.models import ReadingRules

OWN_PASSWORD = "own_password"  # noqa: S105  # the field's name


class Confirmed(forms.ModelForm):  # type: ignore[type-arg]
    """request: set by the page that makes the form."""

    request: ClassVar[HttpRequest]
    own_password = forms.CharField(
        label=gettext_lazy("Your password, again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_own_password(self) -> str:
        """Raises ValidationError when it is not the administrator's."""
        password: str = self.cleaned_data[OWN_PASSWORD]
        confirm(self.request, password)
        return password

    @cached_property
    def changed_data(self) -> list[str]:
        """What of the row was changed: the password typed here is none of it."""
        return [name for name in super().changed_data if name != OWN_PASSWORD]


class NewAccountForm(Confirmed):
    """A person, still without a password: a one-time link lets them choose it."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "time_zone", "language")
        field_classes: ClassVar = {"username": UsernameField}

    def save(self, commit: bool = True) -> Any:
        """Nobody comes in with it yet."""
        self.instance.set_unusable_password()
        return super().save(commit)


class AccountForm(Confirmed):
    """What is known of a person, and whether they may come in."""

    class Meta:
        model = User
        fields = (
            "username", "first_name", "last_name", "email", "time_zone", "language", "is_active", "is_staff",
            "is_superuser",
        )  # fmt: skip
        field_classes: ClassVar = {"username": UsernameField}


class ReadingRulesForm(Confirmed):
    """Takes and shows numbers as the language writes them."""

    class Meta:
        model = ReadingRules
        fields = (
            "department", "mode", "second_reader", "second_reader_sees", "adjudicator", "undecided_if_turns",
            "undecided_doubt", "undecided_opposed", "severity_scheme",
        )  # fmt: skip
        localized_fields = ("undecided_doubt", "undecided_opposed")


class MembershipForms(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The roles of one person. giver: the administrator, set by the page."""

    giver: ClassVar[User]

    def clean(self) -> None:
        """Nobody gives themselves a role that shows patients, also not by moving one they hold."""
        super().clean()
        if self.instance.pk != self.giver.pk:
            return
        for form in self.forms:
            said = getattr(form, "cleaned_data", {})
            if form.has_changed() and not said.get("DELETE") and said.get("role") in {*CLINICAL}:
                sentence = gettext("Nobody gives themselves the role {role}: ask another administrator.")
                raise forms.ValidationError(sentence.format(role=Role(said["role"]).label), code="own_role")


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    """One role."""

    class Meta:
        model = Membership
        fields = ("department", "role")
