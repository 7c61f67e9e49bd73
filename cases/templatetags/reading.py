"""What the reading pages say about measurements and answers."""

from collections.abc import Mapping

from django.template import Library

from cases import words
from cases.advising import action_words
from cases.measuring import CHECKLIST
from cases.reading import Answer

register = Library()


@register.filter
def unsaid(said: Mapping[str, bool]) -> list[str]:
    """The points of the checklist that the reader did not confirm, in words."""
    return [str(point) for name, point in CHECKLIST.items() if not said.get(name)]


@register.filter
def worth(answer: Answer, prevalence: float) -> str:
    """How often such a call is right in a department with this prevalence; "" where it is not known."""
    if answer.prediction is None:
        return ""
    return words.worth(answer.version.card, answer.prediction.label, prevalence)


register.filter(action_words)
