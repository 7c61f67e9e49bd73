"""Several networks that answer as one: the mean of how convinced each of them is."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.engine.networks.network import WIDE_RECIPES, Network
from inference.engine.weights.ensemble_file import ENSEMBLE


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


def combined(logits: NDArray[np.float32], temperatures: NDArray[np.float32]) -> NDArray[np.float32]:
    """As `Ensemble.forward` puts them together: logits (members, n, 2) to (n, 2)."""
    odds = (logits[..., 1] - logits[..., 0]) / temperatures[:, None]
    half = odds.mean(axis=0) / np.float32(2)
    return np.stack([-half, half], axis=1)


def ensemble_of(members: Sequence[Network]) -> Network:
    """The record of an ensemble. It has no layer that Grad-CAM could weigh: its members do."""
    titles = ", ".join(member.title for member in members)
    return Network(
        name=ENSEMBLE,
        title=f"Ensemble of {titles}",
        build=lambda: Ensemble(members),
        recipes=WIDE_RECIPES,
        gradcam_layer="",
        licence="; ".join(dict.fromkeys(member.licence for member in members)),
    )
