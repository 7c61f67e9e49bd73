"""The one signature every way of explaining has."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.engine.backends import Passed
from inference.engine.predict import calibrated, frame_logits, passed
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel

Floats = NDArray[np.float64]
BATCH = 32
"""Changed pictures that go through a network at once."""


class CannotExplain(TypeError):
    """The method has nothing to hold on to in this network; the sentence says what is missing."""


Tell = Callable[[str], None]
_listener: ContextVar[Tell | None] = ContextVar("_listener", default=None)


@contextmanager
def telling(listener: Tell) -> Iterator[None]:
    """While a method runs inside, `listener` hears what it tells."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(words: str) -> None:
    """Say how far this method is, to whoever listens; a long one says it now and then."""
    if listener := _listener.get():
        listener(words)


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
        """Unknown parameters raise TypeError; a network the method does not suit CannotExplain."""
        ...


def cut_pass(model: LoadedModel, prepared: Prepared) -> tuple[Passed, NDArray[np.float32]]:
    """One pass of a prepared scan, and the maps it gave. Raises CannotExplain."""
    if not model.network.gradcam_layer:
        raise CannotExplain("An ensemble has no layer of its own to look at: its members have.")
    found = passed(model, prepared.tensor)
    if found.maps is None:
        raise CannotExplain("The backend keeps no maps of this network.")
    return found, found.maps


def middle_row(prepared: Prepared) -> int:
    """The row of the frame that methods explain which change pictures many times."""
    return len(prepared.frames) // 2


def chances_of(model: LoadedModel, pictures: NDArray[np.float32], class_label: Label) -> Floats:
    """Calibrated probabilities (n,) of a class for pictures (n, size, size)."""
    parts = [
        frame_logits(model, pictures[start : start + BATCH, None]) for start in range(0, len(pictures), BATCH)
    ]
    chances = calibrated(np.concatenate(parts), model.record.temperature)
    return np.asarray(chances[:, model.record.labels.index(class_label)])
