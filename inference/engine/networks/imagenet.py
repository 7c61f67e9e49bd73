"""What networks that start from ImageNet share: how our grey pictures look to them."""

import torch
from torch import Tensor, nn

from inference.engine.networks.network import CENTRE, SCALE

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""torchvision's normalisation of red, green and blue."""


class AsImageNet(nn.Module):
    """A prepared grey picture as the three normalised channels that ImageNet weights expect."""

    gain: Tensor
    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gain", SCALE / torch.tensor(SPREAD)[:, None, None], persistent=False)
        offset = (CENTRE - torch.tensor(MEAN)) / torch.tensor(SPREAD)
        self.register_buffer("offset", offset[:, None, None], persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 1, size, size) as preprocessing leaves it -> (n, 3, size, size)."""
        channels: Tensor = pictures * self.gain + self.offset
        return channels


def folded(first: nn.Conv2d) -> nn.Sequential:
    """A network's first convolution, colours included, over the grey picture: a third of the products.

    Not quite exact along the picture's edge: the zeros around three normalised channels are no one grey.
    """
    colours, weight = AsImageNet(), first.weight.detach()
    shape = (int(first.kernel_size[0]), int(first.kernel_size[1]))
    grey = nn.Conv2d(1, first.out_channels, shape, stride=(int(first.stride[0]), int(first.stride[1])))
    grey.weight.data = (weight * colours.gain).sum(dim=1, keepdim=True)
    bias = torch.zeros(first.out_channels) if first.bias is None else first.bias.detach()
    grey.bias = nn.Parameter(bias + (weight * colours.offset).sum(dim=(1, 2, 3)))
    edge = float((-colours.offset / colours.gain).mean())
    return nn.Sequential(nn.ConstantPad2d(int(first.padding[0]), edge), grey)


def without_inplace(module: nn.Module) -> nn.Module:
    """The same module with every ReLU writing to a new tensor.

    torchvision's ReLUs overwrite their input, and with it the activations that Grad-CAM reads.
    """
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return module
