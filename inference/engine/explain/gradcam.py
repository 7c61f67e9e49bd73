"""Grad-CAM (Selvaraju et al. 2017) through captum."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam

from inference.engine.explain.method import GridMap
from inference.engine.records import Label, Prepared
from inference.engine.weights import LoadedModel


def explain(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,  # noqa: ARG001 - Grad-CAM draws nothing at random
    parameters: Mapping[str, Any],
) -> GridMap:
    """One map for each frame read, all on one scale: 1 is the strongest place in the whole scan."""
    if parameters:
        raise TypeError(f"Grad-CAM takes no parameters, got {sorted(parameters)}")
    layer = model.module.get_submodule(model.network.gradcam_layer)
    pictures = torch.tensor(prepared.tensor, device=model.device)
    target = model.record.labels.index(class_label)
    method = LayerGradCam(model.module, layer)
    maps = method.attribute(pictures, target=target, relu_attributions=True)
    size = prepared.recipe.size
    fine = LayerAttribution.interpolate(maps, (size, size), "bilinear")
    values = fine.detach().cpu().numpy()[:, 0].astype(np.float32)
    peak = float(values.max())
    return GridMap(
        values=values / peak if peak > 0 else values,
        rows=tuple(range(len(prepared.frames))),
        signed=False,
        unit="share of the map's maximum",
        parameters={"layer": model.network.gradcam_layer, "library": "captum"},
        metrics={"peak": peak},
    )
