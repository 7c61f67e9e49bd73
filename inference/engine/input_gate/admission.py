"""Which found heads a network may judge: the question is put once all of a scan's frames are prepared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from inference.engine.head.biometry import HeadBiometry, measured
from inference.engine.head.by_skull import Head
from inference.engine.head.ellipse import Ellipse
from inference.engine.input_gate.sononet_gate import (
    InputVerdict,
    hold_to,
    refuse_early,
    shipped_input_gate,
    verdict,
)
from inference.engine.input_gate.vgg16_gate import (
    CLASSES,
    frame_chances,
    head_likelihood,
    pooled,
    refuse_adult,
    shipped_gate,
)
from inference.engine.preprocessing.square_pixels import Pair, back_to_scan
from inference.engine.ventricles.anatomy import shows_brain
from inference.engine.ventricles.painter import key_painter
from inference.formats.stack import PictureStack
from refusals import Refusal

LEAST_LIKELY = 0.1
"""Probability of a head by its look below which no anatomy opens the gate."""


@dataclass(frozen=True)
class Frame:
    """A frame with its head. found: by the learned finder, or None. spacing: of its rows and columns."""

    pixels: NDArray[np.float32]
    head: Ellipse
    found: Head | None
    spacing: Pair | None


Parameters = Mapping[str, float | int | str]
"""Of the step that names a gate."""
Passed = tuple[dict[int, dict[str, float]], Refusal | None]
"""What was seen in the frames that pass, and why the last of the others does not."""


def by_scope(stack: PictureStack, frames: Mapping[int, Frame], _: int | None, __: Parameters) -> Passed:
    """A head of this modality, by the gate of VGG16's features. Slices of one volume are judged together."""
    return _looked_at(stack, frames, lambda: False)


def by_anatomy(stack: PictureStack, frames: Mapping[int, Frame], _: int | None, __: Parameters) -> Passed:
    """The same, and what the gate refuses without being sure is let in where its anatomy is a brain's."""
    return _looked_at(stack, frames, cache(lambda: _shows_brain(stack, frames)))


def _looked_at(stack: PictureStack, frames: Mapping[int, Frame], opened: Callable[[], bool]) -> Passed:
    """opened: the second key, asked only where the gate is not sure."""
    gate = shipped_gate(stack.modality)
    chances = {i: frame_chances(gate, frame.pixels, frame.head) for i, frame in frames.items()}
    if stack.is_volume:
        chances = dict.fromkeys(chances, pooled(list(chances.values())))
    kept: dict[int, dict[str, float]] = {}
    refused: Refusal | None = None
    for index, frame in frames.items():
        try:
            refuse_adult(frame.head, frame.spacing if stack.pixel_spacing else None)
            kept[index] = {"head_likelihood": head_likelihood(gate, chances[index], stack.modality)}
        except Refusal as refusal:
            likely = float(chances[index][CLASSES.index(stack.modality)])
            if refusal.code == "not_a_head" and likely >= LEAST_LIKELY and opened():
                kept[index] = {"head_likelihood": likely}
            else:
                refused = refusal
    return kept, refused


def _shows_brain(stack: PictureStack, frames: Mapping[int, Frame]) -> bool:
    """The second key, for MRI volumes alone."""
    if stack.modality != "mri" or not stack.is_volume or stack.pixel_spacing is None:
        return False
    first = next(iter(frames.values()))
    back = back_to_scan(stack.pixels.shape[1:], first.pixels.shape)
    x, y = (float(np.median([getattr(frame.head, name) for frame in frames.values()])) for name in "xy")
    at = back[:, :2] @ np.array([x, y]) + back[:, 2]
    return shows_brain(key_painter(), stack, (float(at[0]), float(at[1])))


def by_look(
    stack: PictureStack, frames: Mapping[int, Frame], age_days: int | None, parameters: Parameters
) -> Passed:
    """A fetal head in a plane with ventricles, from about 18 weeks on. Each frame of a loop for itself.

    age_days: gestational age the case states; without it head circumference says, without a scale the look.
    parameters: `gate`, the name of the gate that is asked.
    """
    gate = shipped_input_gate(str(parameters["gate"]))
    kept: dict[int, dict[str, float]] = {}
    refused: Refusal | None = None
    for index, frame in frames.items():
        if frame.found is None:
            continue
        seen = verdict(gate, frame.pixels, frame.found)
        millimetres = frame.spacing[0] if stack.pixel_spacing and frame.spacing else None
        head = measured(frame.head, millimetres) if millimetres else None
        try:
            refuse_adult(frame.head, frame.spacing if millimetres else None)
            hold_to(gate, seen)
            refuse_early(gate, seen, age_days, head)
        except Refusal as refusal:
            refused = refusal
        else:
            kept[index] = _values(seen, head)
    return kept, refused


def _values(seen: InputVerdict, head: HeadBiometry | None) -> dict[str, float]:
    values = {"head_likelihood": seen.head, "plane_likelihood": seen.plane, "early_likelihood": seen.early}
    if head is None:
        return values
    biometry = {
        "head_circumference_mm": head.head_circumference_mm,
        "biparietal_mm": head.biparietal_mm,
        "occipitofrontal_mm": head.occipitofrontal_mm,
    }
    return values | biometry
