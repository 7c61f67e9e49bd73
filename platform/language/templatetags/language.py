"""Stored sentences, numbers and the scripts' words in the language of whoever looks."""

from typing import Any

from django.conf import settings
from django.template import Library
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from language import numbers, stored

register = Library()


@register.filter
def said(value: Any) -> str:
    """A sentence or a code as it is stored, in words."""
    return stored.said("" if value is None else str(value))


@register.filter
def localised(value: Any) -> str:
    """A number that was written by a machine."""
    return numbers.localised(str(value))


@register.simple_tag
def script_words() -> SafeString:
    """What static/js/language.js reads: the scripts' sentences, where they are not those of the scripts."""
    words = {} if get_language() == stored.ENGLISH else stored.script_words()
    return json_script(words, "words")


@register.simple_tag
def languages() -> list[tuple[str, str, bool]]:
    """Every language there is: its code, its own name for itself, whether it is the active one."""
    return [(code, str(name), code == get_language()) for code, name in settings.LANGUAGES]


@register.filter(is_safe=True)
def in_sentence(value: Any) -> str:
    """A label within a sentence: English writes it small, German keeps its capitals.

    What `join` has escaped stays so: escaped twice, an apostrophe is read as its code.
    """
    return str(value).lower() if get_language() == stored.ENGLISH else str(value)
