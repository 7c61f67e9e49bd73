"""What readers fill in: a read, a signature, an addendum, a measurement."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.confirm import ConfirmedForm
from cases.measuring import CHECKLIST, Points
from cases.models import Measurement, Read


class AssignForm(forms.Form):
    """Whom a case is given to, by user name; nobody: it is released."""

    to = forms.CharField(required=False, max_length=150)


class ReadForm(forms.Form):
    """A reader's finding. kind says which read the page asked for."""

    kind = forms.ChoiceField(choices=Read.Kind.choices, widget=forms.HiddenInput)
    finding = forms.ChoiceField(
        choices=Read.Finding.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a finding.")},
        label=gettext_lazy("Finding"),
    )
    laterality = forms.ChoiceField(
        choices=[("", gettext_lazy("Side not said")), *Read.Laterality.choices[:3]],
        required=False,
        label=gettext_lazy("Side"),
    )
    note = forms.CharField(
        required=False, max_length=4000, label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 3})
    )
    reason = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Why you differ from the models"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class SignForm(ConfirmedForm):
    """Nothing but the password: what is signed stands on the page."""


class AddendumForm(ConfirmedForm):
    """What was found out after the signature."""

    field_order = ("text", "password")
    text = forms.CharField(
        max_length=4000, label=gettext_lazy("Addendum"), widget=forms.Textarea(attrs={"rows": 3})
    )


class MeasurementForm(forms.Form):
    """Two points of a frame, as the viewer sends them."""

    tool = forms.ChoiceField(choices=Measurement.Tool.choices)
    side = forms.ChoiceField(choices=Measurement.Side.choices, required=False)
    frame = forms.IntegerField(min_value=0)
    start_row = forms.FloatField()
    start_column = forms.FloatField()
    end_row = forms.FloatField()
    end_column = forms.FloatField()
    checklist = forms.MultipleChoiceField(choices=list(CHECKLIST.items()), required=False)

    def points(self) -> Points:
        """Both ends, out of valid data."""
        said: dict[str, Any] = self.cleaned_data
        return Points(
            said["frame"],
            (said["start_row"], said["start_column"]),
            (said["end_row"], said["end_column"]),
        )


class WithdrawalForm(forms.Form):
    """Why a measurement no longer counts."""

    reason = forms.CharField(max_length=200)
