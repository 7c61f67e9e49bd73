"""Claim a reading -> engine -> publish.

What waits about a scan is claimed at once: its versions answer one after another from one preparation, each
answer is published as it stands, and what explains it out of the same pass follows in the same process.

The web process never imports what computes, and neither does the parent of a prefork worker: it is first
touched in the child, through `loaded_models.engine`, so that CUDA and OpenMP never cross a fork.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction

from audit.context import Origin, origin
from audit.trail import record
from blobs import store
from blobs.store import BlobCorrupt, BlobUnavailable
from inference import events
from inference.engine.preprocessing.frames import choose_frames
from inference.engine.quality import VERSION, Check, check
from inference.engine.records import MEASURING_NETWORKS, Answer
from inference.engine.weights.ensemble_file import ENSEMBLE
from inference.formats.spacing import CALIBRATED
from inference.formats.stack import PictureStack
from inference.jobs import deadlines, lease
from inference.jobs import state as jobs
from inference.jobs.heartbeat import kept_alive
from inference.jobs.lease import Claim, Fenced
from inference.jobs.loaded_models import ModelIntegrity, engine, model_of
from inference.models import Job, Prediction, Quality
from inference.registry import service as registry
from inference.registry import trainings, weights_upload
from inference.results import images
from inference.results import store as results
from refusals import Refusal
from webhooks import wake_ups

logger = logging.getLogger(__name__)

Checks = tuple[Sequence[int], Sequence[Check]]
SEED = 0
# What every answer is explained by, and how much less urgent that is than answering:
# each answer that waits comes before any LIME. An ensemble is explained by its members, and what measures by
# its calipers.
EXPLANATIONS = {"gradcam": 0, "lime": 1}
AT_ONCE = "gradcam"
"""Explained in the same go as answered: it needs no more than the maps of that pass."""
WITHOUT_MAPS = frozenset({ENSEMBLE, *MEASURING_NETWORKS})
_stacks: dict[tuple[uuid.UUID | None, str], PictureStack] = {}
"""Those of the reading at hand, for all its versions."""


def work(wake_up: uuid.UUID) -> None:
    """Claim what waits and see it through: answered, refused, retried or failed."""
    token = origin.set(Origin("worker"))
    try:
        claims = lease.claim(wake_up)
        if claims:
            _work_on(claims)
            if claims[0].job.kind == Job.Kind.PREDICT and (maps := lease.claim_maps(claims, AT_ONCE)):
                _work_on(maps)
            wake_ups.ask(claims[0].job.queue)  # for what else waits
    finally:
        _stacks.clear()
        origin.reset(token)


def _work_on(claims: Sequence[Claim]) -> None:
    origin.set(_origin_of(claims))
    began = time.monotonic()
    first = claims[0].job
    with kept_alive(claims):
        for number, part in enumerate(_parts_of(claims)):
            if number:
                deadlines.extend(first.kind)
            _see_through(part)
    deadlines.end()
    logger.info("%s, %d at once: %.2f s", first.kind, len(claims), time.monotonic() - began)


def _parts_of(claims: Sequence[Claim]) -> Iterable[Sequence[Claim]]:
    """What is done in one go: answers of one version, else one job. A fault of one part leaves the others."""
    if claims[0].job.kind not in lease.BATCHED:
        return [[held] for held in claims]
    by_version: dict[uuid.UUID | None, list[Claim]] = {}
    for held in claims:
        by_version.setdefault(held.job.model_version_id, []).append(held)
    return by_version.values()


def _origin_of(claims: Sequence[Claim]) -> Origin:
    """What the lines of the log are about while this is done."""
    images_ = dict.fromkeys(str(held.job.image_id) for held in claims if held.job.image_id)
    return Origin("worker", jobs=tuple(str(held.job.pk) for held in claims), images=tuple(images_))


def _see_through(claims: Sequence[Claim]) -> None:
    try:
        _run(claims)
    except ModelIntegrity as fault:
        registry.quarantine(claims[0].job.scan[1], reason=str(fault))
        _each(claims, lease.fail, "model_integrity", str(fault))
    except BlobCorrupt as fault:
        _each(claims, lease.fail, "input_corrupt", str(fault))
    except Refusal as refused:
        _each(claims, lease.fail, refused.code, str(refused))
    except Fenced:
        logger.info("Job %s was taken away while it ran", claims[0].job.pk)
    except BlobUnavailable as fault:
        _each(claims, lease.wait, str(fault))
    except Exception as fault:
        logger.exception("%d jobs failed", len(claims))
        if isinstance(fault, OSError) and (reason := store.fault()):
            _each(claims, lease.wait, reason)  # a checkpoint or an upload, which lie beside the blobs
        else:
            _each(claims, lease.retry, type(fault).__name__, str(fault))


def _each(claims: Sequence[Claim], move: Callable[..., None], *words: str) -> None:
    for held in claims:
        try:
            move(held, *words)
        except Fenced:
            logger.info("Job %s had already left this worker", held.job.pk)


def _run(claims: Sequence[Claim]) -> None:
    match claims[0].job.kind:
        case Job.Kind.EXPLAIN:
            _explain(claims[0])
        case Job.Kind.REPEAT:
            _repeat(claims[0])
        case Job.Kind.CHECK:
            weights_upload.carry_out(claims[0])
        case Job.Kind.TRAIN:
            trainings.carry_out(claims[0])
        case _:
            _predict(claims)


def _predict(claims: Sequence[Claim]) -> None:
    parts = engine()
    model = model_of(claims[0].job.scan[1])
    readable = [(held, stack) for held in claims if (stack := _stack(held)) is not None]
    frames = [held.job.parameters.get("frames") for held, _ in readable]
    lease.heartbeat([held for held, _ in readable], "classifying")
    ages = [held.job.parameters.get("gestational_age_days") for held, _ in readable]
    answers = parts.versions.predict(model, [stack for _, stack in readable], frames=frames, ages_days=ages)
    checks = [_checks(*each, answer) for each, answer in zip(readable, answers, strict=True)]
    for (held, _), answer, found in zip(readable, answers, checks, strict=True):
        try:
            _publish_prediction(held, answer, found)
        except Fenced:
            logger.info("Job %s was taken away while it ran", held.job.pk)


def _stack(held: Claim) -> PictureStack | None:
    """The pixels of one job's scan. Without them that one fails or waits, and its batch goes on: None."""
    key = held.job.image_id, repr(held.job.parameters.get(CALIBRATED))
    try:
        if key not in _stacks:
            _stacks[key] = images.stack_for(held.job)
        return _stacks[key]
    except BlobCorrupt as fault:
        _each([held], lease.fail, "input_corrupt", str(fault))
    except BlobUnavailable as fault:
        _each([held], lease.wait, str(fault))
    return None


def _checks(held: Claim, stack: PictureStack, answer: Answer) -> Checks | None:
    """What could be better about the scan; None when that is known already, or nobody is shown the answer."""
    image, _ = held.job.scan
    known = Quality.objects.filter(image=image, version=VERSION).exists()
    if known or held.job.kind != Job.Kind.PREDICT:
        return None
    frames = answer.frames or choose_frames(stack).frames
    return frames, check(stack, frames)


def _publish_prediction(held: Claim, answer: Answer, checks: Checks | None) -> None:
    job = held.job
    with transaction.atomic():
        lease.finish(held)
        if checks:
            _publish_checks(job, *checks)
        prediction = results.create_prediction(job, answer)
        said = _said(prediction)
        record("prediction.published", actor=None, subject=prediction, thread=job.thread, **said)
        events.answered(job, prediction, digest=said["digest"])
        if prediction.analysable and job.kind == Job.Kind.PREDICT and job.scan[1].network not in WITHOUT_MAPS:
            _queue_explanations(job, prediction)


def _publish_checks(job: Job, frames: Sequence[int], checks: Sequence[Check]) -> None:
    row, made = results.create_quality(job.scan[0], frames, checks)
    if made:  # another version may have answered about the same scan at the same time
        values = {one.name: round(one.value, 4) for one in checks}
        record(
            "quality.measured",
            actor=None,
            subject=row,
            thread=job.thread,
            checks_version=row.version,
            digest=results.digest(row),
            checks=values,
        )


def _explain(held: Claim) -> None:
    job, prediction = held.job, held.job.prediction
    if prediction is None:
        raise ValueError("an explain job names its prediction")
    image, version = job.scan
    model, stack = model_of(version), images.stack_of(image)
    method = job.parameters["method"]
    parts = engine()
    lease.heartbeat([held], "explaining")
    try:
        with parts.explainers.telling(lambda words: lease.heartbeat([held], f"explaining, {words}"[:60])):
            explanation = parts.explainers.explain(
                method,
                parts.versions.explainable(model),
                stack,
                results.answer_of(prediction),
                class_label=job.parameters.get("class_label"),
                seed=job.parameters.get("seed", SEED),
            )
    except parts.explainers.CannotExplain as refused:
        raise Refusal("cannot_explain", str(refused)) from refused
    stored = results.put_arrays(explanation)
    with transaction.atomic():
        lease.finish(held)
        row = results.create_explanation(job, prediction, stored)
        digest = results.digest(row)
        record(
            "explanation.published",
            actor=None,
            subject=row,
            thread=job.thread,
            method=method,
            class_label=row.class_label,
            model_version=str(version),
            digest=digest,
        )
        events.explained(job, row, digest=digest)


def _repeat(held: Claim) -> None:
    job, prediction = held.job, held.job.prediction
    if prediction is None:
        raise ValueError("a repeat job names its prediction")
    parts = engine()
    lease.heartbeat([held], "running the answer and its explanations again")
    found = list(parts.reproduction.repeated(prediction))
    with transaction.atomic():
        lease.finish(held)
        parts.reproduction.keep(prediction, found, by=job.requested_by, job=job)


def _queue_explanations(job: Job, prediction: Prediction) -> None:
    for method, delay in EXPLANATIONS.items():
        jobs.submit(
            Job.Kind.EXPLAIN,
            image=job.image,
            model_version=job.model_version,
            prediction=prediction,
            requested_by=job.requested_by,
            thread=job.thread,
            priority=job.priority - delay,
            parameters={"method": method, "seed": SEED},
            about=job.about,
        )


def _said(prediction: Prediction) -> dict[str, Any]:
    return {
        "model_version": str(prediction.model_version),
        "weights_sha256": prediction.weights_sha256,
        "label": prediction.label,
        "probability": prediction.probability,
        "doubt": prediction.doubt,
        "refusal": prediction.refusal_code,
        "digest": results.digest(prediction),
    }
