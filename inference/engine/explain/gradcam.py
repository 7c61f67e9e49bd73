"""Grad-CAM (Selvaraju et al. 2017) and Grad-CAM++ (Chattopadhyay et al. 2018), out of one forward pass.

The pass keeps the maps where the network is cut, so only the small part behind the cut is differentiated;
where that part is pooling and one linear layer its gradient is the layer's own weights. captum's LayerGradCam
is the reference that tests and bench/explain.py hold this to.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.explain.method import GridMap, cut_of, cut_pass
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
    gradient = _gradients(model, maps, class_label)
    square, cube = gradient**2, gradient**3
    share = square / (2 * square + maps.sum(axis=(2, 3), keepdims=True) * cube + 1e-12)
    weights = (share * np.maximum(gradient, 0)).sum(axis=(2, 3), keepdims=True)
    return _scaled(model, np.maximum((weights * maps).sum(axis=1), 0), prepared.recipe.size)


def of_maps(model: LoadedModel, maps: Maps, class_label: Label, size: int) -> GridMap:
    """Grad-CAM out of maps (n, channels, rows, columns) that a pass has already given."""
    return _scaled(model, weighed(model, maps, class_label), size)


def weighed(model: LoadedModel, maps: Maps, class_label: Label) -> Maps:
    """The positive part of the channels' weighted sum (n, rows, columns), before any scaling."""
    head = cut_of(model).pooled_head()
    if head is None:
        weights = _gradients(model, maps, class_label).mean(axis=(2, 3))
    else:
        row = head.detach()[model.record.labels.index(class_label)].cpu().numpy()
        weights = np.broadcast_to(row / maps[0, 0].size, maps.shape[:2])
    summed = np.matmul(weights[:, None], maps.reshape(*maps.shape[:2], -1))[:, 0]
    return np.asarray(np.maximum(summed, 0).reshape(len(maps), *maps.shape[2:]), np.float32)


def _gradients(model: LoadedModel, maps: Maps, class_label: Label) -> Maps:
    """Of the class's logit by the maps, through the part of the network behind the cut."""
    leaf = torch.tensor(maps, device=model.device, requires_grad=True)
    logits = cut_of(model).classify(leaf)[:, model.record.labels.index(class_label)]
    (gradient,) = torch.autograd.grad(logits.sum(), leaf)
    return np.asarray(gradient.cpu().numpy())


def _scaled(model: LoadedModel, coarse: Maps, size: int) -> GridMap:
    fine = nn.functional.interpolate(torch.from_numpy(coarse)[:, None], (size, size), mode="bilinear")
    values: Maps = fine.numpy()[:, 0]
    peak = float(values.max())
    return GridMap(
        values=np.asarray(values / peak if peak > 0 else values, np.float32),
        rows=tuple(range(len(coarse))),
        signed=False,
        unit=UNIT,
        parameters={"layer": model.network.gradcam_layer},
        metrics={"peak": peak},
    )


def _refuse(parameters: Mapping[str, Any]) -> None:
    if parameters:
        raise TypeError(f"Grad-CAM takes no parameters, got {sorted(parameters)}")
