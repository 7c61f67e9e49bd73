"""What the reading pages say about measurements and answers."""

from collections.abc import Mapping

from django.template import Library

from cases.advising import action_words
from cases.call_words import call_sentence, call_words, scan_reasons
from cases.calls import Call, ScanCall
from cases.measuring import CHECKLIST

register = Library()


@register.filter
def unsaid(said: Mapping[str, bool]) -> list[str]:
    """The points of the checklist that the reader did not confirm, in words."""
    return [str(point) for name, point in CHECKLIST.items() if not said.get(name)]


@register.filter
def scan_call(called: Call | None, number: int) -> ScanCall | None:
    """What the models call one of the scans."""
    return called.of(number) if called else None


register.filter(call_words)
register.filter(call_sentence)
register.filter(scan_reasons)
register.filter(action_words)
