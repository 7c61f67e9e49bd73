"""What computes a network: one small record for each library that can."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn


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

    opened: (module in evaluation mode, device, threads) -> its pass. drafted: a piece of a network that is
        faster and not exact, out of what it will be shown, to set its scales by; None where there is none.
    works_on: devices it can use.
    libraries: whose versions stand with every answer.
    """

    name: str
    opened: Callable[[nn.Module, str, int], Pass]
    drafted: Callable[[nn.Module, NDArray[np.float32], int], Stage] | None
    works_on: frozenset[str]
    libraries: tuple[str, ...]
