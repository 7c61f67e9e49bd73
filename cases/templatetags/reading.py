"""What the reading pages say about measurements and answers."""

from collections.abc import Mapping
from typing import Any

from django.forms import Form
from django.template import Library

from cases.advice.service import action_words
from cases.case_page.page_forms import PageForms
from cases.models import Measurement
from cases.review.call_words import call_sentence, call_words, scan_reasons
from cases.review.calls import Call, ScanCall
from cases.review.measurements import CHECKLIST, unconfirmed
from cases.review.panel import measurement_words, width_agrees
from cases.review.proposals import origin_of, origin_words
from cases.words import plane
from inference.results.planes import plane_of

register = Library()


@register.filter
def unsaid(said: Mapping[str, bool]) -> list[str]:
    """The points of the checklist that the reader did not confirm, in words."""
    return [str(CHECKLIST[name]) for name in unconfirmed(said)]


@register.simple_tag(takes_context=True)
def page_form(context: Mapping[str, Any], name: str, about: Any) -> Form | None:
    """A form of the page (`case_page.page_forms`), as it was filled in; None where it is not offered."""
    forms: PageForms = context["page_forms"]
    return forms.at(name, about)


@register.filter
def scan_call(called: Call | None, number: int) -> ScanCall | None:
    """What the models call one of the scans."""
    return called.of(number) if called else None


@register.filter
def origin(one: Measurement) -> str:
    """Which proposed caliper a measurement came from, and how far it was moved; "" for any other line."""
    found = origin_of(one)
    return origin_words(found.as_json()) if found else ""


@register.filter
def plane_words(one: Measurement) -> str:
    """The plane that a measurement lies in, of one that lies in no frame."""
    found = plane_of(one.scan.image, one.across)
    return plane(found.name, found.across) if found else ""


register.filter(call_words)
register.filter(call_sentence)
register.filter(scan_reasons)
register.filter(action_words)
register.filter("measured", measurement_words)
register.filter(width_agrees)
