"""What the engine knows about an architecture, apart from its weights. Torch is not needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

from inference.engine.networks.classifier import Layer
from inference.engine.records import LABELS
from inference.formats.stack import Modality

if TYPE_CHECKING:
    from torch import nn

WIDE_RECIPES: Mapping[Modality, str] = {"ultrasound": "ultrasound-outline-2-128", "mri": "mri-stack-128"}
"""One preparation for all: what several networks say about a scan, they say about the same picture."""
SMALL = 64
"""Side of the pictures that the small networks work on."""
CENTRE, SCALE = 0.4, 0.25
"""The last step of our preprocessing ("hide") subtracts and divides by these; for ImageNet it is undone."""


@dataclass(frozen=True)
class Backbone:
    """Published weights that a network may start from.

    file: its name in a folder of weights, safetensors. sha256: of that file; "" when it is converted here,
    where the publisher's own hash (published_sha256, its first digits) is what counts.
    url: where the publisher keeps it. prefix: put before the names in the file to get ours.
    """

    file: str
    sha256: str
    url: str
    published_sha256: str
    prefix: str
    licence: str


@dataclass(frozen=True)
class Network:
    """An architecture.

    module: where a fresh one with random weights is built, as `package.module:name`: (n, 1, size, size)
        float32 in, (n, 2) logits out. But for an ensemble it is SplitNetwork where Grad-CAM looks.
        A module with a backbone also has `stem` and `tail`: what stays as published, and what is fine-tuned.
    recipes: the id of the preprocessing for each modality.
    gradcam_layer: dotted name of the module whose output Grad-CAM weighs: what `maps` gives; "" without one.
    classifier: what `classify` makes of those maps, layer by layer.
    licence: of the architecture's code and of any weights it starts from.
    side: of the picture that the network works on, in pixels; it halves larger ones itself.
    computed: of each of its stages but the last, the masks that go through it before LIME foretells its maps.
    members: of an ensemble, which has no module of its own.
    """

    name: str
    title: str
    module: str
    recipes: Mapping[Modality, str]
    gradcam_layer: str
    licence: str
    classifier: tuple[Layer, ...] = ()
    labels: tuple[str, ...] = LABELS
    side: int = 128
    backbone: Backbone | None = None
    computed: tuple[int, ...] = ()
    members: "tuple[Network, ...]" = ()

    def build(self) -> "nn.Module":
        """A fresh module with random weights. Imports torch."""
        if self.members:
            from inference.engine.networks.ensemble import Ensemble

            return Ensemble(self.members)
        return cast("Callable[[], nn.Module]", resolve_name(self.module))()
