"""A small U-Net that paints ventricles, brain and thalami into an axial slice: 128 x 128 grey in and out."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAPS = ("ventricle", "brain", "deep_grey")
"""deep_grey: thalami and basal ganglia, which say how high a slice lies."""
FINER = 2
"""The network works on pixels of 2 mm and answers for each of the four in one."""


class VentricleNetwork(nn.Module):
    """Levelled slices (n, 1, 128, 128), anterior up, to log-odds (n, 3, 128, 128) of MAPS."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_layer(1, 16, 4, FINER), *_layer(16, 16))
        self.down2, self.down3 = _block(16, 24), _block(24, 32)
        self.down4 = _block(32, 40)
        self.up3 = nn.Sequential(*_layer(72, 32))
        self.up2 = nn.Sequential(*_layer(56, 24))
        self.up1 = nn.Sequential(*_layer(40, 24))
        self.maps = nn.Conv2d(24, len(MAPS) * FINER**2, 1)
        nn.init.constant_(self.maps.bias, -2.0)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> Tensor:
        """Log-odds of every pixel."""
        first = self.stem(pictures)
        second = self.down2(F.max_pool2d(first, 2))
        third = self.down3(F.max_pool2d(second, 2))
        seen = self.down4(F.max_pool2d(third, 2))
        for up, beside in ((self.up3, third), (self.up2, second), (self.up1, first)):
            seen = up(torch.cat([_doubled(seen), beside], 1))
        return F.pixel_shuffle(self.maps(seen), FINER)


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(*_layer(before, after), *_layer(after, after))


def _layer(before: int, after: int, kernel: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
    padding = (kernel - stride + 1) // 2
    convolution = nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False)
    return convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)
