"""Whether a volume shows a fetal brain by its anatomy: a second key to a gate that knows looks.

The gate of MRI (inference.engine.input_gate.vgg16_gate) knows heads by what they look like, and has met none
of a late normal brain. A network that was taught in every contrast finds the parts instead: one brain,
thalami in its middle, two ventricles that answer each other across the midline. What shows them all, in one
plane, is a brain, however folded its mantle is. (docs/decisions/0042)
"""

import math
from collections.abc import Sequence

import numpy as np

from inference.engine.preprocessing.frames import choose_frames
from inference.engine.ventricles.calipers import Painted, Plane, atrial_plane
from inference.engine.ventricles.painter import Painter, levels_of, painted
from inference.formats.stack import PictureStack

BRAIN_MM2 = (1400.0, 11000.0)
"""Area of a brain in the plane of the thalami: about 20 to 40 weeks, with its outer fluid."""
THALAMI_MM2 = 90.0
FILLED = 0.88
"""Share of the brain's ellipse that is painted as brain, and of the paint that lies within it."""
ASKEW = 2.2
"""Greatest ratio of one atrium's width to the other's."""
AMISS = 0.28
"""How far, in half lengths of the brain, an atrium may lie from the mirror image of the other."""
MIDDLE = 0.35
"""How far from the brain's middle, in half lengths, the thalami may lie."""
SURE = 0.8
"""Least mean probability of ventricle within the circle of either atrium."""


def shows_brain(painter: Painter, stack: PictureStack, middle: tuple[float, float]) -> bool:
    """Whether brain, thalami and both ventricles lie as they do in a fetal head.

    middle: (x, y) of the found head in the scan's own pixels. False without a scale: sizes are asked for.
    """
    if stack.pixel_spacing is None:
        return False
    levels = levels_of(stack) if stack.is_volume else choose_frames(stack).frames
    slices, _ = painted(painter.look, stack, levels, middle)
    plane = atrial_plane(slices)
    return plane is not None and is_brain(slices, plane)


def is_brain(slices: Sequence[Painted], plane: Plane) -> bool:
    """Whether every part of a fetal brain shows in a plane, where it belongs and of a fetus's size."""
    seen, brain = slices[plane.index], plane.brain
    paint = seen.brain > 0.5
    inside = brain.mask((paint.shape[0], paint.shape[1]))
    area = float(paint.sum()) * seen.mm**2
    both = float((paint & inside).sum())
    filled = min(both / max(float(inside.sum()), 1.0), both / max(float(paint.sum()), 1.0))
    return (
        BRAIN_MM2[0] <= area <= BRAIN_MM2[1]
        and seen.deep_mm2 >= THALAMI_MM2
        and filled >= FILLED
        and _thalami_in_the_middle(seen, plane)
        and _ventricles_answer_each_other(plane)
    )


def _thalami_in_the_middle(seen: Painted, plane: Plane) -> bool:
    rows, columns = np.nonzero(seen.deep_grey > 0.5)
    away = math.hypot(float(columns.mean()) - plane.brain.x, float(rows.mean()) - plane.brain.y)
    return away <= MIDDLE * plane.brain.long


def _ventricles_answer_each_other(plane: Plane) -> bool:
    if len(plane.calipers) < 2 or min(one.chance for one in plane.calipers) < SURE:
        return False
    widths = [one.width_mm for one in plane.calipers]
    if max(widths) > ASKEW * min(widths):
        return False
    cos, sin = math.cos(plane.brain.angle), math.sin(plane.brain.angle)
    places = []
    for one in plane.calipers:
        x = (one.inner[0] + one.outer[0]) / 2 - plane.brain.x
        y = (one.inner[1] + one.outer[1]) / 2 - plane.brain.y
        places.append((x * cos + y * sin, y * cos - x * sin))
    (along, across), (along_too, across_too) = places
    amiss = math.hypot(along - along_too, across + across_too)
    return amiss <= AMISS * plane.brain.long
