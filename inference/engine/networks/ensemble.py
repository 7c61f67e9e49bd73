"""Several networks that answer as one: the mean of how convinced each of them is."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from inference.engine.networks.network import Network


class Ensemble(nn.Module):
    """The members' log-odds, each over its own temperature, averaged with equal weights.

    members: name -> network, in the order of `temperatures`.
    """

    temperatures: Tensor

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleDict({member.name: member.build() for member in members})
        self.register_buffer("temperatures", torch.ones(len(members)))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (n, 2) for pictures (n, 1, 128, 128)."""
        logits = torch.stack([member(pictures) for member in self.members.values()])
        odds = (logits[..., 1] - logits[..., 0]) / self.temperatures[:, None]
        half = odds.mean(dim=0) / 2
        return torch.stack([-half, half], dim=1)
