"""What lies beside the head: hidden, or all that is left."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from inference.engine.head.by_skull import find_head
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined
from inference.engine.records import LABELS
from inference.formats.stack import PictureStack
from inference.training.data.examples import Source

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

    read: Callable[[], PictureStack]
    change: Change

    def __call__(self) -> PictureStack:
        """The picture, changed around the head that is found in it; as it is where none is found."""
        stack = self.read()
        head = head_of(stack)
        return self.change(stack, head) if head else stack


def head_of(stack: PictureStack) -> Ellipse | None:
    """The head of a scan's first frame, as new versions find it: learned for ultrasound, else searched."""
    frame = stack.pixels[0].astype(np.float32)
    found = find_outlined(frame) if stack.modality == "ultrasound" else find_head(frame, stack.modality)
    return found.ellipse if found else None


def headless_sources(pictures: list[Source]) -> list[Source]:
    """Each picture without its head, under either label: what lies beside a head says nothing about it.

    It stays in its picture's group.
    """
    return [
        (f"{name}#{label}-headless", label, group, Changed(read, border_only))
        for name, _, group, read in pictures
        for label in LABELS
    ]


def _shape(stack: PictureStack) -> tuple[int, int]:
    return stack.pixels.shape[1], stack.pixels.shape[2]
