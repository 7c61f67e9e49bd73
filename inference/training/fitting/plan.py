"""What shapes a training besides the data."""

from dataclasses import dataclass
from typing import Literal

Stem = Literal["free", "published", "phantoms"]
"""What a network's stem learns from: everything; nothing, it stays as published; phantoms alone."""


@dataclass(frozen=True)
class Plan:
    """Everything that shapes a training besides the data.

    copies: changed versions of each picture that a stem sees once when it no longer learns.
    halved: products in bfloat16.
    """

    network: str
    seed: int = 1
    folds: int = 4
    phantom_epochs: int = 20
    epochs: int = 20
    steps: int = 12
    patience: int = 6
    phantom_rate: float = 1e-3
    rate: float = 4e-4
    stem: Stem = "free"
    copies: int = 4
    halved: bool = False
