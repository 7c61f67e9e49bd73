"""ResNet18 and ResNet50 (He et al. 2015) as torchvision builds them, with two logits."""

from collections.abc import Callable

import torchvision
from torch import Tensor, nn

from inference.engine.networks.imagenet import AsImageNet, without_inplace
from inference.engine.networks.network import WIDE_RECIPES, Network

LICENCE = "BSD-3-Clause (torchvision)"


class ResNet(nn.Module):
    """A torchvision ResNet behind our grey pictures: four stages, mean pooling, a linear head."""

    def __init__(self, build: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.colours = AsImageNet()
        self.trunk = without_inplace(build(num_classes=2))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (n, 2) for pictures (n, 1, 128, 128)."""
        logits: Tensor = self.trunk(self.colours(pictures))
        return logits


def resnet18() -> ResNet:
    """Eighteen layers, random weights."""
    return ResNet(torchvision.models.resnet18)


def resnet50() -> ResNet:
    """Fifty layers, random weights."""
    return ResNet(torchvision.models.resnet50)


RESNET18 = Network(
    name="resnet18",
    title="ResNet18",
    build=resnet18,
    recipes=WIDE_RECIPES,
    gradcam_layer="trunk.layer4",
    licence=LICENCE,
)

RESNET50 = Network(
    name="resnet50",
    title="ResNet50",
    build=resnet50,
    recipes=WIDE_RECIPES,
    gradcam_layer="trunk.layer4",
    licence=LICENCE,
)
