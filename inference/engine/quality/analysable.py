"""Whether a frame can be analysed at all, with the reason in one sentence when it cannot."""

import math

import numpy as np
from numpy.typing import NDArray

from inference.engine.head.by_skull import Head
from refusals import Refusal

MIN_SIDE = 64
MIN_CONTRAST = 0.05
MIN_HEAD_SCORE = 0.28
MIN_OUTLINE_SCORE = 0.75
"""Real heads have 0.87 and more; paint that is no ellipse is no head."""
SMALL_HEAD = 0.25
SMALL_HEAD_DEMAND = 1.5
"""A ring shorter than SMALL_HEAD of the picture's side arises by chance, so it must show more evidence."""


def frame_contrast(frame: NDArray[np.float32]) -> float:
    """Spread of the middle 98 % of pixels over the brightest of them, 0 to 1. Refuses what shows nothing.

    Codes: too_small, blank, no_contrast.
    """
    if min(frame.shape) < MIN_SIDE:
        raise Refusal(
            "too_small",
            f"The picture is {frame.shape[1]} x {frame.shape[0]} pixels; each side needs {MIN_SIDE} or more.",
        )
    darkest, low, high = np.percentile(frame, [0.0, 1.0, 99.0])
    if frame.max() == darkest:
        raise Refusal("blank", "Every pixel has the same value: the picture is blank.")
    contrast = float((high - low) / max(high, 1e-9))
    if contrast < MIN_CONTRAST:
        raise Refusal("no_contrast", "The picture has almost no contrast, so no head can be seen.")
    return contrast


def refuse_coarse_slices(
    spacing: tuple[float, float], head_mm: float, *, coarsest_mm: float, least_across: int
) -> None:
    """Refuses an axial view whose pixels are long because the slices were acquired in another plane.

    spacing: mm between its rows (coronal slices) and its columns (sagittal ones); the longer is the gap.
    head_mm: how far the head reaches across the slices. Code: coarse_slices.
    """
    gap, most = max(spacing), min(coarsest_mm, head_mm / least_across)
    if gap <= most:
        return
    least = math.floor(10 * most) / 10
    if spacing[0] > spacing[1]:
        raise Refusal(
            "coarse_slices",
            f"The coronal slices lie {gap:.1f} mm apart, too far to show ventricles of this head in an "
            f"axial view: acquire axial slices, or coronal ones at most {least:.1f} mm apart.",
        )
    raise Refusal(
        "coarse_slices",
        f"The sagittal slices lie {gap:.1f} mm apart, too far to show ventricles of this head in an "
        f"axial view: acquire axial slices, or sagittal ones at most {least:.1f} mm apart.",
    )


def outline_quality(head: Head | None, shape: tuple[int, int]) -> dict[str, float]:
    """As head_quality, for the learned finder, whose score is how well its paint is an ellipse."""
    if head is None or head.score < MIN_OUTLINE_SCORE:
        raise Refusal("no_head", "No fetal head was found in the picture.")
    return {
        "head_score": head.score,
        "head_coverage": head.coverage,
        "head_share": float(head.ellipse.mask(shape).mean()),
    }


def head_quality(head: Head | None, shape: tuple[int, int]) -> dict[str, float]:
    """Measured values of a found head; refuses with code no_head when it is not convincing."""
    if head is None:
        raise Refusal("no_head", "No fetal head was found in the picture.")
    length = head.ellipse.long / max(shape)
    demand = MIN_HEAD_SCORE + SMALL_HEAD_DEMAND * max(0.0, SMALL_HEAD - length)
    if head.score < demand:
        raise Refusal("no_head", "No outline convincing enough for a fetal head was found in the picture.")
    return {
        "head_score": head.score,
        "head_coverage": head.coverage,
        "head_share": float(head.ellipse.mask(shape).mean()),
    }
