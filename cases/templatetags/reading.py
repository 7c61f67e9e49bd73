"""What the reading pages say about measurements and answers."""

from collections.abc import Mapping

from django.template import Library

from cases.advising import action_words
from cases.call_words import call_sentence, call_words, scan_reasons
from cases.calls import Call, ScanCall
from cases.desk import measurement_words
from cases.measuring import CHECKLIST, unconfirmed
from cases.models import AtriumStatement

register = Library()


@register.filter
def unsaid(said: Mapping[str, bool]) -> list[str]:
    """The points of the checklist that the reader did not confirm, in words."""
    return [str(CHECKLIST[name]) for name in unconfirmed(said)]


@register.simple_tag
def unseen_reasons() -> list[tuple[str, str]]:
    """Why an atrium cannot be measured: what can be chosen, without what takes it back."""
    return [(reason.value, str(reason.label)) for reason in AtriumStatement.Reason if reason.value]


@register.filter
def scan_call(called: Call | None, number: int) -> ScanCall | None:
    """What the models call one of the scans."""
    return called.of(number) if called else None


register.filter(call_words)
register.filter(call_sentence)
register.filter(scan_reasons)
register.filter(action_words)
register.filter("measured", measurement_words)
