"""What an action is expected to bring: the drop in decision entropy, from simulated pairs.

values.json is made by `python bench/guidance.py --fit`. Entropy is counted as bits of surprise at the head's
true label: of a calibrated answer that is its entropy in the mean, and a surely wrong one cannot hide.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from digests import sha256_hex

SHIPPED = Path(__file__).parent / "values.json"
SURE_BITS = 0.5
"""Entropy of the present answer that parts the table's bands; a probability of 0.89 has it."""

Band = Literal["sure", "unsure", "any"]


@dataclass(frozen=True)
class Values:
    """cells: {modality: {action: {finding: {band: (bits, pairs)}}}}. sha256: of the file."""

    cells: Mapping[str, Mapping[str, Mapping[str, Mapping[str, tuple[float, int]]]]]
    sha256: str

    def expected(self, modality: str, action: str, finding: str, band: Band) -> float | None:
        """Mean drop in bits; None for what was never simulated."""
        cell = self.cells.get(modality, {}).get(action, {}).get(finding, {}).get(band)
        return None if cell is None else cell[0]


@cache
def values(path: Path = SHIPPED) -> Values:
    """The shipped table."""
    content = path.read_bytes()
    return Values(json.loads(content)["cells"], sha256_hex(content))


def entropy(probability: float) -> float:
    """Bits of a call at this probability, 0 to 1."""
    if not 0 < probability < 1:
        return 0.0
    return -(probability * math.log2(probability) + (1 - probability) * math.log2(1 - probability))


def band_of(probability: float | None) -> Band:
    """Whether the present answer is sure; "any" while there is none, or it may not be told."""
    if probability is None:
        return "any"
    return "unsure" if entropy(probability) >= SURE_BITS else "sure"
