"""A small U-Net for both steps: 96 x 96 grey in, maps of 48 x 48 and a few numbers out."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.engine.atrium.grids import STRIDE

WIDTH = 12
NUMBERS = 4
"""Of one picture: log-odds that the atrium is there, cosine and sine of twice a direction, and an error."""


class AtriumNetwork(nn.Module):
    """Pictures (n, 1, 96, 96), levelled, to maps (n, maps, 48, 48) of log-odds and numbers (n, 4).

    maps: 1 for the atrium's place, 2 for the ends of its caliper (inner, outer).
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        w = WIDTH
        self.stem = nn.Sequential(*_layer(1, w, 5, STRIDE), *_layer(w, w))
        self.down2, self.down3, self.down4 = _block(w, 2 * w), _block(2 * w, 3 * w), _block(3 * w, 3 * w)
        self.up3, self.up2 = _block(6 * w, 3 * w), _block(5 * w, 2 * w)
        self.up1 = nn.Sequential(*_layer(3 * w, w + 8))
        self.maps = nn.Conv2d(w + 8, maps, 1)
        self.numbers = nn.Linear(3 * w + w + 8, NUMBERS)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Maps, and numbers read from the whole and from where the first map points."""
        first = self.stem(pictures)
        second = self.down2(F.max_pool2d(first, 2))
        third = self.down3(F.max_pool2d(second, 2))
        deep = self.down4(F.max_pool2d(third, 2))
        seen = self.up3(torch.cat([_doubled(deep), third], 1))
        seen = self.up2(torch.cat([_doubled(seen), second], 1))
        seen = self.up1(torch.cat([_doubled(seen), first], 1))
        maps = self.maps(seen)
        looked = torch.softmax(maps[:, :1].flatten(2), -1)
        there = (seen.flatten(2) * looked).sum(2)
        return maps, self.numbers(torch.cat([deep.mean((2, 3)), there], 1))


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(*_layer(before, after), *_layer(after, after))


def _layer(before: int, after: int, kernel: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)
