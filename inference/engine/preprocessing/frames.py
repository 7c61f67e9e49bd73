"""Which frames of a scan an answer rests on: a stated rule, the same every time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.formats.stack import PictureStack
from refusals import Refusal

LOOP_FRAMES = 8
VOLUME_FRAMES = 5
HEIGHTS = (0.48, 0.64)
"""Share of the head's height, foot to head, between which the atria lie: measured on eight MRI volumes."""


@dataclass(frozen=True)
class FrameChoice:
    """Indices into the stack, and the rule that chose them as a sentence for people."""

    frames: tuple[int, ...]
    rule: str


def choose_frames(stack: PictureStack, requested: Sequence[int] | None = None) -> FrameChoice:
    """The frames to read. A person's own choice wins; refuses a frame that does not exist (no_such_frame)."""
    count = stack.pixels.shape[0]
    if requested:
        return _requested(requested, count)
    if count == 1:
        return FrameChoice((0,), "the only frame")
    if stack.is_volume:
        return _through_ventricles(stack.pixels)
    frames = _spread(0, count - 1, LOOP_FRAMES)
    return FrameChoice(frames, f"{len(frames)} frames spread evenly over the loop; their logits are averaged")


def _requested(requested: Sequence[int], count: int) -> FrameChoice:
    frames = tuple(sorted(set(requested)))
    if frames[0] < 0 or frames[-1] >= count:
        raise Refusal("no_such_frame", f"The scan has {count} frames, numbered from 0 to {count - 1}.")
    return FrameChoice(frames, "chosen by a person; logits of several frames are averaged")


def _through_ventricles(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> FrameChoice:
    lowest, highest = head_extent(pixels)
    low, high = (lowest + share * (highest - lowest) for share in HEIGHTS)
    frames = _spread(low, high, VOLUME_FRAMES)
    rule = (
        f"{len(frames)} axial slices between {HEIGHTS[0]:.0%} and {HEIGHTS[1]:.0%} of the head's height, "
        "where the atria lie; their logits are averaged"
    )
    return FrameChoice(frames, rule)


def head_extent(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[int, int]:
    """First and last slice whose bright area reaches a seventh of the largest one; all if none is bright."""
    thin = pixels[:, ::2, ::2].astype(np.float32)
    bright = thin > 0.2 * np.percentile(thin, 99.5)
    area = bright.mean(axis=(1, 2))
    present = np.flatnonzero(area > area.max() / 7)
    if not len(present):
        return 0, len(pixels) - 1
    return int(present[0]), int(present[-1])


def _spread(low: float, high: float, wanted: int) -> tuple[int, ...]:
    """At most `wanted` different whole numbers from low to high, evenly spread."""
    return tuple(sorted({round(float(index)) for index in np.linspace(low, high, wanted)}))
