"""What computes a network: one small record for each library that can."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.engine.backends.graphs import Tensors
from inference.engine.networks import Network
from inference.engine.weights.ensemble_file import prefix_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Weights:
    """A network with what it has learnt. tensors: of its weights file, by name, as they are stored."""

    network: Network
    tensors: Tensors

    @cached_property
    def module(self) -> "nn.Module":
        """Torch's module with these weights, in evaluation mode on the processor. Imports torch.

        Raises RuntimeError for tensors that are not the network's.
        """
        from inference.engine.backends import with_torch

        return with_torch.built(self.network, self.tensors)

    def of_member(self, number: int) -> "Weights":
        """One of an ensemble's."""
        member = self.network.members[number]
        start = prefix_of(member.name)
        own = {name.removeprefix(start): one for name, one in self.tensors.items() if name.startswith(start)}
        return Weights(member, own)


@dataclass(frozen=True)
class Passed:
    """One forward pass. logits: float64 (n, 2).

    maps: float32 (n, channels, rows, columns), where the network is cut; None where it is not.
    """

    logits: NDArray[np.float64]
    maps: NDArray[np.float32] | None


Pass = Callable[[NDArray[np.float32]], Passed]
"""Pictures (n, 1, size, size), float32, to what a network makes of them."""
Stage = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Pictures or maps to the maps or logits that a piece of a network makes of them."""


@dataclass(frozen=True)
class Backend:
    """A library that runs networks.

    opened: (weights, device, threads) -> their pass; raises WrongTensors. has_drafts: whether LIME may ask a
        faster pass that is not exact (inference.engine.explain.fast_lime).
    works_on: devices it can use.
    libraries: whose versions stand with every answer.
    """

    name: str
    opened: Callable[[Weights, str, int], Pass]
    has_drafts: bool
    works_on: frozenset[str]
    libraries: tuple[str, ...]
