"""What administrators type."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from accounts.reauthentication import ConfirmedForm
from refusals import Refusal
from webhooks import addresses
from webhooks.catalogue import EVENTS
from webhooks.models import Endpoint


class EndpointForm(ConfirmedForm):
    """Where to, about what; and the password, as it decides where the department's events go."""

    department = forms.ModelChoiceField(Department.objects.none(), label=_("Department"), empty_label=None)
    name = forms.CharField(max_length=60, label=_("Name"), help_text=_("Which program this is."))
    address = forms.CharField(
        max_length=500,
        label=_("Address"),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Every message is a POST to this address."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(name, format_lazy("{}: {}", name, words)) for name, words in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("department", "name", "address", "events", "password")

    def __init__(
        self,
        departments: QuerySet[Department],
        request: HttpRequest,
        *args: Any,
        known: Endpoint | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(request, *args, **kwargs)
        self.known = known
        if known:
            del self.fields["department"]
        else:
            self.fields["department"].queryset = departments  # type: ignore[attr-defined]  # a ModelChoiceField

    def clean_address(self) -> str:
        """An address that may be called, as far as it says; its host is looked up when it is called."""
        address: str = self.cleaned_data["address"].strip()
        try:
            addresses.parsed(address)
        except Refusal as refused:
            raise forms.ValidationError(str(refused)) from refused
        return address

    def clean(self) -> dict[str, Any]:
        """A department has one webhook of a name."""
        said = super().clean() or {}
        department = self.known.department if self.known else said.get("department")
        same = Endpoint.objects.filter(department=department, name=said.get("name"))
        if self.known:
            same = same.exclude(pk=self.known.pk)
        if department and same.exists():
            self.add_error("name", _("The department has a webhook of this name."))
        return said
