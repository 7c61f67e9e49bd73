"""What people type, checked and turned into what the services take."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Department
from cases import words
from cases.models import Case, ScanWithdrawal
from inference.engine.records import METHOD_NAMES
from inference.models import Image, Prediction
from language.stored import said

MAX_WEEKS = 44


class OpenCaseForm(forms.Form):
    """A new case. The key makes a double click open one case, not two."""

    department = forms.ModelChoiceField(
        Department.objects.none(), empty_label=None, label=gettext_lazy("Department")
    )
    patient_id = forms.CharField(
        label=gettext_lazy("Patient ID"),
        max_length=64,
        help_text=gettext_lazy("Your department's own identifier, not a name."),
    )
    patient_birth_date = forms.DateField(
        required=False,
        label=gettext_lazy("Birth date"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "Compared with what the files say, so that no scan lands with the wrong patient."
        ),
    )
    weeks = forms.IntegerField(required=False, min_value=10, max_value=MAX_WEEKS, label=gettext_lazy("Weeks"))
    days = forms.IntegerField(required=False, min_value=0, max_value=6, label=gettext_lazy("Days"))
    priority = forms.TypedChoiceField(
        choices=Case.Priority,
        coerce=int,
        initial=Case.Priority.ROUTINE,
        widget=forms.RadioSelect,
        label=gettext_lazy("Priority"),
    )
    question = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Question"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Why the scan was asked for. No names."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, departments: QuerySet[Department], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["department"]
        field.queryset = departments

    def clean(self) -> dict[str, Any]:
        """Days alone say no age; weeks and days become days."""
        found = super().clean() or {}
        weeks, days = found.pop("weeks", None), found.pop("days", None)
        if weeks is None and days is not None and "weeks" not in self.errors:
            self.add_error("weeks", gettext("Give the weeks too."))
        found["gestational_age_days"] = None if weeks is None else 7 * weeks + (days or 0)
        if (found["gestational_age_days"] or 0) > 308:
            self.add_error("weeks", gettext("Gestational age reaches 44 weeks and 0 days at most."))
        found["idempotency_key"] = str(found.pop("key", ""))
        return found


class ManyFilesInput(forms.ClearableFileInput):
    """Django's file input, for several files."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Every uploaded file of one field, in order."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:  # noqa: ARG002  # Django gives it
        """A list of uploaded files; an empty file is left for the intake to refuse with its reason."""
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not files:
            raise forms.ValidationError(gettext("Choose at least one file."), code="required")
        return list(files)


class UploadForm(forms.Form):
    """Some files and what they show: the modality must be said, it is not guessed.

    A file in another field, or two modalities, are refused: nothing is taken and dropped.
    """

    modality = forms.ChoiceField(
        choices=Image.Modality,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say whether these are ultrasound or MRI scans.")},
        label=gettext_lazy("Modality"),
    )
    scans = ManyFilesField(label=gettext_lazy("Files"))
    mismatch_reason = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("A file that names another patient belongs here, because"),
    )

    def clean(self) -> dict[str, Any]:
        """ValidationError for what no field takes."""
        strange = sorted(set(self.files) - {"scans"})
        if strange:
            sentence = gettext("Files arrive in the field scans; there is none that is called {names}.")
            raise forms.ValidationError(sentence.format(names=", ".join(strange)), code="unknown")
        twice = [name for name in self.fields if len(self._sent(name)) > 1]
        if twice:
            sentence = gettext("{names} was sent more than once.").format(names=", ".join(twice))
            raise forms.ValidationError(sentence, code="repeated")
        return super().clean() or {}

    def _sent(self, name: str) -> set[str]:
        return set(self.data.getlist(name)) if isinstance(self.data, QueryDict) else set()


class ScanWithdrawalForm(forms.Form):
    """Why a scan should not be in its case."""

    reason = forms.ChoiceField(
        choices=ScanWithdrawal.Reason.choices, widget=forms.RadioSelect, label=gettext_lazy("Why?")
    )
    note = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("In your own words"),
        help_text=gettext_lazy("Needed for another reason than these. No names."),
    )


class FramesForm(forms.Form):
    """Frames counted from 1, as people do: "60, 64-66"."""

    frames = forms.CharField(
        max_length=200,
        label=gettext_lazy("Frames"),
        widget=forms.TextInput(attrs={"placeholder": "60, 64-66", "autocomplete": "off"}),
    )

    def clean_frames(self) -> list[int]:
        """Indices from 0."""
        chosen: set[int] = set()
        for part in self.cleaned_data["frames"].replace("–", "-").split(","):
            first, _, last = part.strip().partition("-")
            if not first.strip().isdecimal() or (last and not last.strip().isdecimal()):
                raise forms.ValidationError(gettext("Write frames as numbers: 60, 64-66."))
            chosen.update(range(int(first) - 1, min(int(last or first), 10_000)))
        return sorted(chosen)


class ExplainForm(forms.Form):
    """Another method, or the class that was not called."""

    method = forms.ChoiceField(choices=lambda: [(name, words.method(name)) for name in METHOD_NAMES])
    class_label = forms.ChoiceField(label=gettext_lazy("For"))

    def __init__(self, prediction: Prediction, labels: Iterable[str], data: Any = None) -> None:
        super().__init__(data, auto_id=f"%s-{prediction.pk}")
        field: Any = self.fields["class_label"]
        field.choices = [(label, said(label)) for label in labels]
        field.initial = prediction.label
