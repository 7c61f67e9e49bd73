"""The models' call in words: what a case is called, and why nothing is decided.

From its content (Call.content), so that a signed report prints the call that was signed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext

from cases.review.calls import DECIDED, NORMAL, NOT_ANALYSABLE
from inference.engine.records import MEASURING_NETWORKS, POSITIVE
from inference.engine.uncertainty.undecided import UNDECIDED, Reason
from language.numbers import probability
from language.stored import said as in_words

Content = Mapping[str, Any]
CALLS: Mapping[str, str] = {
    NORMAL: gettext_noop("Normal"),
    POSITIVE: gettext_noop("Ventriculomegaly"),
    UNDECIDED: gettext_noop("Undecided"),
    NOT_ANALYSABLE: gettext_noop("Not analysable"),
}
EXPERIMENTAL = gettext_noop("Experimental: do not rely on it.")
"""Of what was answered by versions alone that do not meet the rule for use."""
REASONS: dict[Reason, str] = {
    "turns": gettext_noop("held a little differently the picture is called the other way"),
    "doubt": gettext_noop("another view turns that with a chance of {doubt}"),
    "opposed": gettext_noop("{against} of {total} others say the opposite"),
    "coarse": gettext_noop("its slices are too thick for this head to exclude a wide ventricle"),
    "refused": gettext_noop("{version}, which leads, could not analyse the scan"),
}

MEASURING_DOUBT = gettext_noop("by the error of its width the other call has a chance of {doubt}")
"""Of what measures: no other view of the picture was asked."""


def call_words(label: str) -> str:
    """What the models call a case, in a word."""
    return gettext(CALLS[label])


def call_sentence(called: Content) -> str:
    """What the models call a case: which scan decides where there are several; why nothing is decided.

    And on which scans it does not rest, since nothing has answered about them.
    """
    words, deciding = call_words(called["label"]), _deciding(called)
    if called["label"] in DECIDED and len(called["scans"]) > 1:
        numbers = ", ".join(str(scan["scan"]) for scan in deciding)
        words = gettext("{label} (by scan {numbers})").format(label=words, numbers=numbers)
    mark = [gettext(EXPERIMENTAL)] if called.get("experimental") else []
    without = _without(called.get("unanswered", ()))
    return " ".join([f"{words}.", *_why(called, deciding), *without, *mark])


def scan_reasons(scan: Content) -> str:
    """Why one scan is undecided; "" where it is not."""
    leading = scan["leading"]
    if leading is None:
        return ""
    version = f"{leading['network']} {leading['version']}"
    values = {
        "version": version,
        "against": scan["against"],
        "total": scan["others"],
        "doubt": probability(leading["doubt"] or 0.0),
    }
    words = REASONS | ({"doubt": MEASURING_DOUBT} if leading["network"] in MEASURING_NETWORKS else {})
    reasons = "; ".join(gettext(words[reason]).format(**values) for reason in scan["reasons"])
    if not reasons or not leading["label"]:
        return reasons
    return gettext("{version} says {label}, and {reasons}").format(
        version=version, label=in_words(leading["label"]), reasons=reasons
    )


def _without(numbers: Sequence[int]) -> Iterator[str]:
    """A sentence where some scans have no answer. Signatures from before do not say."""
    if numbers:
        sentence = ngettext("Scan {numbers} has no answer.", "Scans {numbers} have no answer.", len(numbers))
        yield sentence.format(numbers=", ".join(map(str, numbers)))


def _deciding(called: Content) -> list[Content]:
    """The scans whose call is the case's."""
    return [scan for scan in called["scans"] if scan["label"] == called["label"]]


def _why(called: Content, deciding: list[Content]) -> Iterator[str]:
    """A sentence for each scan that leaves the case undecided; it is named where there are several."""
    for scan in deciding:
        if told := scan_reasons(scan):
            if len(called["scans"]) > 1:
                told = gettext("Scan {number}: {reasons}").format(number=scan["scan"], reasons=told)
            yield f"{told[:1].upper()}{told[1:]}."
