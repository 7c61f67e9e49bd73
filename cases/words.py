"""Answers, stages and trust in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import ordinal

from inference.engine.records import POSITIVE
from inference.engine.trust import Doubt, doubts_about, excess
from inference.models import Explanation, Job, Prediction
from inference.templatetags.figures import probability

METHODS = {
    "gradcam": "Grad-CAM",
    "gradcam_plus_plus": "Grad-CAM++",
    "lime": "LIME",
    "lime_reference": "LIME, the package's way",
    "integrated_gradients": "Integrated Gradients",
    "occlusion": "Occlusion",
    "rise": "RISE",
}
EVEN = 0.5


def method(name: str) -> str:
    """A method as its authors write it."""
    return METHODS.get(name, name)


def headline(prediction: Prediction) -> str:
    """What the answer says, before its number."""
    if prediction.probability is None:
        return "Not analysable"
    return finding(prediction.label, prediction.probability)


def finding(label: str, probability: float) -> str:
    """The label and the probability in one word that contradicts neither.

    A threshold chosen for sensitivity may lie far below one half: then the label is
    ventriculomegaly, and yet it would be wrong to call it likely.
    """
    if label == POSITIVE:
        return "Ventriculomegaly likely" if probability >= EVEN else "Ventriculomegaly possible"
    return "Ventriculomegaly unlikely" if probability < EVEN else "Ventriculomegaly uncertain"


def worth(card: Mapping[str, Any], label: str, prevalence: float) -> str:
    """How often such a call is right where so many scans have it (Bayes); "" when not measured."""
    held = card.get("held_out") or {}
    sensitivity, specificity = (
        (held.get(name) or {}).get("value") for name in ("sensitivity", "specificity")
    )
    if sensitivity is None or specificity is None or not label:
        return ""
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    clears, misses = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    right, wrong = (hits, alarms) if label == POSITIVE else (clears, misses)
    if not right + wrong:
        return ""
    return (
        f"Where {100 * prevalence:.3g} % of scans have ventriculomegaly, "
        f"{100 * right / (right + wrong):.3g} % of such calls are right."
    )


def agreement(said: Sequence[tuple[str, str]]) -> str:
    """How far several models agree; "" for fewer than two. said: network and label of each answer."""
    if len(said) < 2:
        return ""
    positive = [network for network, label in said if label == POSITIVE]
    normal = [network for network, label in said if label != POSITIVE]
    if not positive or not normal:
        return f"{len(said)} of {len(said)} models agree: {said[0][1]}."
    few, label = (positive, POSITIVE) if len(positive) <= len(normal) else (normal, "normal")
    return f"Models differ: {len(few)} of {len(said)} say {label} ({', '.join(few)})."


def subject(job: Job) -> str:
    """What a job is doing: answering, running an answer again, or the method it explains by."""
    if job.kind == Job.Kind.EXPLAIN:
        return method(job.parameters.get("method", ""))
    return "Run again" if job.kind == Job.Kind.REPEAT else "Answer"


def stage(job: Job, place: int | None) -> str:
    """Where a job stands now; place: its number in line while it waits."""
    if job.state == Job.State.RUNNING:
        return job.stage or "starting"
    if job.state != Job.State.QUEUED:
        return job.get_state_display().lower()
    if job.attempts:
        return f"waiting for attempt {job.attempts + 1}"
    return f"{ordinal(place)} in queue" if place else "in queue"


def frames(numbers: Sequence[int], total: int) -> str:
    """Which frames were read, counted from 1."""
    if total == 1:
        return "the only frame"
    listed = ", ".join(str(number + 1) for number in numbers)
    return f"{'frames' if len(numbers) > 1 else 'frame'} {listed} of {total}"


DOUBTS: Mapping[Doubt, str] = {
    "empty": "the map is empty: this method found nothing that speaks for the class.",
    "no_better_than_chance": "hiding what it marks costs hardly more than hiding as much elsewhere.",
    "outside_head": "most of its heat lies outside the head.",
    "unsettled": "more samples would have changed the order of its pieces.",
}


@dataclass(frozen=True)
class Trust:
    """How far to trust an explanation. sentences: what is measured about it, if anything."""

    is_reliable: bool
    sentences: tuple[str, ...]

    @property
    def short(self) -> str:
        """The verdict and what it rests on, to be read at a glance."""
        return " ".join(self.sentences[:2])


def trust(explanation: Explanation) -> Trust:
    """The verdict first, then what it rests on."""
    metrics = explanation.metrics
    doubts = doubts_about(explanation.method, metrics)
    told = (*_cost(metrics, explanation.class_label), *_figures(metrics))
    if doubts:
        return Trust(False, tuple(f"Unreliable: {DOUBTS[doubt]}" for doubt in doubts) + told)
    measured = excess(metrics) is not None
    return Trust(True, (("Reliable.",) if measured else ()) + told)


def _cost(metrics: Mapping[str, float], class_label: str) -> Iterator[str]:
    if "chance_hidden" in metrics:
        yield (
            f"Without the fifth of the head that it marks most, the probability of {class_label} goes from "
            f"{probability(metrics['chance_whole'])} to {probability(metrics['chance_hidden'])}; "
            f"without a fifth elsewhere, to {probability(metrics['chance_hidden_elsewhere'])}."
        )


def _figures(metrics: Mapping[str, float]) -> Iterator[str]:
    if (inside := metrics.get("inside_head")) is not None:
        yield f"{100 * inside:.0f} % of the heat lies inside the head."
    if (r2 := metrics.get("local_r2")) is not None:
        yield f"LIME's simple model accounts for {_r2(r2)} of how the network's answer varies (R² {r2:.2f})."
    if (stable := metrics.get("rank_stability")) is not None:
        yield f"The order of its pieces is settled to {max(stable, 0):.2f} (1 is for good)."
    if (agreement := metrics.get("gradcam_agreement")) is not None:
        yield f"It agrees with Grad-CAM to {agreement:.2f} (1 is wholly, 0 not at all)."


def _r2(value: float) -> str:
    return f"{100 * max(value, 0):.0f} %"
