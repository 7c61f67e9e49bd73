"""What lies beside the head: hidden, or all that is left."""

from dataclasses import replace

import numpy as np

from inference.engine.ellipse import Ellipse
from inference.formats.stack import PictureStack

GROWN = 1.1
"""How far the head reaches, in its own radii: the skull's outer edge is spared."""


def border_only(stack: PictureStack, head: Ellipse) -> PictureStack:
    """The picture with the head painted over in the grey of its surroundings."""
    hidden = head.grown(GROWN).mask(_shape(stack))
    pixels = stack.pixels.copy()
    pixels[:, hidden] = np.median(pixels[:, ~hidden]) if (~hidden).any() else 0
    return replace(stack, pixels=pixels)


def border_removed(stack: PictureStack, head: Ellipse, grown: float = GROWN) -> PictureStack:
    """The head on black."""
    pixels = stack.pixels.copy()
    pixels[:, ~head.grown(grown).mask(_shape(stack))] = 0
    return replace(stack, pixels=pixels)


def _shape(stack: PictureStack) -> tuple[int, int]:
    return stack.pixels.shape[1], stack.pixels.shape[2]
