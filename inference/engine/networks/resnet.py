"""ResNet18 and ResNet50 (He et al. 2015) as torchvision builds them, with two logits.

torchvision takes as long to import as torch itself, so only a process that builds one of them waits for it.
"""

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from inference.engine.networks.imagenet import AsImageNet, folded, without_inplace
from inference.engine.networks.split_network import SplitNetwork


class ResNet(SplitNetwork):
    """A torchvision ResNet behind our grey pictures: four stages, mean pooling, a linear head."""

    def __init__(self, build: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.colours: nn.Module = AsImageNet()
        self.trunk: Any = without_inplace(build(num_classes=2))

    def maps(self, pictures: Tensor) -> Tensor:
        """All four stages: (n, channels, 4, 4) for pictures (n, 1, 128, 128)."""
        maps: Tensor = self.trunk.layer4(self.stem(pictures))
        return maps

    def classify(self, maps: Tensor) -> Tensor:
        """Logits (n, 2): mean pooling and one linear layer."""
        logits: Tensor = self.trunk.fc(maps.mean(dim=(2, 3)))
        return logits

    def grey(self) -> "ResNet":
        """A copy whose first convolution sees the grey picture."""
        own = copy.deepcopy(self)
        own.trunk.conv1, own.colours = folded(self.trunk.conv1), nn.Identity()
        return own

    def stem(self, pictures: Tensor) -> Tensor:
        """Everything up to the third stage: (n, channels, 8, 8)."""
        t = self.trunk
        maps = t.maxpool(t.relu(t.bn1(t.conv1(self.colours(pictures)))))
        out: Tensor = t.layer3(t.layer2(t.layer1(maps)))
        return out

    def tail(self, maps: Tensor) -> Tensor:
        """The fourth stage, pooling and the linear head: logits (n, 2)."""
        return self.classify(self.trunk.layer4(maps))


def resnet18() -> ResNet:
    """Eighteen layers, random weights."""
    from torchvision import models

    return ResNet(models.resnet18)


def resnet50() -> ResNet:
    """Fifty layers, random weights."""
    from torchvision import models

    return ResNet(models.resnet50)
