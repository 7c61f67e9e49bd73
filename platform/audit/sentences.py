"""An event as a sentence: who did what to what."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext, ngettext

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
    "links", "faults",
)  # fmt: skip


def sentence(event: Event) -> str:
    """What was done, without who and when; a verb this version no longer knows is shown as it is."""
    return str(SENTENCES.get(event.verb, event.verb))


def particulars(event: Event) -> str:
    """The telling part of the detail: "scan 2, ultrasound"; "" when there is none."""
    told = [
        _words(event.verb, key, event.detail[key]) for key in TOLD if event.detail.get(key) not in (None, "")
    ]
    if frames := event.detail.get("frames"):
        listed = ", ".join(str(frame + 1) for frame in frames)
        told.append(gettext("frames {listed}").format(listed=listed))
    return ", ".join(told)


def told_as(key: str, words: Callable[[str], str], *, verb: str = "") -> None:
    """Let a room above say in words what it wrote under a key as a code. verb: of these events alone."""
    _told_as[verb, key] = words


_told_as: dict[tuple[str, str], Callable[[str], str]] = {}


def _words(verb: str, key: str, value: Any) -> str:
    words = _told_as.get((verb, key)) or _told_as.get(("", key))
    return words(str(value)) if words else _of_the_audit(key, value)


def _of_the_audit(key: str, value: Any) -> str:
    match key:
        case "scan":
            return gettext("scan {number}").format(number=value)
        case "role" if value in Role.values:
            return str(Role(value).label)
        case "to":
            return gettext("to {name}").format(name=value)
        case "links":
            return gettext("{count} links").format(count=value)
        case "faults" if not value:
            return gettext("no fault")
        case "faults":
            return ngettext("{count} fault", "{count} faults", value).format(count=value)
        case "rows":
            return gettext("{count} lines").format(count=value)
        case "probability":
            return probability(value)
        case "token_key":
            return f"{value}…"
    return said(str(value))
