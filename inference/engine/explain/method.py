"""The one signature every way of explaining has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.engine.records import Label, Prepared
from inference.engine.weights import LoadedModel


@dataclass(frozen=True)
class GridMap:
    """What a method found, on the network's input grid.

    values: float32 (n, size, size); rows: which rows of the prepared tensor they belong to.
    signed: False for a share of the map's own maximum (0..1), True for weights in `unit`.
    segments: int32 (n, size, size), -1 outside the head, for methods with superpixels.
    """

    values: NDArray[np.float32]
    rows: tuple[int, ...]
    signed: bool
    unit: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)
    segments: NDArray[np.int32] | None = None


class Explainer(Protocol):
    """Explains one class for a prepared scan; the same seed and parameters give the same map."""

    def __call__(
        self,
        model: LoadedModel,
        prepared: Prepared,
        class_label: Label,
        *,
        seed: int,
        parameters: Mapping[str, Any],
    ) -> GridMap:
        """Unknown parameters raise TypeError."""
        ...
