"""The modified CNN: residual, normalised, dilated, with channel attention and pooling at the end.

A wide ventricle is a large dark (ultrasound) or bright (MRI) shape, wherever it lies in the head:
dilation sees the shape whole, global pooling forgets where it lay, and far fewer weights than a dense
head has leave less room to learn a source by heart. Pooling both the mean and the strongest response
keeps a shape that fills a small part of the picture.
"""

import torch
from torch import Tensor, nn

from inference.engine.networks.split_network import SplitNetwork, halved


class ChannelAttention(nn.Module):
    """Weighs each channel by what all channels say together (squeeze and excitation)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Linear(channels, channels // 4), nn.ReLU(), nn.Linear(channels // 4, channels), nn.Sigmoid()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Same shape as `maps` (n, channels, rows, columns)."""
        weights: Tensor = self.weigh(maps.mean(dim=(2, 3)))
        return maps * weights[:, :, None, None]


class ResidualBlock(nn.Module):
    """Two normalised convolutions with attention, added to a projection of the input."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(channels_out),
            ChannelAttention(channels_out),
        )
        self.project = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.activation = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """(n, channels_out, rows, columns); rows and columns are kept."""
        out: Tensor = self.activation(self.body(maps) + self.project(maps))
        return out


class ModifiedCNN(SplitNetwork):
    """Three resolutions, the last dilated to see the whole head; mean and maximum pooling; linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.trunk = nn.Sequential(
            ResidualBlock(16, 24),
            nn.MaxPool2d(2),
            ResidualBlock(24, 48),
            nn.MaxPool2d(2),
            ResidualBlock(48, 64),
            ResidualBlock(64, 64, dilation=2),
        )
        self.head = nn.Sequential(nn.Dropout(0.4), nn.Linear(128, 2))

    def maps(self, pictures: Tensor) -> Tensor:
        """(n, 64, 8, 8) for pictures (n, 1, 128, 128), which are halved, or (n, 1, 64, 64)."""
        maps: Tensor = self.trunk(self.stem(halved(pictures)))
        return maps

    def classify(self, maps: Tensor) -> Tensor:
        """Logits (n, 2)."""
        logits: Tensor = self.head(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1))
        return logits
