"""RISE (Petsiuk et al. 2018): random soft masks, each pixel weighed by the answers it was shown in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.explain.method import GridMap, chances_of, middle_row
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel


@dataclass(frozen=True)
class Parameters:
    """cells: of a mask's coarse grid along a side; shown: share of them that are kept."""

    samples: int = 512
    cells: int = 8
    shown: float = 0.5


def explain(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,
    parameters: Mapping[str, Any],
) -> GridMap:
    """How far the probability lies above its mean where a pixel of the middle frame is shown."""
    chosen = Parameters(**parameters)
    row = middle_row(prepared)
    picture = prepared.tensor[row, 0]
    masks = _masks(chosen, picture.shape[0], seed)
    chances = chances_of(model, masks * picture, class_label)
    shown = masks.mean(axis=0)
    seen = np.tensordot(chances, masks, axes=1) / len(masks)
    values = np.where(picture != 0, seen / np.maximum(shown, 1e-6) - chances.mean(), 0)
    return GridMap(
        values=values[None].astype(np.float32),
        rows=(row,),
        signed=True,
        unit=f"change in the probability of {class_label} when shown",
        parameters=asdict(chosen),
        metrics={"samples": float(chosen.samples)},
    )


def _masks(chosen: Parameters, size: int, seed: int) -> NDArray[np.float32]:
    """Coarse random grids, made smooth and shifted by part of a cell: (samples, size, size), 0 to 1."""
    rng = np.random.default_rng(seed)
    cell = int(np.ceil(size / chosen.cells))
    coarse = rng.random((chosen.samples, chosen.cells + 2, chosen.cells + 2)) < chosen.shown
    shifts = rng.integers(0, cell, (chosen.samples, 2))
    fine = ndimage.zoom(coarse.astype(np.float32), (1, cell, cell), order=1)
    parts = [mask[y : y + size, x : x + size] for mask, (y, x) in zip(fine, shifts.tolist(), strict=True)]
    return np.stack(parts).astype(np.float32)
