"""What the reading pages say about measurements and answers."""

from collections.abc import Mapping

from django.template import Library
from django.utils.translation import get_language

from cases import words
from cases.advising import rules
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


@register.filter
def action_words(action: str) -> str:
    """What an action of the rules says, in the active language; its id where the rules no longer have it."""
    book = rules()
    says = next((rule.action.says for rule in book.rules if rule.action.id == action), action)
    return book.in_words(says, get_language())
