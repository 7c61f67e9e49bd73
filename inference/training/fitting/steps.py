"""A training that goes by steps instead of epochs: its pace, and what lets it go on after a stop."""

import math

import torch
from torch import Tensor, nn

from inference.training.fitting.checkpoints import Checkpoints

WARM = 0.15
"""Share of the steps in which the rate goes up."""


def pace(done: float) -> float:
    """Share of the greatest rate after a share of the steps: up in a straight line, down along a cosine."""
    if done < WARM:
        return 0.05 + 0.95 * done / WARM
    return 0.5 * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM))) + 1e-4


def keep(
    checkpoints: Checkpoints, phase: str, step: int, network: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Network and optimiser as they are after so many steps."""
    states = optimiser.state_dict()["state"]
    moments = {f"{number}.{name}": value for number, state in states.items() for name, value in state.items()}
    checkpoints.keep(phase, {"network": network.state_dict(), "moments": moments}, {"step": step})


def recalled(
    checkpoints: Checkpoints, phase: str, network: nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    """The step to go on with; network and optimiser are as they were then."""
    memory = checkpoints.recall(phase)
    if memory is None:
        return 0
    network.load_state_dict(memory.part("network"))
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in memory.part("moments").items():
        number, name = key.split(".")
        states.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": states})
    return int(memory.facts["step"])
