"""What the engine hands back, at rest; and the way back into the engine's records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from blobs import store
from blobs.models import Blob
from digests import canonical_json, sha256_hex
from inference.engine.quality import VERSION, Check
from inference.engine.records import Answer, NotAnalysable, WeightsRecord
from inference.engine.records import Explanation as ExplanationRecord
from inference.models import Explanation, Image, Job, ModelVersion, Prediction, Quality
from inference.results.images import npy

LATER = frozenset(
    {
        "probability_low", "probability_high", "doubt", "measurement", "called", "shown", "unblinded",
        "proposal_id", "proposal_atrium", "calibration_id", "across",
    }
)  # fmt: skip
"""Columns that came after the first rows: they count in a digest where they say something."""


_counting_for_nothing: list[Callable[[], QuerySet[Any]]] = []


def leave_out(images: Callable[[], QuerySet[Any]]) -> None:
    """Let a room above say whose answers count for nothing: a query for the keys of their images.

    They stay where they are shown one by one; what counts answers together asks `counting`.
    """
    _counting_for_nothing.append(images)


def counting(answers: QuerySet[Prediction]) -> QuerySet[Prediction]:
    """Those of these answers that count."""
    for images in _counting_for_nothing:
        answers = answers.exclude(image__in=images())
    return answers


@dataclass(frozen=True)
class StoredExplanation:
    """An explanation whose bytes are in the blob store; its row is not yet written."""

    record: ExplanationRecord
    heatmap: Blob
    segments: Blob | None


def put_arrays(record: ExplanationRecord) -> StoredExplanation:
    """Store the heatmap and its superpixels: the slow part, before the transaction."""
    segments = None if record.segments is None else store.put(npy(record.segments))
    return StoredExplanation(record, store.put(npy(record.heatmap)), segments)


def create_prediction(job: Job, answer: Answer) -> Prediction:
    """The row of an answer."""
    refusal = answer.refusal
    image, version = job.scan
    return Prediction.objects.create(
        job=job,
        image=image,
        model_version=version,
        analysable=answer.analysable,
        refusal_code=refusal.code if refusal else "",
        refusal_reason=refusal.reason if refusal else "",
        label=answer.label or "",
        probability=answer.probability,
        probability_low=answer.probability_low,
        probability_high=answer.probability_high,
        doubt=answer.doubt,
        threshold=answer.threshold,
        threshold_target=version.threshold_target,
        temperature=version.temperature,
        logits=answer.logits,
        frame_logits=answer.frame_logits,
        frames=answer.frames,
        frame_rule=answer.frame_rule,
        quality=dict(answer.quality),
        input_sha256=answer.input_sha256,
        weights_sha256=answer.weights_sha256,
        preprocessing=answer.preprocessing,
        preprocessing_sha256=answer.preprocessing_sha256,
        backend=answer.backend,
        device=answer.device,
        versions=dict(answer.versions),
        measurement=None if answer.measurement is None else dict(answer.measurement),
        seconds=answer.seconds,
    )


def create_quality(image: Image, frames: Sequence[int], checks: Sequence[Check]) -> tuple[Quality, bool]:
    """The row of a scan's checks, or the one that is there: (row, made now)."""
    return Quality.objects.get_or_create(
        image=image,
        version=VERSION,
        defaults={"frames": list(frames), "checks": [asdict(one) for one in checks]},
    )


def create_explanation(job: Job, prediction: Prediction, stored: StoredExplanation) -> Explanation:
    """The row of an explanation; the database refuses it when it is not bound to the prediction."""
    record = stored.record
    return Explanation.objects.create(
        prediction=prediction,
        job=job,
        method=record.method,
        class_label=record.class_label,
        explains_prediction=record.class_label == prediction.label,
        heatmap=stored.heatmap,
        segments=stored.segments,
        signed=record.signed,
        unit=record.unit,
        frames=list(record.frames),
        parameters=dict(record.parameters),
        seed=record.seed,
        metrics=dict(record.metrics),
        input_sha256=record.input_sha256,
        weights_sha256=record.weights_sha256,
        preprocessing=record.preprocessing,
        preprocessing_sha256=record.preprocessing_sha256,
        seconds=record.seconds,
    )


def answer_of(prediction: Prediction) -> Answer:
    """The engine's record of a stored prediction, for explaining it later."""
    version = prediction.model_version
    return Answer(
        analysable=prediction.analysable,
        refusal=_refusal(prediction),
        label=prediction.label or None,  # type: ignore[arg-type]  # the engine wrote it
        probability=prediction.probability,
        threshold=prediction.threshold,
        logits=_logits(prediction.logits),
        frame_logits=tuple((first, second) for first, second in prediction.frame_logits),
        frames=tuple(prediction.frames),
        frame_rule=prediction.frame_rule,
        network=version.network,
        version=version.version,
        modality=version.modality,  # type: ignore[arg-type]
        weights_sha256=prediction.weights_sha256,
        preprocessing=prediction.preprocessing,
        preprocessing_sha256=prediction.preprocessing_sha256,
        input_sha256=prediction.input_sha256,
        quality=prediction.quality,
        seconds=prediction.seconds,
        backend=prediction.backend,
        device=prediction.device,
        versions=prediction.versions,
        probability_low=prediction.probability_low,
        probability_high=prediction.probability_high,
        doubt=prediction.doubt,
        measurement=prediction.measurement,
    )


def weights_record_of(version: ModelVersion) -> WeightsRecord:
    """The engine's record of a model version."""
    card: Mapping[str, Any] = version.card
    return WeightsRecord(
        network=version.network,
        version=version.version,
        modality=version.modality,  # type: ignore[arg-type]
        weights_sha256=version.weights_sha256,
        preprocessing=version.preprocessing,
        preprocessing_sha256=version.preprocessing_sha256,
        threshold=version.threshold,
        threshold_target=version.threshold_target,
        temperature=version.temperature,
        card=card,
        labels=tuple(version.labels),
    )


def digest(row: Model) -> str:
    """SHA-256 of all that a row says. The audit line carries it, and the audit is chained.

    The time of writing is left out: the database sets it, and the audit line has its own. A column that came
    after the first rows counts where it says something, so that older digests still hold.
    """
    names = [field.attname for field in row._meta.concrete_fields if field.attname != "created_at"]
    said = {name: getattr(row, name) for name in names}
    said = {name: value for name, value in said.items() if name not in LATER or value not in (None, "")}
    ids = {name: str(value) for name, value in said.items() if isinstance(value, UUID)}
    moments = {name: value.isoformat() for name, value in said.items() if isinstance(value, date)}
    return sha256_hex(canonical_json(said | ids | moments))


def _refusal(prediction: Prediction) -> NotAnalysable | None:
    if prediction.analysable:
        return None
    return NotAnalysable(prediction.refusal_code, prediction.refusal_reason)


def _logits(stored: list[float] | None) -> tuple[float, float] | None:
    return None if stored is None else (stored[0], stored[1])
