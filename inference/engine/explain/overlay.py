"""A heatmap over its scan, for people who run the command; pages draw their own from the stored data."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engine.preprocessing.square_pixels import spacing_of, squared
from inference.engine.records import Explanation
from inference.formats.stack import PictureStack

WARM, COLD = np.array([255.0, 90.0, 0.0]), np.array([0.0, 140.0, 255.0])
OPACITY = 0.6


def overlay_png(stack: PictureStack, found: Explanation) -> bytes:
    """The explained frames side by side as PNG, in true proportions.

    Warm speaks for the class, cold against it.
    """
    heat = found.heatmap.astype(np.float32)
    strongest = max(float(np.abs(heat).max()), 1e-9)
    spacing = spacing_of(stack)
    frames = [
        blend(*(squared(one.astype(np.float32), spacing)[0].astype(np.float64) for one in pair))
        for pair in zip(stack.pixels[list(found.frames)], heat / strongest, strict=True)
    ]
    out = io.BytesIO()
    Image.fromarray(np.concatenate(frames, axis=1)).save(out, format="PNG")
    return out.getvalue()


def blend(frame: NDArray[np.float64], heat: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A frame (rows, columns) under a map of the same shape, -1 to 1: colours (rows, columns, 3)."""
    low, high = np.percentile(frame, [0.5, 99.5])
    grey = np.clip((frame - low) / max(high - low, 1e-9), 0, 1)[:, :, None] * 255
    colour = np.where(heat[:, :, None] >= 0, WARM, COLD)
    weight = OPACITY * np.abs(heat)[:, :, None]
    return np.asarray(grey * (1 - weight) + colour * weight, np.uint8)
