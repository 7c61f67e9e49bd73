"""What the engine knows about an architecture, apart from its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from inference.engine.records import LABELS
from inference.formats.stack import Modality


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


class SplitNetwork(nn.Module):
    """A network in two parts, cut where Grad-CAM looks: what it sees, and what it makes of that.

    An answer and its map then cost one pass through `maps`; the rest is small.
    """

    def maps(self, pictures: Tensor) -> Tensor:
        """Feature maps (n, channels, rows, columns) of pictures (n, 1, size, size)."""
        raise NotImplementedError

    def classify(self, maps: Tensor) -> Tensor:
        """Logits (n, 2) of feature maps."""
        raise NotImplementedError

    def pooled_head(self) -> Tensor | None:
        """Weights (2, channels) where `classify` is pooling and one linear layer; else None.

        Then the gradient that Grad-CAM averages is these weights over the number of pixels of a map, whatever
        the picture: the mean over the pixels is as large where a maximum is taken first.
        """
        return None

    def grey(self) -> "SplitNetwork":
        """The network as a draft is made of it: nearly the same answers for less work."""
        return self

    def stages(self) -> list[nn.Module]:
        """The whole pass in pieces, pictures first, logits last; between them LIME may foretell maps.

        One piece where the first part of a network is not most of its work.
        """
        return [self]

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (n, 2) of pictures."""
        return self.classify(self.maps(pictures))


@dataclass(frozen=True)
class Network:
    """An architecture.

    build: a fresh module with random weights, (n, 1, size, size) float32 in, (n, 2) logits out. But for an
        ensemble it is SplitNetwork where Grad-CAM looks.
        A module with a backbone also has `stem` and `tail`: what stays as published, and what is fine-tuned.
    recipes: the id of the preprocessing for each modality.
    gradcam_layer: dotted name of the module whose output Grad-CAM weighs: what `maps` gives.
    licence: of the architecture's code and of any weights it starts from.
    side: of the picture that the network works on, in pixels; it halves larger ones itself.
    computed: of each of its stages but the last, the masks that go through it before LIME foretells its maps.
    """

    name: str
    title: str
    build: Callable[[], nn.Module]
    recipes: Mapping[Modality, str]
    gradcam_layer: str
    licence: str
    labels: tuple[str, ...] = LABELS
    side: int = 128
    backbone: Backbone | None = None
    computed: tuple[int, ...] = ()


WIDE_RECIPES: Mapping[Modality, str] = {"ultrasound": "ultrasound-outline-2-128", "mri": "mri-stack-128"}
"""One preparation for all: what several networks say about a scan, they say about the same picture."""
SMALL = 64


def halved(pictures: Tensor) -> Tensor:
    """(n, 1, 128, 128) averaged down to (n, 1, 64, 64); a small picture stays as it is."""
    return F.adaptive_avg_pool2d(pictures, SMALL)
