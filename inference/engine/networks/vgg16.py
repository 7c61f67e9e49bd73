"""VGG16 (Simonyan and Zisserman 2014): torchvision's convolutional base, global pooling, a linear head.

The 4,096-wide dense layers of the original are left out: they hold nine tenths of its weights, and a
hundred pictures cannot train them. Mean pooling and one linear layer make Grad-CAM's gradient a constant.
"""

from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from inference.engine.networks.imagenet import AsImageNet, without_inplace
from inference.engine.networks.network import WIDE_RECIPES, Network


class VGG16(nn.Module):
    """Thirteen convolutions in five blocks, 512 pooled channels, two logits."""

    def __init__(self) -> None:
        super().__init__()
        self.colours = AsImageNet()
        self.features = without_inplace(make_layers(cfgs["D"], batch_norm=False))
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(512, 2))
        _initialise(self.features)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (n, 2) for pictures (n, 1, 128, 128)."""
        maps = self.features(self.colours(pictures))
        logits: Tensor = self.head(maps.mean(dim=(2, 3)))
        return logits


def _initialise(features: nn.Module) -> None:
    """As torchvision initialises it, for whoever trains without ImageNet's weights."""
    for part in features.modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(part.bias)


NETWORK = Network(
    name="vgg16",
    title="VGG16",
    build=VGG16,
    recipes=WIDE_RECIPES,
    gradcam_layer="features.29",
    licence="Architecture: BSD-3-Clause (torchvision). ImageNet weights: CC BY 4.0 (Oxford VGG).",
)
