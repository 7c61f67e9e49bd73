"""What model managers type."""

from typing import Any

from django import forms

from accounts.confirm import ConfirmedForm


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
