"""What lies beside the head: hidden, or all that is left."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference.engine.ellipse import Ellipse
from inference.engine.head import find_head
from inference.engine.records import LABELS
from inference.formats.stack import PictureStack
from inference.training.data import Source, picture_stack

Change = Callable[[PictureStack, Ellipse], PictureStack]

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


@dataclass(frozen=True)
class Changed:
    """A picture read and changed when it is needed; a class, because other processes must receive it."""

    path: Path
    change: Change

    def __call__(self) -> PictureStack:
        """The picture, changed around the head that is found in it; as it is where none is found."""
        stack = picture_stack(self.path)
        head = find_head(stack.pixels[0].astype(np.float32), stack.modality)
        return self.change(stack, head.ellipse) if head else stack


def headless_sources(folder: Path, pictures: list[Source]) -> list[Source]:
    """Each picture without its head, under either label: what lies beside a head says nothing about it.

    It stays in its picture's group.
    """
    return [
        (f"{name}#{label}-headless", label, group, Changed(folder / name, border_only))
        for name, _, group, _ in pictures
        for label in LABELS
    ]


def _shape(stack: PictureStack) -> tuple[int, int]:
    return stack.pixels.shape[1], stack.pixels.shape[2]
