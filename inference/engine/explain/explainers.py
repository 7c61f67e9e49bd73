"""Why a model answered as it did: bound to that very answer, or refused."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.explain import (
    checks,
    gradcam,
    integrated_gradients,
    lime,
    lime_reference,
    occlusion,
    rise,
)
from inference.engine.explain.method import CannotExplain, Explainer, GridMap, telling
from inference.engine.explain.resample_to_scan import to_scan
from inference.engine.preprocessing.prepared_cache import prepared_again
from inference.engine.records import Answer, Explanation, Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel
from inference.formats.stack import PictureStack
from refusals import Refusal

EXPLAINERS: dict[str, Explainer] = {
    "gradcam": gradcam.explain,
    "gradcam_plus_plus": gradcam.explain_plus_plus,
    "lime": lime.explain,
    "lime_reference": lime_reference.explain,
    "integrated_gradients": integrated_gradients.explain,
    "occlusion": occlusion.explain,
    "rise": rise.explain,
}


PARAMETERS: dict[str, type[Any]] = {
    "lime": lime.Parameters,
    "lime_reference": lime_reference.Parameters,
    "integrated_gradients": integrated_gradients.Parameters,
    "occlusion": occlusion.Parameters,
    "rise": rise.Parameters,
}


def parameters_of(method: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """What a stored explanation was asked with; what it found out besides is left away.

    Raises KeyError when the method asks for something that was not stored: then it was another method.
    """
    kind = PARAMETERS.get(method)
    return {} if kind is None else {field.name: stored[field.name] for field in fields(kind)}


class NotBound(Exception):
    """The explanation would not be about this answer: another scan, weights, preprocessing or class."""


def explain(
    method: str,
    model: LoadedModel,
    stack: PictureStack,
    answer: Answer,
    *,
    class_label: Label | None = None,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    check: bool = True,
) -> Explanation:
    """Where the model looked for a class (by default the answer's own label), in scan coordinates.

    check: measure how far the map is to be trusted, too (explain.checks). Raises NotBound when scan, weights
    or preprocessing are not those the answer rests on.
    """
    started = time.perf_counter()
    _check_model(model, answer)
    label = _known_class(class_label or answer.label, model)
    prepared = _bound_input(model, stack, answer)
    found = EXPLAINERS[method](model, prepared, label, seed=seed, parameters=parameters or {})
    measured = _measured(method, model, prepared, label, found, seed) if check else {}
    heatmap = _placed(found.values, found.rows, prepared, order=int(not found.signed))
    return Explanation(
        method=method,
        class_label=label,
        heatmap=heatmap.astype(np.float16),
        signed=found.signed,
        unit=found.unit,
        frames=tuple(prepared.frames[row] for row in found.rows),
        parameters=found.parameters,
        seed=seed,
        metrics={
            **found.metrics,
            **measured,
            "inside_head": _inside_head(heatmap, prepared.head[list(found.rows)]),
        },
        seconds=time.perf_counter() - started,
        input_sha256=prepared.sha256,
        weights_sha256=model.record.weights_sha256,
        preprocessing=model.recipe.id,
        preprocessing_sha256=model.recipe.sha256,
        segments=_placed_segments(found, prepared),
    )


def _measured(
    method: str, model: LoadedModel, prepared: Prepared, label: Label, found: GridMap, seed: int
) -> dict[str, float]:
    beside = checks.agreement(model, prepared, label, found) if method != "gradcam" else {}
    return {**checks.checked(model, prepared, label, found, seed=seed), **beside}


def _check_model(model: LoadedModel, answer: Answer) -> None:
    pairs = {
        "weights": (model.record.weights_sha256, answer.weights_sha256),
        "network": (model.record.network, answer.network),
        "preprocessing": (model.recipe.id, answer.preprocessing),
        "preprocessing hash": (model.recipe.sha256, answer.preprocessing_sha256),
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            raise NotBound(f"the answer was made with another {name}")


def _known_class(class_label: str | None, model: LoadedModel) -> Label:
    if class_label is None:
        raise NotBound("there is no answer to explain: the scan is not analysable")
    if class_label not in model.record.labels:
        raise NotBound(f"the model knows no class named {class_label}")
    return "ventriculomegaly" if class_label == "ventriculomegaly" else "normal"


def _bound_input(model: LoadedModel, stack: PictureStack, answer: Answer) -> Prepared:
    try:
        prepared = prepared_again(stack, model.recipe, answer.frames)
    except Refusal as refused:
        raise NotBound("this is not the scan the answer is about: it cannot be analysed") from refused
    if prepared.sha256 != answer.input_sha256:
        raise NotBound("this is not the input the answer rests on")
    return prepared


def _placed(values: NDArray[Any], rows: Sequence[int], prepared: Prepared, *, order: int) -> NDArray[Any]:
    return np.stack(
        [
            to_scan(picture, prepared.grid_to_scan[row], prepared.scan_shape, order=order, outside=0.0)
            for picture, row in zip(values, rows, strict=True)
        ]
    )


def _placed_segments(found: GridMap, prepared: Prepared) -> NDArray[np.int32] | None:
    if found.segments is None:
        return None
    numbered = _placed(found.segments + 1, found.rows, prepared, order=0)
    return np.asarray(numbered - 1, np.int32)


def _inside_head(heatmap: NDArray[Any], head: NDArray[np.bool_]) -> float:
    """Share of the absolute heat that lies on the head; 0 when there is no heat at all."""
    heat = np.abs(heatmap.astype(np.float64))
    total = float(heat.sum())
    return float(heat[head].sum()) / total if total > 0 else 0.0


__all__ = ["EXPLAINERS", "PARAMETERS", "CannotExplain", "NotBound", "explain", "parameters_of", "telling"]
