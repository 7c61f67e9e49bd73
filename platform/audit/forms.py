"""The auditor's filters."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy

from audit.catalogue import choices
from audit.models import Event, EventQuerySet

NUMBER = re.compile(r"\d{4}-\d+")
"""A case's number, which its opening has put on the trail."""
DOORS = (
    ("", gettext_lazy("Any door")),
    ("page", gettext_lazy("Page")),
    ("api", "API"),
    ("worker", gettext_lazy("Worker")),
    ("command", gettext_lazy("Command")),
)


def _day() -> forms.DateInput:
    """A browser's own calendar takes and gives ISO dates, whatever the language."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


_IN_THIS_CENTURY = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2099, 12, 31))]
"""No event is older than Ventra, and the calendar's last day has no midnight in every zone."""


class FilterForm(forms.Form):
    """Who, what, through which door, in which case, and when; days are the reader's own."""

    actor = forms.CharField(required=False, max_length=150, label=gettext_lazy("Who"))
    verb = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What"),
        choices=lambda: [("", gettext_lazy("Anything")), *choices()],
    )
    door = forms.ChoiceField(required=False, choices=DOORS, label=gettext_lazy("Door"))
    thread = forms.CharField(required=False, max_length=64, label=gettext_lazy("Case, thread or subject"))
    since = forms.DateField(
        required=False, label=gettext_lazy("From"), widget=_day(), validators=_IN_THIS_CENTURY
    )
    until = forms.DateField(
        required=False, label=gettext_lazy("To"), widget=_day(), validators=_IN_THIS_CENTURY
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def narrow(self, events: EventQuerySet) -> EventQuerySet:
        """The events that pass every filter that is set; a filter that is not valid passes nothing."""
        if not self.is_valid():
            return events.none()
        wanted = {name: value for name, value in self.cleaned_data.items() if value and name != "before"}
        for name, value in wanted.items():
            events = events.filter(**_condition(name, value))
        return events

    def chosen(self) -> dict[str, Any]:
        """The filters that are set, for the audit's own line."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value}


def _condition(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "actor":
            return {"actor_name__iexact": value}
        case "thread" if NUMBER.fullmatch(value):
            opened = Event.objects.filter(verb="case.opened", detail__number=value)
            return {"thread__in": opened.exclude(thread="").values("thread")}
        case "thread" if ":" not in value:
            return {"subject_id": value}
        case "since":
            return {"occurred_at__gte": _midnight(value)}
        case "until":
            return {"occurred_at__lt": _midnight(value) + timedelta(days=1)}
    return {name: value}


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def of_event(event: Event) -> str:
    """What to type under "Case, thread or subject" to see everything around an event."""
    return event.thread or event.subject_id
