"""Grad-CAM (Selvaraju et al. 2017) and Grad-CAM++ (Chattopadhyay et al. 2018), out of one forward pass.

The pass keeps the maps where the network is cut, so only the few layers behind the cut are differentiated, by
hand (inference.engine.networks.classifier). captum's LayerGradCam is the reference that tests and
bench/explain.py hold this to.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.arithmetic import weighed_sum
from inference.engine.explain.method import GridMap, cut_pass
from inference.engine.networks.classifier import slopes_of
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel

Maps = NDArray[np.float32]
UNIT = "share of the map's maximum"


def explain(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,  # noqa: ARG001 - Grad-CAM draws nothing at random
    parameters: Mapping[str, Any],
) -> GridMap:
    """One map for each frame read, all on one scale: 1 is the strongest place in the whole scan."""
    _refuse(parameters)
    _, maps = cut_pass(model, prepared)
    return of_maps(model, maps, class_label, prepared.recipe.size)


def explain_plus_plus(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,  # noqa: ARG001 - nor does Grad-CAM++
    parameters: Mapping[str, Any],
) -> GridMap:
    """As Grad-CAM, but places count that speak for the class, wherever else a channel is active."""
    _refuse(parameters)
    _, maps = cut_pass(model, prepared)
    gradient = _slopes(model, maps, class_label)
    square, cube = gradient**2, gradient**3
    share = square / (2 * square + maps.sum(axis=(2, 3), keepdims=True) * cube + 1e-12)
    weights = (share * np.maximum(gradient, 0)).sum(axis=(2, 3), keepdims=True)
    return _scaled(model, np.maximum((weights * maps).sum(axis=1), 0), prepared.recipe.size)


def of_maps(model: LoadedModel, maps: Maps, class_label: Label, size: int) -> GridMap:
    """Grad-CAM out of maps (n, channels, rows, columns) that a pass has already given."""
    return _scaled(model, weighed(model, maps, class_label), size)


def weighed(model: LoadedModel, maps: Maps, class_label: Label) -> Maps:
    """The positive part of the channels' weighted sum (n, rows, columns), before any scaling."""
    weights = _slopes(model, maps, class_label).mean(axis=(2, 3))
    summed = np.matmul(weights[:, None], maps.reshape(*maps.shape[:2], -1))[:, 0]
    return np.asarray(np.maximum(summed, 0).reshape(len(maps), *maps.shape[2:]), np.float32)


def _slopes(model: LoadedModel, maps: Maps, class_label: Label) -> Maps:
    """Of the class's logit by the maps, through the part of the network behind the cut."""
    index = model.record.labels.index(class_label)
    return slopes_of(model.network.classifier, model.weights.tensors, maps, index)


def _scaled(model: LoadedModel, coarse: Maps, size: int) -> GridMap:
    values = enlarged(coarse, size)
    peak = float(values.max())
    return GridMap(
        values=np.asarray(values / peak if peak > 0 else values, np.float32),
        rows=tuple(range(len(coarse))),
        signed=False,
        unit=UNIT,
        parameters={"layer": model.network.gradcam_layer},
        metrics={"peak": peak},
    )


def enlarged(coarse: Maps, size: int) -> Maps:
    """Maps (n, rows, columns) to (n, size, size), straight between the middles of their pixels."""
    (top, low, upper, lower), (left, right, before, after) = (
        _between(side, size) for side in coarse.shape[1:]
    )
    wide = weighed_sum([after, before], [coarse[:, :, right], coarse[:, :, left]])
    return weighed_sum([lower[:, None], upper[:, None]], [wide[:, low], wide[:, top]])


@cache
def _between(few: int, many: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Maps, Maps]:
    """Of `many` pixels in a row: the two of `few` between which each lies, and what it has of either."""
    places = np.clip((np.arange(many, dtype=np.float32) + 0.5) * np.float32(few / many) - 0.5, 0, None)
    first = np.minimum(places.astype(np.intp), few - 1)
    share = (places - first).astype(np.float32)
    return first, np.minimum(first + 1, few - 1), np.float32(1) - share, share


def _refuse(parameters: Mapping[str, Any]) -> None:
    if parameters:
        raise TypeError(f"Grad-CAM takes no parameters, got {sorted(parameters)}")
