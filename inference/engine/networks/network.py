"""What the engine knows about an architecture, apart from its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from inference.engine.records import LABELS
from inference.formats.stack import Modality


@dataclass(frozen=True)
class Network:
    """An architecture.

    build: a fresh module with random weights, (n, 1, size, size) float32 in, (n, 2) logits out.
    recipes: the id of the preprocessing for each modality.
    gradcam_layer: dotted name of the module whose output Grad-CAM weighs.
    licence: of the architecture's code and of any weights it starts from.
    """

    name: str
    title: str
    build: Callable[[], nn.Module]
    recipes: Mapping[Modality, str]
    gradcam_layer: str
    licence: str
    labels: tuple[str, ...] = LABELS


HEAD_RECIPES: Mapping[Modality, str] = {"ultrasound": "ultrasound-head-64", "mri": "mri-head-64"}
WIDE_RECIPES: Mapping[Modality, str] = {"ultrasound": "ultrasound-head-128", "mri": "mri-head-128"}
"""Networks that halve five times need more pixels to begin with."""
