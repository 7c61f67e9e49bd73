"""What readers fill in: a read, a signature, an addendum, a measurement."""

from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy

from accounts import kept
from accounts.confirm import ConfirmedForm
from accounts.gate import PersonRequest
from cases import drafts
from cases.desk import Desk
from cases.measuring import CHECKLIST, Points
from cases.models import AtriumStatement, Measurement, Read


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


def read_form_context(request: PersonRequest, desk: Desk, refused: ReadForm | None) -> dict[str, Any]:
    """The form of the read that is due, with what the reader has typed: just now, or before logging in.

    refused: as it was sent. unfiled: the same words where no read of this reader is due any more.
    """
    case, page = desk.case, desk.case.get_absolute_url()
    before = kept.waiting(request, page)
    typed = drafts.kept(case, request.user, drafts.Form.READ) | before if desk.may_file else {}
    if refused:
        typed = drafts.only_words(drafts.Form.READ, refused.data)
    context = {"ticket": kept.ticket(request.user, page), "is_unsaved": bool(before or refused)}
    if desk.due is None:
        return context | {"read_form": None, "unfiled": typed if any(typed.values()) else {}}
    if refused and refused.errors:
        return context | {"read_form": focused(refused)}
    return context | {"read_form": ReadForm(initial=typed | {"kind": desk.due})}


F = TypeVar("F", bound=forms.Form)


def focused(form: F) -> F:
    """The form, opened at its first field that was refused."""
    for name in form.errors:
        if name in form.fields:
            form.fields[name].widget.attrs["autofocus"] = True
            break
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


class AtriumForm(forms.Form):
    """Why an atrium cannot be measured; an empty reason takes that back."""

    side = forms.ChoiceField(choices=AtriumStatement.Side.choices)
    reason = forms.ChoiceField(choices=AtriumStatement.Reason.choices, required=False)
    note = forms.CharField(max_length=300, required=False)


class WithdrawalForm(forms.Form):
    """Why a measurement no longer counts."""

    reason = forms.CharField(max_length=200)
