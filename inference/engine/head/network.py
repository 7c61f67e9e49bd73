"""A small U-Net that paints the head: 128 x 160 grey in, log-odds of the head on 64 x 80 out.

The head is painted whole, also where shadow, a caliper or the picture's edge hides it.
"""

import itertools

import torch
from torch import Tensor, nn

from inference.engine.head.by_network import STRIDE

WIDTHS = (16, 24, 40, 64, 96)


class HeadPainter(nn.Module):
    """Five levels; pictures (n, 1, 128, 160), evened, to log-odds (n, 1, 64, 80)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _block(1, WIDTHS[0], stride=STRIDE)
        self.down = nn.ModuleList(
            _block(before, after, stride=2) for before, after in itertools.pairwise(WIDTHS)
        )
        self.around = nn.Linear(WIDTHS[-1], WIDTHS[-1])
        self.up = nn.ModuleList(
            _block(deep + level, level) for deep, level in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
        )
        self.out = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Log-odds of the head for each output pixel."""
        levels = [self.stem(pictures)]
        for block in self.down:
            levels.append(block(levels[-1]))
        maps = levels.pop()
        maps = maps + self.around(maps.mean(dim=(2, 3)))[:, :, None, None]
        for block in self.up:
            maps = nn.functional.interpolate(maps, scale_factor=2.0, mode="bilinear")
            maps = block(torch.cat([maps, levels.pop()], dim=1))
        painted: Tensor = self.out(maps)
        return painted


def _block(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*_layer(before, after, stride), *_layer(after, after, 1))


def _layer(before: int, after: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)
