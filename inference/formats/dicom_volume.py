"""The slices of a multi-frame MR file: where each one lies, and on which scale its grey levels stand.

Enhanced MR says most of it for each frame apart (PerFrameFunctionalGroupsSequence), the rest once for all
(SharedFunctionalGroupsSequence): PixelMeasuresSequence, PlanePositionSequence, PlaneOrientationSequence,
PixelValueTransformationSequence (PS3.3, C.7.6.16).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom

from inference.formats.levels import Numbers, Rescale
from inference.formats.stacking import MISSING, SAME_DIRECTION, SAME_PLACE_MM
from refusals import Refusal

GROUP_KEYWORDS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


@dataclass(frozen=True)
class Volume:
    """order: of the file's frames, along the normal of their plane. step: millimetres between them.

    orientation: ImageOrientationPatient of all of them. position: ImagePositionPatient of the first.
    """

    order: tuple[int, ...]
    step: float | None
    orientation: tuple[float, ...]
    position: tuple[float, ...]


def volume_of(dataset: pydicom.Dataset, frames: int) -> Volume | None:
    """None where the file does not say where its frames lie. Raises Refusal (`frames`).

    Refused are several pictures of one place (contrasts, echoes, phases), several orientations, and a stack
    that misses a slice: as one volume each would show what is not there.
    """
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    if len(groups) != frames:
        return None
    places = [
        numbers_of(of_frame(dataset, k, "PlanePositionSequence", "ImagePositionPatient"), 3)
        for k in range(frames)
    ]
    turns = [
        numbers_of(of_frame(dataset, k, "PlaneOrientationSequence", "ImageOrientationPatient"), 6)
        for k in range(frames)
    ]
    if any(place is None for place in places) or any(turn is None for turn in turns):
        return None
    axes = np.asarray(turns, dtype=float)
    if np.abs(axes - axes[0]).max() > SAME_DIRECTION:
        raise Refusal("frames", "The DICOM file holds slices of several orientations; send one volume.")
    normal = np.cross(axes[0, :3], axes[0, 3:])
    if not math.isclose(float(np.linalg.norm(normal)), 1.0, rel_tol=0.01):
        return None
    along = np.asarray(places, dtype=float) @ normal
    order = np.argsort(along, kind="stable")
    first = np.asarray(places, dtype=float)[order[0]]
    return Volume(
        tuple(int(frame) for frame in order),
        _step(along[order]),
        tuple(float(one) for one in axes[0]),
        tuple(float(one) for one in first),
    )


def _step(along: Numbers) -> float | None:
    """Millimetres between neighbours; None for a single slice."""
    if len(along) < 2:
        return None
    steps = np.diff(along)
    if steps.min() < SAME_PLACE_MM:
        raise Refusal(
            "frames",
            "The DICOM file shows slices more than once (contrasts, echoes or times); send one volume.",
        )
    usual = float(np.median(steps))
    if steps.max() > MISSING * usual:
        after = int(np.argmax(steps)) + 1
        raise Refusal(
            "frames", f"A slice is missing after slice {after} of the DICOM volume; send all of them."
        )
    return usual


def on_one_scale(dataset: pydicom.Dataset, frames: Numbers, recorded: Rescale) -> tuple[Numbers, Rescale]:
    """Frames whose rescale differs from frame to frame, put on one scale; the others as they are.

    recorded: the file's own rescale, for frames that state none.
    """
    return scaled(frames, [_rescale(dataset, k, recorded) for k in range(len(frames))])


def scaled(frames: Numbers, stated: Sequence[Rescale]) -> tuple[Numbers, Rescale]:
    """Frames on one scale, each with the rescale that is stated of it; those that agree stay as they are."""
    if len(set(stated)) == 1:
        return frames, stated[0]
    values = np.empty(frames.shape, dtype=np.float32)
    for target, frame, (slope, intercept) in zip(values, frames, stated, strict=True):
        target[...] = frame * np.float32(slope) + np.float32(intercept)
    return values, (1.0, 0.0)


def _rescale(dataset: pydicom.Dataset, frame: int, recorded: Rescale) -> Rescale:
    slope = of_frame(dataset, frame, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = of_frame(dataset, frame, "PixelValueTransformationSequence", "RescaleIntercept")
    values = numbers_of([slope, intercept], 2)
    return (values[0], values[1]) if values and values[0] else recorded


def of_frame(dataset: pydicom.Dataset, frame: int, sequence: str, keyword: str) -> object:
    """What the functional groups say for one frame: its own word, else the shared one; None without."""
    for groups, place in zip(reversed(GROUP_KEYWORDS), (frame, 0), strict=True):
        items = dataset.get(groups) or ()
        macro = (items[place].get(sequence) or ()) if place < len(items) else ()
        if macro and (value := value_of(macro[0], keyword)) is not None:
            return value
    return None


def value_of(dataset: pydicom.Dataset, keyword: str) -> Any:
    """A value; None where it is absent, empty, or written so that nobody can read it (a decimal comma)."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, ArithmeticError):
        return None
    return None if value is None or value == "" else value


def numbers_of(value: object, count: int) -> tuple[float, ...] | None:
    """So many finite numbers; None where a value is anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        return None
    try:
        numbers = tuple(float(one) for one in value)
    except (ValueError, TypeError):
        return None
    return numbers if all(math.isfinite(one) for one in numbers) else None
