"""A network in two parts, cut where Grad-CAM looks."""

from torch import Tensor, nn
from torch.nn import functional as F

from inference.engine.networks.network import SMALL


def halved(pictures: Tensor) -> Tensor:
    """(n, 1, 128, 128) averaged down to (n, 1, 64, 64); a small picture stays as it is."""
    return F.adaptive_avg_pool2d(pictures, SMALL)


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
