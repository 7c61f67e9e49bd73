"""The baseline: three convolution blocks and a dense head, as the project's first version had it."""

from typing import Any

from torch import Tensor, nn

from inference.engine.networks.network import SMALL
from inference.engine.networks.split_network import SplitNetwork, halved


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))


class BaselineCNN(SplitNetwork):
    """16, 32 and 64 filters of 3 x 3, each halved by pooling, then 128 dense units."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: Any = nn.Sequential(_block(1, 16), _block(16, 32), _block(32, 64))
        side = SMALL // 8
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(64 * side * side, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 2)
        )

    def maps(self, pictures: Tensor) -> Tensor:
        """(n, 64, 16, 16) for pictures (n, 1, 128, 128), which are halved, or (n, 1, 64, 64)."""
        maps: Tensor = self.blocks[2][:2](self.blocks[:2](halved(pictures)))
        return maps

    def classify(self, maps: Tensor) -> Tensor:
        """Logits (n, 2)."""
        logits: Tensor = self.head(self.blocks[2][2](maps))
        return logits
