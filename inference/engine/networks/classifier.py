"""What a network does with the maps that Grad-CAM weighs, and its slopes there: a few layers, by hand.

Automatic differentiation would give the same numbers, and needs torch; tests hold these to torch's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
Back = Callable[[Floats], Floats]
"""Slopes at a layer's end to slopes at its beginning."""
PAIR = 2


@dataclass(frozen=True)
class MaxPool:
    """The greatest of each 2 x 2 places, the first of equal ones."""

    def run(self, shown: Floats, _: Tensors) -> tuple[Floats, Back]:
        """(n, channels, rows, columns) to half of the rows and columns."""
        n, channels, rows, columns = shown.shape
        half = rows // PAIR, columns // PAIR
        whole = shown[:, :, : half[0] * PAIR, : half[1] * PAIR]
        windows = whole.reshape(n, channels, half[0], PAIR, half[1], PAIR).transpose(0, 1, 2, 4, 3, 5)
        flat = windows.reshape(n, channels, *half, PAIR * PAIR)
        first = flat.argmax(axis=-1)[..., None]

        def back(slopes: Floats) -> Floats:
            spread = np.zeros_like(flat)
            np.put_along_axis(spread, first, slopes[..., None], axis=-1)
            placed = spread.reshape(n, channels, *half, PAIR, PAIR).transpose(0, 1, 2, 4, 3, 5)
            found = np.zeros_like(shown)
            found[:, :, : half[0] * PAIR, : half[1] * PAIR] = placed.reshape(whole.shape)
            return found

        return np.take_along_axis(flat, first, axis=-1)[..., 0], back


@dataclass(frozen=True)
class Mean:
    """The mean over all places."""

    def run(self, shown: Floats, _: Tensors) -> tuple[Floats, Back]:
        """(n, channels, rows, columns) to (n, channels)."""
        places = np.float32(shown[0, 0].size)

        def back(slopes: Floats) -> Floats:
            return np.broadcast_to((slopes / places)[..., None, None], shown.shape)

        return shown.mean(axis=(2, 3)), back


@dataclass(frozen=True)
class MeanAndMax:
    """The means over all places, then the maxima; equal maxima share their slope."""

    def run(self, shown: Floats, _: Tensors) -> tuple[Floats, Back]:
        """(n, channels, rows, columns) to (n, 2 channels)."""
        means, back_of_means = Mean().run(shown, {})
        maxima = shown.max(axis=(2, 3))
        highest = shown == maxima[..., None, None]
        share = highest / highest.sum(axis=(2, 3), keepdims=True).astype(np.float32)

        def back(slopes: Floats) -> Floats:
            of_means, of_maxima = np.split(slopes, 2, axis=1)
            return np.asarray(back_of_means(of_means) + share * of_maxima[..., None, None], np.float32)

        return np.concatenate([means, maxima], axis=1), back


@dataclass(frozen=True)
class Flat:
    """All channels and places in a row."""

    def run(self, shown: Floats, _: Tensors) -> tuple[Floats, Back]:
        """(n, channels, rows, columns) to (n, all)."""
        return shown.reshape(len(shown), -1), lambda slopes: slopes.reshape(shown.shape)


@dataclass(frozen=True)
class Dense:
    """A linear layer by the name of its tensors. rectified: what is below 0 becomes 0."""

    name: str
    rectified: bool = False

    def run(self, shown: Floats, tensors: Tensors) -> tuple[Floats, Back]:
        """(n, before) to (n, after)."""
        weight, bias = (tensors[f"{self.name}.{part}"].astype(np.float32) for part in ("weight", "bias"))
        found = shown @ weight.T + bias
        if not self.rectified:
            return found, lambda slopes: slopes @ weight
        return np.maximum(found, 0), lambda slopes: (slopes * (found > 0)) @ weight


Layer = MaxPool | Mean | MeanAndMax | Flat | Dense


def slopes_of(layers: Sequence[Layer], tensors: Tensors, maps: Floats, index: int) -> Floats:
    """Of the logit of one class by the maps (n, channels, rows, columns), in their shape."""
    backs: list[Back] = []
    shown = maps
    for layer in layers:
        shown, back = layer.run(shown, tensors)
        backs.append(back)
    slopes = np.zeros_like(shown)
    slopes[:, index] = 1
    for back in reversed(backs):
        slopes = back(slopes)
    return slopes
