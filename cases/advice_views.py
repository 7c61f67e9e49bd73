"""The door through which a technologist answers advice, and what the page shows of it."""

import uuid
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from accounts.gate import PersonRequest, people_only
from accounts.models import User
from cases import advising
from cases.desk import Desk
from cases.models import Advice, AdviceAnswer, Case, Scan
from cases.outcomes import carried_out, refused
from cases.protocol.advise import STOPS
from cases.reading import ScanReading
from cases.standing import may_see_answers
from language.stored import said


class AdviceAnswerForm(forms.Form):
    """What became of one suggestion; follow_up is the number of a scan of the case."""

    place = forms.IntegerField(min_value=0)
    outcome = forms.ChoiceField(choices=AdviceAnswer.Outcome.choices)
    reason = forms.CharField(required=False, max_length=300)
    follow_up = forms.IntegerField(required=False, min_value=1)


@require_POST
@people_only
def answer_advice(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Done, not possible, or declined with a reason."""
    advice = visible_advice(request.user, pk)
    form = AdviceAnswerForm(request.POST)
    if not form.is_valid():
        return refused(request, advice.case, gettext("Choose what became of the advice."))
    filled = form.cleaned_data
    number = filled.pop("follow_up")

    def answer() -> None:
        follow_up = scan_of_case(advice.case, number)
        advising.answer(advice, by=request.user, follow_up=follow_up, **filled)

    return carried_out(request, advice.case, answer)


def visible_advice(user: User, pk: uuid.UUID) -> Advice:
    """Advice on a visible case; one that rests on answers is none to a reader who may not see them yet."""
    rows = Advice.objects.filter(case__in=Case.objects.visible_to(user)).select_related("case__department")
    advice = get_object_or_404(rows, pk=pk)
    if advice.is_informed and not may_see_answers(advice.case, user):
        raise Http404("The advice rests on answers that are hidden until your read is filed.")
    return advice


def scan_of_case(case: Case, number: int | None) -> Scan | None:
    """The follow-up scan by its number. Raises NoSuchSuggestion."""
    if number is None:
        return None
    found = case.scans.standing().filter(number=number).first()
    if found is None:
        raise advising.NoSuchSuggestion(gettext("The case has no such scan."))
    return found


def shown_advice(advice: Advice | None, desk: Desk, current: ScanReading | None) -> dict[str, Any]:
    """What the page says of it, and the places it names on the scan that is shown."""
    if advice is None:
        return {"advice": None, "suggestions": [], "places": []}
    given = {one.place: one for one in advice.answers.select_related("answered_by", "follow_up")}
    suggestions = [
        {**_in_words(one), "given": given.get(place)} for place, one in enumerate(advice.suggestions)
    ]
    number = current.scan.number if current else None
    places = [
        {"frame": why["frame"], "corners": why["where"], "words": why["words"]}
        for one in suggestions
        for why in one["why"]
        if why["where"] and why["scan"] == number
    ]
    stop = said(STOPS.get(advising.stop_of(advice, desk), ""))
    return {"advice": advice, "suggestions": suggestions, "places": places, "stop": stop}


def _in_words(suggestion: dict[str, Any]) -> dict[str, Any]:
    """A suggestion as it is stored, with its sentences in the language of whoever looks."""
    rules, language = advising.rules(), get_language()
    why = [
        {
            **reason,
            "words": said(reason["words"]),
            "detail": said(reason["detail"]),
            "source": rules.in_words(reason["source"], language),
        }
        for reason in suggestion["why"]
    ]
    return {**suggestion, "says": rules.in_words(suggestion["says"], language), "why": why}
