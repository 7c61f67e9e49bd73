"""Real heads whose atrium is made wider, or stays about as it was: ventricles with a real picture's walls.

Ventricles that are drawn in (`synthetic_ventricles`) have thin outlines and a speckled plexus, and look like
cartoons beside real ones. Where calipers on a real normal atrium are known (inference.training.atrium),
its own walls are moved instead: the width is known, and everything else is as the machine showed it.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engine.atrium.grids import COLUMNS, HEAD, ROWS, pose, upright
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined
from inference.engine.records import Label
from inference.formats.stack import PictureStack
from inference.training.atrium.dilate import dilation, painted
from inference.training.atrium.material import marks
from inference.training.data.examples import Source
from inference.training.synthesis.border import border_removed

Picture = NDArray[np.float32]

AS_IT_IS = 0.25
"""Share of the normal ones whose width stays what it was."""
NORMAL, WIDE = (0.7, 1.25), (1.7, 3.4)
"""Widths in units of the head's own, which is a normal one: 6.4 mm at every age, 1.2 mm more or less."""
NORMAL_MM, WIDE_MM = (4.0, 9.0), (11.0, 22.0)
"""The same where a pixel's size is known."""
BOTH: tuple[Label, ...] = ("normal", "ventriculomegaly")
STRETCH = 0.12
"""Along the head's long axis, as a logarithm: the aspect of many frames is not known."""
BARE = (1.02, 1.3)


def dilated_sources(pictures: list[Source], each: int, seed: int, *, bare: bool = False) -> list[Source]:
    """`each` of either label of every normal picture with calipers; they stay in its picture's group.

    bare: every other one of each label is a head on black.
    """
    known, found = marks(), list[Source]()
    for name, _, group, read in pictures:
        caliper = known.get(name)
        if caliper is None:
            continue
        for number in range(each):
            for label in BOTH:
                own = seed * 1_000_003 + len(found)
                alone = bare and number % 2 == 1
                made = partial(dilated_stack, read, caliper, label, own, bare=alone)
                found.append((f"{name}#{label}-dilated-{number}{'-bare' * alone}", label, group, made))
    return found


def dilated_stack(
    read: Callable[[], PictureStack],
    caliper: NDArray[np.float64],
    label: Label,
    seed: int,
    *,
    bare: bool = False,
) -> PictureStack:
    """The head upright, its far atrium of the label's width; equal arguments give equal pixels.

    caliper: (2, 2), inner and outer end, (x, y) in pixels of the picture. The picture as it is where no head
    is found in it.
    """
    stack = read()
    frame = stack.pixels[0].astype(np.float32)
    head = find_outlined(frame)
    if head is None:
        return stack
    rng = np.random.default_rng(seed)
    lie, crop = pose(head.ellipse), upright(frame, head.ellipse)
    ends = lie.to_crop(caliper)
    before = float(np.hypot(*(ends[1] - ends[0])))
    mm = stack.pixel_spacing[0] * lie.pixel if stack.pixel_spacing else None
    change = dilation(ends, head.ellipse.aspect, _width(label, before, mm, rng), rng)
    x, y = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    seen = painted(crop, change.layout(np.stack([x, y], -1).astype(np.float64)), change, rng)
    drawn = replace(stack, pixels=_stretched(seen, rng)[None], pixel_spacing=None)
    if not bare:
        return drawn
    columns = drawn.pixels.shape[2]
    along = HEAD / 2 * columns / COLUMNS
    there = Ellipse((columns - 1) / 2, (ROWS - 1) / 2, along, HEAD / 2 * head.ellipse.aspect, 0.0)
    return border_removed(drawn, there, float(rng.uniform(*BARE)))


def _width(label: Label, before: float, mm: float | None, rng: np.random.Generator) -> float:
    """Crop pixels. mm: of a crop pixel, where it is known."""
    if label == "normal" and rng.random() < AS_IT_IS:
        return before
    if mm is not None:
        low, high = (end / mm for end in (NORMAL_MM if label == "normal" else WIDE_MM))
    else:
        low, high = (end * before for end in (NORMAL if label == "normal" else WIDE))
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _stretched(seen: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    wide = round(seen.shape[1] * math.exp(rng.uniform(-STRETCH, STRETCH)))
    image = Image.fromarray(np.clip(np.round(seen), 0, 255).astype(np.uint8))
    return np.array(image.resize((wide, seen.shape[0]), Image.Resampling.BILINEAR))
