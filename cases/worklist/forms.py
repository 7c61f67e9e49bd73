"""What people choose in the worklist."""

import uuid
from typing import Self
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Department, User
from accounts.roles import READ_CASES, WRITE_CASES, departments_where
from cases.models import Case, CaseQuerySet
from cases.models.case import OPEN
from inference.models import Image

ANY = "any"
"""Every stage: what is signed too."""
UNKEPT = frozenset({"q", "search", "after"})
"""What a saved view leaves out: words that may name a patient, their key, and a place in the list."""


MORE = ("department", "reader", "since", "until")
"""Filters that few look for every day: they are folded until one is set."""
_Day = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class _Reader(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    def label_from_instance(self, obj: User) -> str:
        return obj.full_name


class WorklistForm(forms.Form):
    """The worklist's filters; every one is optional."""

    q = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Case number, patient ID, accession number, UID or study date"),
    )
    modality = forms.ChoiceField(
        required=False, choices=[("", gettext_lazy("Any modality")), *Image.Modality.choices]
    )
    progress = forms.ChoiceField(
        required=False, choices=[("", gettext_lazy("Any state")), *Case.Progress.choices]
    )
    stage = forms.ChoiceField(
        required=False,
        choices=[
            ("", gettext_lazy("Not signed")),
            (ANY, gettext_lazy("Any stage")),
            *Case.Stage.choices,
        ],
    )
    mine = forms.BooleanField(required=False, label=gettext_lazy("Assigned to me"))
    department = forms.ModelChoiceField(
        Department.objects.order_by("name"),
        required=False,
        to_field_name="slug",
        empty_label=gettext_lazy("Any department"),
    )
    reader = _Reader(
        User.objects.order_by("username"),
        required=False,
        to_field_name="username",
        empty_label=gettext_lazy("Any reader"),
    )
    since = forms.DateField(required=False, widget=_Day)
    until = forms.DateField(required=False, widget=_Day)
    order = forms.ChoiceField(
        required=False,
        choices=[
            ("urgent", gettext_lazy("Most urgent")),
            ("oldest", gettext_lazy("Longest waiting")),
            ("newest", gettext_lazy("Newest first")),
        ],
    )
    search = forms.UUIDField(required=False, widget=forms.HiddenInput)
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def offer_to(self, user: User) -> Self:
        """The same with the departments that this user reads in, and their readers, to choose among."""
        departments = departments_where(user, READ_CASES)
        readers = User.objects.filter(
            memberships__department__in=departments, memberships__role__in=WRITE_CASES, is_service=False
        )
        self.fields["department"].queryset = departments.order_by("name")  # type: ignore[attr-defined]  # a choice
        self.fields["reader"].queryset = readers.distinct().order_by("username")  # type: ignore[attr-defined]
        return self

    def narrow(self, cases: CaseQuerySet, user: User, *, but: str = "") -> CaseQuerySet:
        """The cases that pass every filter that is set, but one; a filter that is not valid is not set.

        Nothing that is signed, unless somebody asks for it or searches.
        """
        self.is_valid()
        wanted = {name: value for name, value in self.cleaned_data.items() if name != but}
        if wanted.get("q"):
            cases = cases.matching(wanted["q"].strip())
        if wanted.get("modality"):
            cases = cases.with_scans_of(wanted["modality"])
        if wanted.get("progress"):
            cases = cases.in_progress(wanted["progress"])
        stage = wanted.get("stage") or (ANY if wanted.get("q") else OPEN)
        if stage != ANY and but != "stage":
            cases = cases.at_stage(stage)
        if wanted.get("mine"):
            cases = cases.filter(assignee=user)
        if wanted.get("department"):
            cases = cases.filter(department=wanted["department"])
        if wanted.get("reader"):
            cases = cases.filter(assignee=wanted["reader"])
        return cases.opened_between(wanted.get("since"), wanted.get("until"))

    def chosen_order(self) -> str:
        """One of cases.models.case.ORDERS."""
        self.is_valid()
        return self.cleaned_data.get("order") or "urgent"

    def continues_after(self) -> uuid.UUID | None:
        """The last case of the page before."""
        self.is_valid()
        return self.cleaned_data.get("after")

    def chosen(self) -> dict[str, str]:
        """Which filters are set; for the audit, so never what was searched for."""
        said = self.as_query()
        return said | ({"q": "…"} if self.cleaned_data.get("q") else {})

    def as_query(self) -> dict[str, str]:
        """The filters that are set as an address has them; no words, no place in the list."""
        self.is_valid()
        set_ = {name: value for name, value in self.cleaned_data.items() if value and name not in UNKEPT}
        return {name: "on" if value is True else str(self[name].data) for name, value in set_.items()}

    def has_more(self) -> bool:
        """Whether one of the folded filters is set."""
        return bool(self.as_query().keys() & set(MORE))


class SavedViewForm(forms.Form):
    """A name, and the worklist's filters as its address has them; whatever is no filter is left out."""

    name = forms.CharField(max_length=40)
    query = forms.CharField(max_length=300)

    def clean_query(self) -> str:
        """Only filters that the worklist knows; the search text is not kept, it may name a patient."""
        kept = WorklistForm(QueryDict(self.cleaned_data["query"])).as_query()
        if not kept:
            raise forms.ValidationError(gettext("Set a filter first."))
        return urlencode(kept)
