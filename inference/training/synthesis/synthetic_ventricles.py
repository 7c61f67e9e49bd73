"""Ventricles drawn into real ultrasound pictures, so that no source belongs to one label.

Every ventriculomegaly picture at hand comes from another machine than every normal one, and a network
learns the machine. Here a real normal head receives ventricles of a phantom's anatomy, wide or narrow,
by one and the same brush: both labels then exist on one machine, and only the width tells them apart.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.head.ellipse import Ellipse
from inference.engine.records import Label
from inference.formats.stack import PictureStack
from inference.phantom import HeadSpec, sample_spec
from inference.phantom.geometry import Points, head_distance
from inference.phantom.tissue import ventricle_pair
from inference.training.data.examples import Source
from inference.training.synthesis.border import border_removed, head_of

WALL_MM = 0.6
EDGE_MM = 0.5
FAINT = 25.0
"""Grey levels: what is drawn must show even in a picture that is nearly black."""
BARE = (1.02, 1.3)
"""How far a bare head reaches, in its own radii."""

Picture = NDArray[np.float32]


def grafted_sources(normals: list[Source], each: int, seed: int, *, bare: bool = False) -> list[Source]:
    """`each` grafts of either label on every normal picture; a graft stays in its picture's group.

    bare: every other graft of each label is a head on black.
    """
    labels: tuple[Label, ...] = ("normal", "ventriculomegaly")
    found: list[Source] = []
    for name, _, group, read in normals:
        for number in range(each):
            for label in labels:
                own = seed * 1_000_003 + len(found)
                alone = bare and number % 2 == 1
                found.append(
                    (
                        f"{name}#{label}-{number}{'-bare' * alone}",
                        label,
                        group,
                        partial(grafted_stack, read, label, own, bare=alone),
                    )
                )
    return found


def grafted_stack(
    read: Callable[[], PictureStack], label: Label, seed: int, *, bare: bool = False
) -> PictureStack:
    """The picture with ventricles of the label drawn into its head; equal arguments give equal pixels.

    bare: nothing is left beside the head, so that where it ends does not depend on its surroundings.
    """
    stack = read()
    picture = stack.pixels[0].astype(np.float32)
    head = head_of(stack)
    if head is None:
        return stack
    rng = np.random.default_rng(seed)
    drawn = graft(picture, head, sample_spec(rng, label=label), rng)
    found = replace(stack, pixels=np.clip(drawn, 0, 255).astype(np.uint8)[None])
    return border_removed(found, head, float(rng.uniform(*BARE))) if bare else found


def graft(picture: Picture, head: Ellipse, spec: HeadSpec, rng: np.random.Generator) -> Picture:
    """Fluid, walls and choroid plexus of a spec's ventricles in a head of the picture (rows, columns)."""
    at = _head_points(picture.shape, head, spec, rng)
    wall, choroid = ventricle_pair(spec, head_distance(spec, at), at)
    inside = picture[head.mask((picture.shape[0], picture.shape[1]))]
    seen = _seen(picture.shape, head, rng)
    fine = picture - ndimage.gaussian_filter(picture, 1.5)
    fluid = np.percentile(inside, rng.uniform(1, 20)) + rng.uniform(0.1, 0.6) * fine
    drawn = picture + seen * _share(wall) * (fluid - picture)
    drawn = drawn + seen * _walls(wall, inside, rng)
    grain = ndimage.gaussian_filter(rng.standard_normal(picture.shape), 1.0) * 1.5
    bright = max(float(np.percentile(inside, rng.uniform(80, 97))), FAINT)
    plexus = bright * (1 + grain) + rng.uniform(0.5, 1.2) * fine
    drawn = drawn + seen * rng.uniform(0.4, 1.0) * _share(choroid) * (plexus - drawn)
    return np.asarray(np.maximum(drawn, 0), np.float32)


def _head_points(shape: tuple[int, ...], head: Ellipse, spec: HeadSpec, rng: np.random.Generator) -> Points:
    """Where each pixel lies in the spec's head, mm, fitted to the ellipse; front and side by chance."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    dx, dy = columns - head.x, rows - head.y
    cos, sin = np.cos(head.angle), np.sin(head.angle)
    front, side = rng.choice((-1.0, 1.0), 2)
    along = front * (dx * cos + dy * sin) / head.long * spec.occipitofrontal_mm / 2
    across = side * (dy * cos - dx * sin) / head.short * spec.biparietal_mm / 2
    return Points(across.astype(np.float32), along.astype(np.float32), np.zeros(shape, np.float32))


def _seen(shape: tuple[int, ...], head: Ellipse, rng: np.random.Generator) -> Picture:
    """How clearly each place shows, 0 to 1: the half nearer to the probe is hidden by reverberation."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    heading = rng.normal(np.pi / 2, 0.5)
    depth = ((columns - head.x) * np.cos(heading) + (rows - head.y) * np.sin(heading)) / head.short
    near = rng.uniform(0.1, 1.0)
    return np.asarray(near + (1 - near) / (1 + np.exp(-8 * depth)), np.float32) * rng.uniform(0.75, 1.0)


def _share(distance: Picture) -> Picture:
    """1 inside a shape, 0 outside, soft over its edge."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / EDGE_MM * 2, -30, 30))), np.float32)


def _walls(wall: Picture, inside: Picture, rng: np.random.Generator) -> Picture:
    """Bright lines where the wall lies across the beam."""
    down, right = np.gradient(wall)
    heading = rng.normal(np.pi / 2, 0.5)
    facing = (down * np.sin(heading) + right * np.cos(heading)) ** 2 / (down**2 + right**2 + 1e-6)
    bright, middle = np.percentile(inside, [95, 40])
    height = rng.uniform(0.3, 1.2) * max(float(bright - middle), FAINT)
    return np.asarray(height * facing * np.exp(-((wall / WALL_MM) ** 2)), np.float32)
