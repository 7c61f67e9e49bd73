"""Sentences that are kept in English, and shown in the language of whoever looks.

What the database, the audit and a signature hold never depends on a language: a refusal, an advice, the stage
of a job are stored as the code wrote them. `said` finds the sentence again, also one with values in it, and
translates it. It knows the sentences that language.collect finds in the code, and nothing that anybody typed.
"""

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import get_language, gettext, override

from language.numbers import localised

ENGLISH = "en"
_PLACE = re.compile(r"{(\w+)}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?")


class _Sentence(NamedTuple):
    """A sentence with places for values. start: what it begins with, for a quick look."""

    text: str
    start: str
    form: re.Pattern[str]


def english() -> override:
    """A `with` block whose words are those that are stored."""
    return override(ENGLISH)


def said(text: str) -> str:
    """A stored sentence in the active language; what is no such sentence stays as it is."""
    if not text or (get_language() or ENGLISH) == ENGLISH:
        return text
    if text in _fixed():
        return gettext(text)
    found = _found(text)
    if found is None:
        return text
    sentence, values = found
    return gettext(sentence).format(**{name: _value(value) for name, value in values.items()})


def script_words() -> dict[str, str]:
    """Every sentence of the scripts in the active language."""
    return {text: gettext(text) for text in collected()["script"]}


@cache
def collected() -> dict[str, list[str]]:
    """What `manage.py messages` found in the code: stored sentences, and those of the scripts."""
    found: dict[str, list[str]] = json.loads((_folder() / "messages.json").read_bytes())
    return found


def _folder() -> Path:
    return Path(settings.LOCALE_PATHS[0])


@cache
def _fixed() -> frozenset[str]:
    return frozenset(text for text in collected()["stored"] if not _PLACE.search(text))


@cache
def _with_values() -> tuple[_Sentence, ...]:
    """Those with the most words of their own first, so that the closest one is found."""
    texts = [text for text in collected()["stored"] if _PLACE.search(text)]
    texts.sort(key=lambda text: -len(_PLACE.sub("", text)))
    return tuple(_Sentence(text, text.partition("{")[0], _form(text)) for text in texts)


def _form(text: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for number, part in enumerate(_PLACE.split(text)):
        if number % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


@lru_cache(maxsize=4096)
def _found(text: str) -> tuple[str, Mapping[str, str]] | None:
    for sentence in _with_values():
        if text.startswith(sentence.start) and (match := sentence.form.fullmatch(text)):
            return sentence.text, match.groupdict()
    return None


def _value(value: str) -> str:
    """A number as it is written here; words that are stored sentences themselves, also several of them."""
    if _NUMBER.fullmatch(value):
        return localised(value).replace("%", " %")
    whole = said(value)
    return whole if whole != value else ", ".join(said(part) for part in value.split(", "))
