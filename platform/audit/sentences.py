"""An event as a sentence: who did what to what."""

from typing import Any

from django.utils.translation import gettext

from accounts.models import Role
from audit.catalogue import SENTENCES
from audit.models import Event
from language.numbers import probability
from language.stored import said

# Detail that says more than the verb alone, in the order it is read.
TOLD = (
    "number", "name", "role", "department", "page", "scan", "modality", "kind", "read", "finding", "to",
    "method", "model_version", "label",
    "probability", "reason", "code", "detail", "action", "outcome", "rows", "format", "token_key",
)  # fmt: skip


def sentence(event: Event) -> str:
    """What was done, without who and when; a verb this version no longer knows is shown as it is."""
    return str(SENTENCES.get(event.verb, event.verb))


def particulars(event: Event) -> str:
    """The telling part of the detail: "scan 2, ultrasound"; "" when there is none."""
    told = [_words(key, event.detail[key]) for key in TOLD if event.detail.get(key) not in (None, "")]
    if frames := event.detail.get("frames"):
        listed = ", ".join(str(frame + 1) for frame in frames)
        told.append(gettext("frames {listed}").format(listed=listed))
    return ", ".join(told)


def _words(key: str, value: Any) -> str:
    match key:
        case "scan":
            return gettext("scan {number}").format(number=value)
        case "role" if value in Role.values:
            return str(Role(value).label)
        case "to":
            return gettext("to {name}").format(name=value)
        case "rows":
            return gettext("{count} lines").format(count=value)
        case "probability":
            return probability(value)
        case "token_key":
            return f"{value}…"
    return said(str(value))
