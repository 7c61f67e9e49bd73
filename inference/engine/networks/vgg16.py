"""VGG16 (Simonyan and Zisserman 2014): torchvision's convolutional base, global pooling, a linear head.

The 4,096-wide dense layers of the original are left out: they hold nine tenths of its weights, and a
hundred pictures cannot train them. Mean pooling and one linear layer make Grad-CAM's gradient a constant.
"""

import copy
from typing import cast

from torch import Tensor, nn

from inference.engine.networks.imagenet import AsImageNet, folded, without_inplace
from inference.engine.networks.split_network import SplitNetwork

THIRD_BLOCK, FOURTH_BLOCK, LAST_BLOCK, LAST_POOL = 10, 17, 24, 30
"""Indices in `features` at which the third to fifth block begin, and the last pooling stands."""


class VGG16(SplitNetwork):
    """Thirteen convolutions in five blocks, 512 pooled channels, two logits."""

    def __init__(self) -> None:
        from torchvision.models.vgg import cfgs, make_layers  # slow to import: see resnet.py

        super().__init__()
        self.colours: nn.Module = AsImageNet()
        self.features: nn.Sequential = make_layers(cfgs["D"], batch_norm=False)
        without_inplace(self.features)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(512, 2))
        _initialise(self.features)

    def maps(self, pictures: Tensor) -> Tensor:
        """All five blocks but for the last pooling: (n, 512, 8, 8) for pictures (n, 1, 128, 128)."""
        maps: Tensor = self.features[:LAST_POOL](self.colours(pictures))
        return maps

    def classify(self, maps: Tensor) -> Tensor:
        """Logits (n, 2): pooling and one linear layer."""
        logits: Tensor = self.head(self.features[LAST_POOL:](maps).mean(dim=(2, 3)))
        return logits

    def stem(self, pictures: Tensor) -> Tensor:
        """The four blocks that stay as ImageNet left them: (n, 512, 8, 8)."""
        maps: Tensor = self.features[:LAST_BLOCK](self.colours(pictures))
        return maps

    def grey(self) -> "VGG16":
        """A copy whose first convolution sees the grey picture."""
        own = copy.deepcopy(self)
        own.features[0], own.colours = folded(cast(nn.Conv2d, self.features[0])), nn.Identity()
        return own

    def stages(self) -> list[nn.Module]:
        """Two blocks (30 % of the products), the third (30 %), the fourth (30 %), the fifth with the head."""
        first = nn.Sequential(self.colours, self.features[:THIRD_BLOCK])
        third = self.features[THIRD_BLOCK:FOURTH_BLOCK]
        fourth = self.features[FOURTH_BLOCK:LAST_BLOCK]
        last = nn.Sequential(self.features[LAST_BLOCK:], nn.AdaptiveAvgPool2d(1), nn.Flatten(), self.head)
        return [first, third, fourth, last]

    def tail(self, maps: Tensor) -> Tensor:
        """The fifth block, pooling and head, which are fine-tuned: logits (n, 2)."""
        return self.classify(self.features[LAST_BLOCK:LAST_POOL](maps))


def _initialise(features: nn.Module) -> None:
    """As torchvision initialises it, for whoever trains without ImageNet's weights."""
    for part in features.modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(part.bias)
