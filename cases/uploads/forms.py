"""What is asked before uploaded files become scans."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from inference.models import Image

CHOICES = (
    ("join", gettext_lazy("They join it: one volume of all slices, and the earlier scan is withdrawn")),
    ("separate", gettext_lazy("They become a scan of their own")),
    ("leave_out", gettext_lazy("They are left out")),
)
"""What may become of slices of a series that is a scan already."""


class BeginForm(forms.Form):
    """What the files show."""

    modality = forms.ChoiceField(choices=Image.Modality)


class CommitForm(forms.Form):
    """known_series is asked only where it is a question. asks: whether it is."""

    known_series = forms.ChoiceField(
        choices=CHOICES,
        required=False,
        widget=forms.RadioSelect,
        label=gettext_lazy("Slices of a series that is a scan already"),
    )
    mismatch_reason = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("A file that names another patient belongs here, because"),
    )

    def __init__(self, data: Any = None, *, asks: bool = False) -> None:
        super().__init__(data)
        if not asks:
            del self.fields["known_series"]
