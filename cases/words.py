"""Answers, stages and trust in words."""

from collections.abc import Sequence

from django.contrib.humanize.templatetags.humanize import ordinal

from inference.engine.records import POSITIVE
from inference.models import Explanation, Job, Prediction

METHODS = {"gradcam": "Grad-CAM", "lime": "LIME"}
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
    """What a job is doing: "Classifying", or the method it explains by."""
    return method(job.parameters.get("method", "")) if job.kind == Job.Kind.EXPLAIN else "Answer"


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


def trust(explanation: Explanation) -> list[str]:
    """What is measured about an explanation, one sentence each; nothing measured, nothing said."""
    said = []
    metrics = explanation.metrics
    if (inside := metrics.get("inside_head")) is not None:
        said.append(f"{100 * inside:.0f} % of the heat lies inside the head.")
    if (r2 := metrics.get("local_r2")) is not None:
        said.append(
            f"LIME's simple model accounts for {_r2(r2)} of how the network's answer varies (R² {r2:.2f})."
        )
    if metrics.get("peak") == 0:
        said.append("The map is empty: this method found nothing that speaks for the answer.")
    return said


def _r2(value: float) -> str:
    return f"{100 * max(value, 0):.0f} %"
