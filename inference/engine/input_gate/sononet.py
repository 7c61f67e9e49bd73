"""SonoNet16 (Baumgartner et al. 2017, IEEE TMI; weights Apache-2.0): it knows the fetus's standard planes.

Its maps are what the gate judges by; only small layers on top of them are ours.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.engine.input_gate.look import CLASSES, INPUT_SCALE

CHANNELS = ((16, 16), (32, 32), (64, 64, 64), (128, 128, 128), (128, 128, 128))
EPSILON = 1e-4


class SonoNet16(nn.Module):
    """Pictures (n, 1, rows, columns), standardised, to maps (n, MAPS, rows / 16, columns / 16)."""

    def __init__(self) -> None:
        super().__init__()
        before, blocks = 1, []
        for widths in CHANNELS:
            layers = []
            for after in widths:
                layers.append(_layer(before, after, 3))
                before = after
            blocks.append(nn.Sequential(*layers))
        self.features = nn.ModuleList(blocks)
        squeeze, tell = _layer(before, 64, 1), _layer(64, CLASSES, 1)
        self.adaption = nn.Sequential(*squeeze, *list(tell)[:2])

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps of the last block and of the planes' log-odds."""
        maps = pictures
        for block in self.features[:-1]:
            maps = F.max_pool2d(block(maps), 2)
        fifth = self.features[-1](maps)
        return torch.cat([fifth, self.adaption(fifth)], dim=1)


def _layer(before: int, after: int, side: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, side, padding=side // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after, eps=EPSILON), nn.ReLU())


def standardised(pictures: Tensor) -> Tensor:
    """As SonoNet takes pictures: minus the mean, over the spread, times 255."""
    mean = pictures.mean((2, 3), keepdim=True)
    spread = pictures.std((2, 3), keepdim=True, correction=0).clamp_min(1e-6)
    return (pictures - mean) / spread * INPUT_SCALE
