"""What a model says about scans: one forward pass for a whole batch."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.backends import Passed
from inference.engine.input_gate.vgg16_gate import shipped_gate
from inference.engine.measuring.width_evidence import WIDTH_LOG_ODDS, width_log_odds
from inference.engine.preprocessing.prepare import Steps
from inference.engine.preprocessing.prepared_cache import prepared_once
from inference.engine.records import POSITIVE, Answer, NotAnalysable, Prepared, WeightsRecord
from inference.engine.uncertainty.steadiness import Steadiness, log_odds, steadiness
from inference.engine.uncertainty.test_time_augmentation import viewed_logits
from inference.engine.weights.loaded_model import LoadedModel
from inference.formats.stack import PictureStack
from refusals import Refusal

PARTS = ("numpy", "scipy")


class NumericalError(ArithmeticError):
    """A network answered with something that is not a finite number: a fault, never an answer."""


@dataclass(frozen=True)
class _Attempt:
    prepared: Prepared | None
    refusal: NotAnalysable | None
    seconds: float


def predict(
    model: LoadedModel,
    stacks: Sequence[PictureStack],
    *,
    frames: Sequence[Sequence[int] | None] | None = None,
    ages_days: Sequence[int | None] | None = None,
) -> list[Answer]:
    """One answer for each scan, in order; a scan that is not analysable gets its reason.

    frames: for each scan the frames a person chose, or None for the rule. ages_days: for each the gestational
    age that its case states, or None. Raises NumericalError.
    """
    chosen = frames if frames is not None else [None] * len(stacks)
    ages = ages_days if ages_days is not None else [None] * len(stacks)
    if model.measures and model.widths is None:
        raise ValueError(f"{model.record.name} has a member that measures: open it by versions.load")
    attempts = [_attempt(model, *asked) for asked in zip(stacks, chosen, ages, strict=True)]
    tensors = [attempt.prepared.tensor for attempt in attempts if attempt.prepared]
    started = time.perf_counter()
    passed = _passed(model, np.concatenate(tensors)) if tensors else np.zeros((1, 0, 2))
    share = (time.perf_counter() - started) / max(len(tensors), 1)
    answers, row = [], 0
    for attempt in attempts:
        count = len(attempt.prepared.frames) if attempt.prepared else 0
        answers.append(_answer(model, attempt, passed[:, row : row + count], share))
        row += count
    return answers


def _passed(model: LoadedModel, tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits (1 + views, frames, 2): of the pictures as they are, then of each view of them."""
    plain = frame_logits(model, tensor)
    return np.concatenate([plain[None], viewed_logits(lambda seen: frame_logits(model, seen), tensor)])


def frame_logits(model: LoadedModel, tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits (frames, 2) for a prepared tensor (frames, channels, size, size). Raises NumericalError."""
    return passed(model, tensor).logits


def passed(model: LoadedModel, tensor: NDArray[np.float32]) -> Passed:
    """Logits, and maps where the network is cut, for a prepared tensor. Raises NumericalError."""
    found = model.passed(tensor)
    if not np.isfinite(found.logits).all():
        raise NumericalError(f"{model.record.network} {model.record.version} gave a logit that is not finite")
    return found


def calibrated(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Softmax of the logits over the temperature, along the last axis."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _attempt(
    model: LoadedModel, stack: PictureStack, wish: Sequence[int] | None, age_days: int | None
) -> _Attempt:
    started = time.perf_counter()
    try:
        if stack.modality != model.record.modality:
            raise Refusal(
                "wrong_modality",
                f"The model reads {model.record.modality}; the scan is {stack.modality}.",
            )
        prepared = prepared_once(stack, model.recipe, frames=wish, age_days=age_days)
        width = model.widths(stack, wish, age_days) if model.widths else None
    except Refusal as refused:
        return _Attempt(None, NotAnalysable(refused.code, refused.detail), time.perf_counter() - started)
    if width is not None:
        quality = {**prepared.quality, WIDTH_LOG_ODDS: width_log_odds(width)}
        prepared = replace(prepared, quality=quality)
    return _Attempt(prepared, None, time.perf_counter() - started)


def _answer(model: LoadedModel, attempt: _Attempt, passed: NDArray[np.float64], share: float) -> Answer:
    prepared = attempt.prepared
    found = _judged(model, prepared, passed, attempt.seconds + share) if prepared else None
    return Answer(
        **(found or _refused(attempt)),
        threshold=model.record.threshold,
        network=model.record.network,
        version=model.record.version,
        modality=model.record.modality,
        weights_sha256=model.record.weights_sha256,
        preprocessing=model.recipe.id,
        preprocessing_sha256=model.recipe.sha256,
        backend=model.backend.name,
        device=model.device,
        versions=versions_of(model.backend.libraries, model.recipe.steps),
    )


def _judged(
    model: LoadedModel, prepared: Prepared, passed: NDArray[np.float64], seconds: float
) -> Mapping[str, Any]:
    """What the logits (1 + views, frames, 2) say, moved by what a width adds: picture and views alike."""
    passed = passed + prepared.quality.get(WIDTH_LOG_ODDS, 0.0) * np.array([-0.5, 0.5])
    record, logits = model.record, passed[0]
    normal, positive = (float(value) for value in logits.mean(axis=0))
    chance = calibrated(np.array([normal, positive]), record.temperature)
    probability = float(chance[record.labels.index(POSITIVE)])
    steady = _steadiness(record, passed)
    return {
        "analysable": True,
        "refusal": None,
        "label": POSITIVE if probability >= record.threshold else "normal",
        "probability": probability,
        "logits": (normal, positive),
        "frame_logits": tuple((float(a), float(b)) for a, b in logits),
        "frames": prepared.frames,
        "frame_rule": prepared.frame_rule,
        "input_sha256": prepared.sha256,
        "quality": prepared.quality,
        "seconds": seconds,
        "probability_low": steady.low,
        "probability_high": steady.high,
        "doubt": steady.doubt,
    }


def _steadiness(record: WeightsRecord, passed: NDArray[np.float64]) -> Steadiness:
    odds = log_odds(passed.mean(axis=1), record.temperature)
    return steadiness(float(odds[0]), odds[1:], record.threshold)


def _refused(attempt: _Attempt) -> Mapping[str, Any]:
    return {
        "analysable": False,
        "refusal": attempt.refusal,
        "label": None,
        "probability": None,
        "logits": None,
        "frame_logits": (),
        "frames": (),
        "frame_rule": "",
        "input_sha256": "",
        "quality": {},
        "seconds": attempt.seconds,
    }


def versions_of(libraries: tuple[str, ...], steps: Steps) -> Mapping[str, str]:
    """Of an answer: libraries, and what else has weights of its own: the head finder and the gate."""
    named = dict(steps)
    parts = {name: _version(name) for name in (*libraries, *PARTS)}
    if "gate" not in named:
        gate = shipped_gate("mri" if named["find"]["modality"] == "mri" else "ultrasound")
        return {**parts, "scope": gate.record["weights_sha256"][:12]}
    return {
        **parts,
        "head_finder": str(named["outline"]["finder"]),
        "input_gate": str(named["gate"]["gate"]),
    }


@cache
def _version(library: str) -> str:
    return version(library)
