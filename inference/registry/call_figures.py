"""What the calls of a version are worth, in words: counts with intervals, and how often it is undecided."""

from collections.abc import Mapping

from django.utils.translation import gettext

from inference.models import ModelVersion
from inference.registry.service import active_versions
from inference.results.store import weights_record_of
from inference.training.evaluation.calls import right_calls, shown_share, undecided
from language.numbers import localised
from language.stored import said


def call_figures(version: ModelVersion) -> list[str]:
    """Sentences from what the card keeps; empty where it keeps too little, since nothing is made up."""
    told = []
    for label, one in right_calls(version.card.get("held_out") or {}).items():
        sentence = gettext(
            "Of {of} held-out pictures that it called {label}, {count} were right ({interval})."
        )
        told.append(_filled(sentence, one, label=said(label)))
    others = [weights_record_of(one) for one in active_versions(version.modality).exclude(pk=version.pk)]
    found = undecided(version.card, version.threshold, others)
    if found:
        sentence = gettext(
            "When it leads, it is undecided on {count} of {of} held-out pictures ({interval})."
        )
        told.append(_filled(sentence, found["undecided"]))
        sentence = gettext("Of {of} decided calls {count} are wrong ({interval}).")
        told.append(_filled(sentence, found["decided_and_wrong"]))
        asked = ", ".join(found["others"]) or gettext("no other version")
        sentence = gettext(
            "From the held-out answers on this card at the threshold in use, beside {others}, under the rule "
            "for undecided calls that holds where a department has set no other."
        )
        told.append(sentence.format(others=asked))
    return told


def _filled(sentence: str, one: Mapping[str, float], **more: str) -> str:
    low, high = (localised(end) if end else "" for end in shown_share(one))
    if not high:
        interval = gettext("95 % interval from {low} on").format(low=low)
    elif not low:
        interval = gettext("95 % interval up to {high}").format(high=high)
    else:
        interval = gettext("95 % interval {low} to {high}").format(low=low, high=high)
    return sentence.format(count=one["count"], of=one["of"], interval=interval, **more)
