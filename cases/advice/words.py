"""What the case page says of advice: its sentences in the reader's language, and the places it names."""

from typing import Any

from django.utils.translation import get_language

from cases.advice import service as advice_service
from cases.advice.rank import STOPS
from cases.case_page.summary import ScanSummary
from cases.models import Advice
from cases.review.panel import ReviewPanel
from language.stored import said


def shown_advice(advice: Advice | None, panel: ReviewPanel, current: ScanSummary | None) -> dict[str, Any]:
    """What the page says of it, and the places it names on the scan that is shown."""
    if advice is None:
        return {"advice": None, "suggestions": [], "places": []}
    given = {one.place: one for one in advice.answers.select_related("answered_by", "follow_up")}
    suggestions = [
        {**_in_words(one), "place": place, "about": f"{advice.pk}-{place}", "given": given.get(place)}
        for place, one in enumerate(advice.suggestions)
    ]
    number = current.scan.number if current else None
    places = [
        {"frame": why["frame"], "corners": why["where"], "words": why["words"]}
        for one in suggestions
        for why in one["why"]
        if why["where"] and why["scan"] == number
    ]
    stop = said(STOPS.get(advice_service.stop_of(advice, panel), ""))
    return {"advice": advice, "suggestions": suggestions, "places": places, "stop": stop}


def _in_words(suggestion: dict[str, Any]) -> dict[str, Any]:
    """A suggestion as it is stored, with its sentences in the language of whoever looks."""
    rules, language = advice_service.rules(), get_language()
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
