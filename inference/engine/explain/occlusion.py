"""Occlusion (Zeiler and Fergus 2014): a grey square wanders over the head, and the answer is asked again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inference.engine.explain.method import GridMap, chances_of, middle_row
from inference.engine.records import Label, Prepared
from inference.engine.weights.loaded_model import LoadedModel


@dataclass(frozen=True)
class Parameters:
    """side, stride: of the square, in pixels of the input; hidden: its grey, 0 is the head's middle."""

    side: int = 24
    stride: int = 8
    hidden: float = 0.0


def explain(
    model: LoadedModel,
    prepared: Prepared,
    class_label: Label,
    *,
    seed: int,  # noqa: ARG001 - nothing is drawn at random
    parameters: Mapping[str, Any],
) -> GridMap:
    """Mean drop of the probability when a pixel of the middle frame is covered."""
    chosen = Parameters(**parameters)
    row = middle_row(prepared)
    picture = prepared.tensor[row, 0]
    spots = [spot for spot in _squares(picture.shape[0], chosen) if (picture[spot] != 0).any()]
    covered = np.repeat(picture[None], len(spots) + 1, axis=0)
    for number, spot in enumerate(spots):
        covered[number][spot] = np.where(picture[spot] != 0, np.float32(chosen.hidden), 0)
    chances = chances_of(model, covered, class_label)
    drops, times = np.zeros(picture.shape), np.zeros(picture.shape)
    for spot, chance in zip(spots, chances[:-1], strict=True):
        drops[spot] += chances[-1] - chance
        times[spot] += 1
    values = np.where(picture != 0, drops / np.maximum(times, 1), 0)
    return GridMap(
        values=values[None].astype(np.float32),
        rows=(row,),
        signed=True,
        unit=f"drop in the probability of {class_label} when covered",
        parameters=asdict(chosen),
        metrics={"squares": float(len(spots)), "prediction": float(chances[-1])},
    )


def _squares(size: int, chosen: Parameters) -> list[tuple[slice, slice]]:
    """Where the square stands, edges included, so that every pixel is covered as often."""
    corners = range(-chosen.side + chosen.stride, size, chosen.stride)
    spans = [slice(max(corner, 0), corner + chosen.side) for corner in corners]
    return [(down, across) for down in spans for across in spans]
