"""Run a stored answer and its explanations again, and say what came out otherwise. Imports torch.

An answer never changes, and its repetition is a row of its own.
"""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from django.db import transaction

from accounts.models import User
from audit.trail import record
from blobs import store
from blobs.store import BlobCorrupt
from inference.engine.backends import BACKENDS
from inference.engine.explain.explainers import NotBound, explain, parameters_of
from inference.engine.records import Answer
from inference.engine.versions import Model, explainable, load, predict
from inference.engine.weights.loaded_model import WeightsMismatch
from inference.formats.stack import PictureStack
from inference.models import Explanation, Job, Prediction, Repetition
from inference.results import images
from inference.results import store as results

Verdict = Literal["identical", "within tolerance", "different"]
NUMBERS = 1e-4
"""Greatest difference of a logit or a probability that rounding on another machine explains."""
HEAT = 0.02
"""The same for a heatmap, as a share of its greatest absolute value."""
PIXELS = 0.05
"""The same for the end or the length of a caliper."""
FIRST_REVISION = 1
"""Of a method that was stored without one."""
CONDITIONS = ("weights_sha256", "preprocessing_sha256", "input_sha256", "backend", "device", "versions")
"""What the numbers depend on, in the order in which a difference is looked for."""


@dataclass(frozen=True)
class Repeated:
    """One stored row beside its repetition. first: the first thing that differs, "" when nothing does."""

    subject: str
    verdict: Verdict
    first: str


def reproduce(prediction: Prediction, *, by: User | None) -> Repetition:
    """Run again and keep what came of it."""
    return keep(prediction, list(repeated(prediction)), by=by)


def keep(
    prediction: Prediction, found: Sequence[Repeated], *, by: User | None, job: Job | None = None
) -> Repetition:
    """Store the verdicts, in one transaction with their audit line."""
    with transaction.atomic():
        row = Repetition.objects.create(
            prediction=prediction,
            job=job,
            verdicts=[asdict(one) for one in found],
            machine=platform.node()[:120],
        )
        record(
            "prediction.reproduced",
            actor=by,
            subject=row,
            thread=prediction.job.thread,
            model_version=str(prediction.model_version),
            reason=str(row),
            digest=results.digest(row),
        )
    return row


def repeated(prediction: Prediction) -> Iterator[Repeated]:
    """The answer, then each of its explanations, beside what comes out now."""
    try:
        stack, model = images.stack_for(prediction.job), _model(prediction)
    except (BlobCorrupt, WeightsMismatch) as fault:
        yield Repeated("answer", "different", f"what is stored is not what it was: {fault}")
        return
    stored = results.answer_of(prediction)
    asked = prediction.job.parameters
    wanted = asked.get("frames")
    if prediction.measurement is None:  # what measures has chosen its frame among all that it looked at
        wanted = list(prediction.frames) or wanted
    (again,) = predict(model, [stack], frames=[wanted], ages_days=[asked.get("gestational_age_days")])
    yield _answers(stored, again)
    for row in prediction.explanations.order_by("method", "class_label"):
        yield _explanations(row, model, stack, again)


def _model(prediction: Prediction) -> Model:
    """The version's network, by the library that answered where this machine has it."""
    version = prediction.model_version
    backend = prediction.backend if prediction.backend in BACKENDS else None
    content = store.read(version.weights_sha256)
    return load(results.weights_record_of(version), content, backend=backend)


def _answers(stored: Answer, again: Answer) -> Repeated:
    if stored.analysable != again.analysable or stored.label != again.label:
        return Repeated("answer", "different", _first_condition(stored, again) or "the call")
    if stored.refusal != again.refusal:
        return Repeated("answer", "different", _first_condition(stored, again) or "the reason for refusing")
    places = [[*_lengths(one.measurement)] for one in (stored, again)]
    if len(places[0]) != len(places[1]):
        return Repeated("answer", "different", _first_condition(stored, again) or "the calipers")
    gap = max(_gap(_numbers(stored), _numbers(again)), _gap(*places) * NUMBERS / PIXELS)
    if gap == 0:
        return Repeated("answer", "identical", "")
    return Repeated("answer", _judged(gap, NUMBERS), _first_condition(stored, again) or "the numbers alone")


def _gap(before: Sequence[float], now: Sequence[float]) -> float:
    return max((abs(a - b) for a, b in zip(before, now, strict=True)), default=0.0)


def _lengths(measurement: Mapping[str, Any] | None) -> Iterator[float]:
    """The ends and lengths of every caliper, in pixels."""
    for one in measurement["atria"] if measurement else ():
        yield from (*one["inner"], *one["outer"], one["width_px"])


def _numbers(answer: Answer) -> list[float]:
    said = (answer.probability, answer.probability_low, answer.probability_high, answer.doubt)
    parts = [answer.logits or (), *answer.frame_logits, [value for value in said if value is not None]]
    return [float(number) for part in parts for number in part]


def _judged(gap: float, tolerance: float) -> Verdict:
    return "within tolerance" if gap <= tolerance else "different"


def _first_condition(stored: Answer, again: Answer) -> str:
    """The first condition that is not what it was, in words; "" when all are."""
    for name in CONDITIONS:
        before, now = getattr(stored, name), getattr(again, name)
        if before != now:
            return _in_words(name, before, now)
    return ""


def _in_words(name: str, before: Any, now: Any) -> str:
    if isinstance(before, Mapping):
        parts = [part for part in sorted({*before, *now}) if before.get(part) != now.get(part)]
        before, now = before.get(parts[0], "none"), now.get(parts[0], "none")
        return f"library {parts[0]}: {before} before, {now} now"
    return f"{name.replace('_sha256', '')}: {str(before)[:12]} before, {str(now)[:12]} now"


def _explanations(row: Explanation, model: Model, stack: PictureStack, again: Answer) -> Repeated:
    subject = f"{row.method} of {row.class_label}"
    try:
        made = explain(
            row.method,
            explainable(model),
            stack,
            again,
            class_label=row.class_label,  # type: ignore[arg-type]  # the engine wrote it
            seed=row.seed,
            parameters=parameters_of(row.method, row.parameters),
            check=False,
        )
    except KeyError:
        return Repeated(subject, "different", "the method: it has changed since")
    except (NotBound, TypeError) as refused:
        return Repeated(subject, "different", f"the method: {refused}")
    before, now = images.load_npy(row.heatmap_id), made.heatmap
    if before.shape != now.shape:
        return Repeated(subject, "different", "the map's shape")
    if before.tobytes() == now.tobytes():
        return Repeated(subject, "identical", "")
    scale = max(float(np.abs(before).max()), 1e-6)
    gap = float(np.abs(before.astype(np.float64) - now).max()) / scale
    return Repeated(subject, _judged(gap, HEAT), _revised(row.parameters, made.parameters) or "the map")


def _revised(stored: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """That the method itself has changed, in words; "" when it has not."""
    before, now = (parameters.get("revision", FIRST_REVISION) for parameters in (stored, again))
    return "" if before == now else f"the method: revision {before} before, {now} now"
