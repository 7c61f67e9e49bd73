"""What readers fill in: a read, a signature, an addendum, a measurement."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.validators import MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts import kept
from accounts.decorators import PersonRequest
from accounts.reauthentication import ConfirmedForm
from cases.models import AdviceAnswer, AtriumStatement, Measurement, Read
from cases.review import drafts
from cases.review.measurements import CHECKLIST, Points, Proposed
from cases.review.panel import ReviewPanel


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
        required=False, max_length=4000, label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 1})
    )
    reason = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Why you differ from the models"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def read_form_context(request: PersonRequest, panel: ReviewPanel, refused: ReadForm | None) -> dict[str, Any]:
    """The form of the read that is due, with what the reader has typed: just now, or before logging in.

    refused: as it was sent. unfiled: the same words where no read of this reader is due any more.
    """
    case, page = panel.case, panel.case.get_absolute_url()
    before = kept.waiting(request, page)
    if WHICH in before:
        before = {}
    typed = drafts.kept(case, request.user, drafts.Form.READ) | before if panel.may_file else {}
    if refused:
        typed = drafts.only_words(drafts.Form.READ, refused.data)
    context = {"ticket": kept.ticket(request.user, page), "is_unsaved": bool(before or refused)}
    if panel.due is None:
        return context | {"read_form": None, "unfiled": typed if any(typed.values()) else {}}
    if refused and refused.errors:
        return context | {"read_form": focused(refused)}
    own = {} if any(typed.values()) or refused else as_read_before(panel)
    form = ReadForm(initial=typed | own | {"kind": panel.due})
    return context | {"read_form": form, "is_kept": bool(own)}


def as_read_before(panel: ReviewPanel) -> dict[str, str]:
    """What the reader's own blind read says, for the final read that follows it; else nothing."""
    if panel.due != Read.Kind.FINAL:
        return {}
    mine = [one for one in panel.reads if one.reader_id == panel.context.user.pk]
    blind = next((one for one in reversed(mine) if one.kind == Read.Kind.BLIND), None)
    return {name: getattr(blind, name) for name in ("finding", "laterality", "note")} if blind else {}


WHICH = "which"
"""The hidden field by which every other form says which it is (`cases.case_page.page_forms`)."""
F = TypeVar("F", bound=forms.Form)


def focused(form: F) -> F:
    """The form, opened at the first field that was refused; at the first one where all of it was."""
    seen = [name for name, field in form.fields.items() if not field.widget.is_hidden]
    refused = [name for name in seen if name in form.errors]
    for name in (refused or seen)[:1] if form.errors else []:
        form.fields[name].widget.attrs["autofocus"] = True
    return form


class SignForm(ConfirmedForm):
    """Nothing but the password: what is signed stands on the page."""


class JointForm(ConfirmedForm):
    """The password of the reader who stands for what the other has written for both."""


class AddendumForm(ConfirmedForm):
    """What was found out after the signature."""

    field_order = ("text", "password")
    text = forms.CharField(
        max_length=4000, label=gettext_lazy("Addendum"), widget=forms.Textarea(attrs={"rows": 3})
    )


def points_of(said: Mapping[str, Any]) -> Points:
    """Both ends of a line, out of a form's valid data."""
    ends = (said["start_row"], said["start_column"]), (said["end_row"], said["end_column"])
    return Points(said["frame"], *ends, across=said.get("across", ""))


class MeasurementForm(forms.Form):
    """Two points of a frame, as the viewer sends them."""

    tool = forms.ChoiceField(choices=Measurement.Tool.choices)
    side = forms.ChoiceField(choices=Measurement.Side.choices, required=False)
    frame = forms.IntegerField(min_value=0)
    across = forms.ChoiceField(choices=Measurement.Across.choices, required=False)
    start_row = forms.FloatField()
    start_column = forms.FloatField()
    end_row = forms.FloatField()
    end_column = forms.FloatField()
    checklist = forms.MultipleChoiceField(choices=list(CHECKLIST.items()), required=False)
    proposal = forms.UUIDField(required=False)
    proposal_atrium = forms.IntegerField(required=False, min_value=0, max_value=9)

    def clean(self) -> dict[str, Any]:
        """A proposal is named by its answer and its atrium."""
        said: dict[str, Any] = super().clean() or {}
        if (said.get("proposal") is None) != (said.get("proposal_atrium") is None):
            self.add_error("proposal", "both")
        return said

    def proposed(self) -> Proposed | None:
        """The caliper that was confirmed or moved, out of valid data."""
        said: dict[str, Any] = self.cleaned_data
        return (said["proposal"], said["proposal_atrium"]) if said["proposal"] else None

    def points(self) -> Points:
        """Both ends, out of valid data."""
        return points_of(self.cleaned_data)


class AtriumForm(forms.Form):
    """Why an atrium cannot be measured; an empty reason takes that back."""

    _CHOOSE: ClassVar = dict.fromkeys(
        ("required", "invalid_choice"), gettext_lazy("Choose a side and a reason.")
    )

    side = forms.ChoiceField(
        choices=AtriumStatement.Side.choices, widget=forms.HiddenInput, error_messages=_CHOOSE
    )
    reason = forms.ChoiceField(
        choices=[("", gettext_lazy("Choose")), *AtriumStatement.Reason.choices[:-1]],
        required=False,
        label=gettext_lazy("Why?"),
        widget=forms.Select(attrs={"required": True}),  # of the page's form; a button sends none
        error_messages=_CHOOSE,
    )
    note = forms.CharField(max_length=300, required=False, label=gettext_lazy("In your words"))

    def clean(self) -> dict[str, Any]:
        """Words without a choice take nothing back."""
        found = super().clean() or {}
        if found.get("note") and not found.get("reason") and "reason" not in self.errors:
            self.add_error("reason", gettext("Choose a side and a reason."))
        return found


class WithdrawalForm(forms.Form):
    """Why a measurement no longer counts."""

    reason = forms.CharField(
        max_length=200,
        label=gettext_lazy("Why?"),
        error_messages={"required": gettext_lazy("Say why the measurement no longer counts.")},
    )


class CalibrationWithdrawalForm(WithdrawalForm):
    """Why a calibration no longer counts."""

    reason = forms.CharField(
        max_length=200,
        label=gettext_lazy("Why?"),
        error_messages={"required": gettext_lazy("Say why the calibration no longer counts.")},
    )


class CalibrationForm(forms.Form):
    """How long a line between two points of a frame is, as the viewer's tool has set it."""

    frame = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    start_row = forms.FloatField(widget=forms.HiddenInput)
    start_column = forms.FloatField(widget=forms.HiddenInput)
    end_row = forms.FloatField(widget=forms.HiddenInput)
    end_column = forms.FloatField(widget=forms.HiddenInput)
    mark_mm = forms.FloatField(required=False, min_value=0.1, max_value=1000, widget=forms.HiddenInput)
    length_mm = forms.FloatField(
        min_value=0.1,
        max_value=1000,
        localize=True,
        label=gettext_lazy("Its length in mm"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            **dict.fromkeys(
                ("required", "invalid"), gettext_lazy("Say how many millimetres long the line is.")
            ),
        },
    )
    note = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("What it runs along, such as the depth scale")
    )

    def clean(self) -> dict[str, Any]:
        """A line that was not drawn is asked for at the field that is seen."""
        said: dict[str, Any] = super().clean() or {}
        if self.errors.keys() & POINTS and "length_mm" not in self.errors:
            self.add_error("length_mm", gettext("Draw the line on the scan first."))
        return said


POINTS = frozenset({"frame", "start_row", "start_column", "end_row", "end_column"})


class BirthDateForm(forms.Form):
    """The right birth date of a patient, and why it was another."""

    birth_date = forms.DateField(
        label=gettext_lazy("Right birth date"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(date(1900, 1, 1))],
    )
    reason = forms.CharField(
        max_length=300,
        label=gettext_lazy("Why?"),
        error_messages={"required": gettext_lazy("Say why the birth date is corrected.")},
    )

    def clean_birth_date(self) -> date:
        """Nobody is born tomorrow."""
        born: date = self.cleaned_data["birth_date"]
        if born > timezone.localdate():
            raise forms.ValidationError(gettext("This date lies in the future."))
        return born


class AdviceAnswerForm(forms.Form):
    """What became of one suggestion; follow_up is the number of a scan of the case."""

    place = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    outcome = forms.ChoiceField(choices=AdviceAnswer.Outcome.choices, required=False)
    reason = forms.CharField(required=False, max_length=300, label=gettext_lazy("Reason, if not done"))
    follow_up = forms.IntegerField(required=False, min_value=1)

    def clean(self) -> dict[str, Any]:
        """The outcome is a button; that none was pressed is said at the field beside them."""
        found = super().clean() or {}
        if not found.get("outcome") and "outcome" not in self.errors:
            self.add_error("reason", gettext("Choose what became of the advice."))
        return found
