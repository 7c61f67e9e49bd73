"""Integrated Gradients (Sundararajan et al. 2017) through captum, from a head of even brightness."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from inference.engine.explain.method import CannotExplain, GridMap
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel


@dataclass(frozen=True)
class Parameters:
    """steps: points on the way from the baseline to the picture; baseline: 0 is the head's middle grey."""

    steps: int = 32
    baseline: float = 0.0


def explain(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,  # noqa: ARG001 - nothing is drawn at random
    parameters: Mapping[str, Any],
) -> GridMap:
    """Each pixel's share of the class's logit, for each frame read; `gap`: what the shares miss of it."""
    if find_spec("captum") is None:
        raise CannotExplain("Integrated Gradients need torch and captum, which are not installed here.")
    import torch
    from captum.attr import IntegratedGradients  # brings matplotlib along, which nothing else here needs

    chosen = Parameters(**parameters)
    method = IntegratedGradients(model.module)
    pictures = torch.tensor(prepared.tensor, device=model.device)
    values, gap = method.attribute(
        pictures,
        baselines=chosen.baseline,
        target=model.record.labels.index(class_label),
        n_steps=chosen.steps,
        internal_batch_size=max(len(pictures), 8),
        return_convergence_delta=True,
    )
    return GridMap(
        values=values.detach().cpu().numpy()[:, 0].astype(np.float32),
        rows=tuple(range(len(prepared.frames))),
        signed=True,
        unit=f"share of the logit of {class_label}",
        parameters={**asdict(chosen), "library": "captum"},
        metrics={"gap": float(gap.abs().max())},
    )
