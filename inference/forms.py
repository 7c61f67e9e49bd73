"""What model managers type."""

from typing import Any

from django import forms

from accounts.confirm import ConfirmedForm
from inference.engine.records import NETWORK_NAMES
from inference.models import Image


class ReasonForm(ConfirmedForm):
    """Why a version comes into use or leaves it; the reason stays in its history for good."""

    reason = forms.CharField(
        max_length=500,
        min_length=10,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stays in the history for good, with your name.",
    )
    field_order = ("reason", "password")


class MomentForm(forms.Form):
    """A moment of the past, in the time zone of the person who asks."""

    at = forms.DateTimeField(
        label="Which version answered at",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def moment(self) -> Any:
        """The moment asked for, or None when it was not understood."""
        return self.cleaned_data.get("at") if self.is_valid() else None


class UploadForm(ConfirmedForm):
    """A weights file from outside, and what it is said to be."""

    network = forms.ChoiceField(choices=[(name, name) for name in NETWORK_NAMES])
    modality = forms.ChoiceField(choices=Image.Modality.choices)
    version = forms.RegexField(
        r"^\d+(\.\d+){0,3}$", max_length=20, help_text="Dotted numbers, for example 1.2"
    )
    weights = forms.FileField(label="Weights", help_text="A safetensors file, nothing else.")
    record = forms.FileField(
        label="Record",
        required=False,
        help_text="The .json that training wrote beside it: threshold, temperature, card.",
    )
    refusal = "This is not your password. Nothing was uploaded."
    field_order = ("network", "modality", "version", "weights", "record", "password")
