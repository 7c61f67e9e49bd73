"""A version that measures: from its weights file to answers, each with the calipers that it rests on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import safetensors
import safetensors.numpy

from digests import sha256_hex
from inference.engine.atrium.grids import upright
from inference.engine.atrium.measure import AtriumMismatch
from inference.engine.atrium.scan import ScanAtria, as_json
from inference.engine.backends.graphs import WrongTensors
from inference.engine.measuring.ways import WAYS, Measure
from inference.engine.measuring.width_evidence import MEMBER
from inference.engine.predict import versions_of
from inference.engine.preprocessing.prepare import tensor_sha256
from inference.engine.preprocessing.prepared_cache import prepared_once
from inference.engine.records import (
    MEASURING,
    MEASURING_NETWORKS,
    POSITIVE,
    Answer,
    NotAnalysable,
    Recipe,
    WeightsRecord,
    settles,
)
from inference.engine.ventricles.painter import VentriclesMismatch
from inference.engine.weights.ensemble_file import measuring_member, prefix_of
from inference.engine.weights.loaded_model import WeightsMismatch, Widths, recipe_of
from inference.formats.stack import PictureStack
from refusals import Refusal

THRESHOLD = 0.5
"""A width of 10 mm: as likely wider as narrower."""
BACKEND, DEVICE = "onnxruntime", "cpu"


@dataclass(frozen=True)
class MeasuringModel:
    """Verified weights that measure, ready to answer; always by ONNX Runtime on the processor."""

    record: WeightsRecord
    recipe: Recipe
    measure: Measure
    device: str = DEVICE


def member_widths(record: WeightsRecord, content: bytes) -> Widths:
    """The measuring member of an ensemble, its weights taken out of the ensemble's verified file.

    Raises WeightsMismatch where the card does not say what was settled with them.
    """
    tensors = safetensors.numpy.load(content)
    network = measuring_member(tensors)
    settled = record.card.get(MEMBER) or {}
    if network is None or not settles(network, {MEASURING: settled}):
        raise WeightsMismatch("the card does not state what was settled with the member that measures")
    start = prefix_of(network)
    own = safetensors.numpy.save(
        {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
    )
    measure = _opened(network, own, settled, sha256_hex(own))
    recipe, way = recipe_of(record), WAYS[network]

    def widths(stack: PictureStack, wish: Sequence[int] | None, age_days: int | None) -> float | None:
        way.refuse(stack)
        prepared = prepared_once(stack, recipe, frames=wish, age_days=age_days)
        return measure(stack, prepared, age_days, wish is not None).probability

    return widths


def load_measuring(record: WeightsRecord, content: bytes) -> MeasuringModel:
    """Check the hash before a single byte is parsed. Raises WeightsMismatch."""
    recipe = recipe_of(record)
    settled = MEASURING_NETWORKS[record.network].settled
    if not settles(record.network, record.card):
        raise WeightsMismatch(f"the card does not state {', '.join(settled)} as numbers")
    measure = _opened(record.network, content, record.card[MEASURING], record.weights_sha256)
    return MeasuringModel(record, recipe, measure)


def _opened(network: str, content: bytes, part: Mapping[str, Any], sha256: str) -> Measure:
    """part: of a card, with the numbers that were settled with the weights."""
    numbers = {name: float(part[name]) for name in MEASURING_NETWORKS[network].settled}
    try:
        return WAYS[network].open(content, {**numbers, "weights_sha256": sha256})
    except (AtriumMismatch, VentriclesMismatch) as fault:
        raise WeightsMismatch("the weights file does not have the hash its record states") from fault
    except (safetensors.SafetensorError, WrongTensors) as fault:
        raise WeightsMismatch(f"the weights do not fit the networks that measure: {fault}") from fault


def measured_answers(
    model: MeasuringModel,
    stacks: Sequence[PictureStack],
    *,
    frames: Sequence[Sequence[int] | None] | None = None,
    ages_days: Sequence[int | None] | None = None,
) -> list[Answer]:
    """As inference.engine.predict.predict: one answer for each scan, in order."""
    chosen = frames if frames is not None else [None] * len(stacks)
    ages = ages_days if ages_days is not None else [None] * len(stacks)
    return [_answer(model, *asked) for asked in zip(stacks, chosen, ages, strict=True)]


def _answer(
    model: MeasuringModel, stack: PictureStack, wish: Sequence[int] | None, age_days: int | None
) -> Answer:
    started = time.perf_counter()
    said = _said(model, stack, wish, age_days)
    record = model.record
    return Answer(
        **said,
        threshold=record.threshold,
        logits=None,
        frame_logits=(),
        network=record.network,
        version=record.version,
        modality=record.modality,
        weights_sha256=record.weights_sha256,
        preprocessing=model.recipe.id,
        preprocessing_sha256=model.recipe.sha256,
        seconds=time.perf_counter() - started,
        backend=BACKEND,
        device=model.device,
        versions=versions_of((BACKEND,), model.recipe.steps),
    )


def _said(
    model: MeasuringModel, stack: PictureStack, wish: Sequence[int] | None, age_days: int | None
) -> Mapping[str, Any]:
    way = WAYS[model.record.network]
    try:
        way.refuse(stack)
        prepared = prepared_once(stack, model.recipe, frames=wish, age_days=age_days)
    except Refusal as refused:
        return _refused(NotAnalysable(refused.code, refused.detail))
    found = model.measure(stack, prepared, age_days, wish is not None)
    seen = {"quality": prepared.quality, "measurement": as_json(found)}
    refusal = _cannot_call(found)
    if refusal:
        return _refused(refusal) | seen
    probability = found.probability or 0.0
    return {
        "analysable": True,
        "refusal": None,
        "label": POSITIVE if probability >= model.record.threshold else "normal",
        "probability": probability,
        "doubt": min(probability, 1 - probability),
        "frames": (found.frame,),
        "frame_rule": prepared.frame_rule if len(stack.pixels) == 1 else way.rule,
        "input_sha256": tensor_sha256(upright(found.pixels, found.head)[None]),
        **seen,
    }


def _cannot_call(found: ScanAtria) -> NotAnalysable | None:
    """Why nothing is called though the head is one: it then neither alarms nor votes."""
    if not found.atria.measurable:
        return NotAnalysable(
            "atrium_not_measurable",
            "The atrium cannot be measured here: no ventricle shows clearly enough to put calipers on it.",
        )
    if found.scale is None:
        return NotAnalysable(
            "no_scale",
            "Neither the file nor a gestational age tells how large a pixel is: the width is given as a "
            "share of the head's, and nothing is called.",
        )
    return None


def _refused(refusal: NotAnalysable) -> dict[str, Any]:
    return {
        "analysable": False,
        "refusal": refusal,
        "label": None,
        "probability": None,
        "frames": (),
        "frame_rule": "",
        "input_sha256": "",
        "quality": {},
    }
