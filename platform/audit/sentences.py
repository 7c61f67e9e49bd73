"""An event as a sentence: who did what to what."""

from audit.catalogue import SENTENCES
from audit.models import Event

# Detail that says more than the verb alone, in the order it is read.
TOLD = (
    ("number", "{}"),
    ("scan", "scan {}"),
    ("modality", "{}"),
    ("kind", "{}"),
    ("read", "{}"),
    ("finding", "{}"),
    ("to", "to {}"),
    ("method", "{}"),
    ("model_version", "{}"),
    ("label", "{}"),
    ("probability", "{:.2f}"),
    ("reason", "{}"),
    ("code", "{}"),
    ("detail", "{}"),
    ("action", "{}"),
    ("outcome", "{}"),
    ("rows", "{} lines"),
    ("format", "{}"),
    ("token_key", "{}…"),
)


def sentence(event: Event) -> str:
    """What was done, without who and when; a verb this version no longer knows is shown as it is."""
    return SENTENCES.get(event.verb, event.verb)


def particulars(event: Event) -> str:
    """The telling part of the detail: "scan 2, ultrasound"; "" when there is none."""
    said = [form.format(event.detail[key]) for key, form in TOLD if event.detail.get(key) not in (None, "")]
    if frames := event.detail.get("frames"):
        said.append("frames " + ", ".join(str(frame + 1) for frame in frames))
    return ", ".join(said)
