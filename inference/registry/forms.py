"""What model managers type."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.reauthentication import ConfirmedForm
from inference.engine.records import MEASURING_NETWORKS, NETWORK_NAMES
from inference.models import Image
from language.stored import said


class ReasonForm(ConfirmedForm):
    """Why a version comes into use or leaves it; the reason stays in its history for good."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        min_length=10,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Stays in the history for good, with your name."),
    )
    field_order = ("reason", "password")


class MomentForm(forms.Form):
    """A moment of the past, in the time zone of the person who asks."""

    at = forms.DateTimeField(
        label=gettext_lazy("Which version answered at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def moment(self) -> Any:
        """The moment asked for, or None when it was not understood."""
        return self.cleaned_data.get("at") if self.is_valid() else None


class UploadForm(ConfirmedForm):
    """A weights file from outside, and what it is said to be."""

    network = forms.ChoiceField(
        label=gettext_lazy("Network"),
        choices=[(name, name) for name in (*NETWORK_NAMES, *MEASURING_NETWORKS)],
    )
    modality = forms.ChoiceField(label=gettext_lazy("Modality"), choices=Image.Modality.choices)
    version = forms.RegexField(
        r"^\d+(\.\d+){0,3}$",
        label=gettext_lazy("Version"),
        max_length=20,
        help_text=gettext_lazy("Dotted numbers, for example 1.2"),
    )
    weights = forms.FileField(
        label=gettext_lazy("Weights"), help_text=gettext_lazy("A safetensors file, nothing else.")
    )
    record = forms.FileField(
        label=gettext_lazy("Record"),
        required=False,
        help_text=gettext_lazy("The .json that training wrote beside it: threshold, temperature, card."),
    )
    refusal = gettext_lazy("This is not your password. Nothing was uploaded.")
    field_order = ("network", "modality", "version", "weights", "record", "password")


class TrainingForm(forms.Form):
    """A network, what it learns from, and how long. The defaults are those of the shipped versions."""

    network = forms.ChoiceField(
        label=gettext_lazy("Network"), choices=[(name, name) for name in NETWORK_NAMES]
    )
    version = forms.RegexField(
        r"^\d+(\.\d+){0,3}$",
        label=gettext_lazy("Version"),
        max_length=20,
        help_text=gettext_lazy("Dotted numbers, for example 2.1"),
    )
    folders = forms.MultipleChoiceField(
        label=gettext_lazy("Learn from"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("One folder for each modality."),
    )
    about = forms.CharField(
        label=gettext_lazy("What the data is"),
        max_length=300,
        help_text=gettext_lazy("Stands on the model card, word for word."),
    )
    seed = forms.IntegerField(label=gettext_lazy("Seed"), min_value=0, max_value=2**31 - 1, initial=1)
    phantoms = forms.IntegerField(
        label=gettext_lazy("Phantoms"),
        min_value=5,
        max_value=20_000,
        initial=3000,
        help_text=gettext_lazy("Synthetic heads of each modality."),
    )
    phantom_epochs = forms.IntegerField(
        label=gettext_lazy("Epochs on phantoms"), min_value=1, max_value=1000, initial=120
    )
    epochs = forms.IntegerField(label=gettext_lazy("Epochs at most"), min_value=1, max_value=1000, initial=60)
    folds = forms.IntegerField(
        label=gettext_lazy("Folds"),
        min_value=2,
        max_value=10,
        initial=4,
        help_text=gettext_lazy("Every group is held out in one of them."),
    )
    explained = forms.IntegerField(
        label=gettext_lazy("Phantoms explained"),
        min_value=0,
        max_value=200,
        initial=24,
        help_text=gettext_lazy("Of each modality: the card says whether maps of these find the ventricles."),
    )

    def __init__(self, data_sets: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(found.name, f"{found.name} ({said(found.modality)})") for found in data_sets]
        self.fields["folders"].choices = choices  # type: ignore[attr-defined]  # a choice field
