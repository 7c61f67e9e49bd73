"""Heads for the gate: real pictures, atlas slices on black or in a synthetic womb, phantoms."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inference.engine.head.by_skull import find_head
from inference.engine.head.ellipse import Ellipse, from_region
from inference.engine.preprocessing.frames import choose_frames
from inference.formats.stack import Modality, PictureStack
from inference.phantom import Phantom, render, sample_spec
from inference.phantom.others import other
from inference.training.input_gate.vgg16_gate.styles import Mask, Picture
from inference.training.synthesis.atlas import NORMAL_MM, VENTRICLES, axial, moved
from inference.training.synthesis.late import gyrified
from inference.training.synthesis.phantoms import phantom_stack

HEIGHTS = (0.34, 0.82)
"""Share of the atlas brain's height that is read as an axial section through the hemispheres."""
LATE_FOLDED = 0.4
"""Share of the late brains that are in other proportions as well."""
LEAST_VENTRICLE = 40
"""Pixels of ventricle in a slice from which its walls can be moved."""


@dataclass(frozen=True)
class HeadPicture:
    """A picture 0..1 with the ellipse of its head."""

    picture: Picture
    head: Ellipse
    modality: Modality


def real_picture(path: Path) -> HeadPicture | None:
    """A real ultrasound picture; its head is where the engine finds it, None when it finds none."""
    picture = np.asarray(Image.open(path).convert("L"), np.float32) / np.float32(255)
    found = find_head(picture * 255, "ultrasound")
    return HeadPicture(picture, found.ellipse, "ultrasound") if found else None


def phantom_picture(modality: Modality, seed: int) -> HeadPicture:
    """A phantom with a chance of defects."""
    label = ("normal", "ventriculomegaly")[seed % 2]
    rng = np.random.default_rng(seed)
    if seed % 3:
        pixels = phantom_stack(modality, label, seed).pixels[0]
        phantom = render(sample_spec(np.random.default_rng(seed)), modality, seed=seed)
    else:
        phantom = render(sample_spec(rng), modality, seed=seed)
        pixels = phantom.pixels
    return HeadPicture(np.asarray(pixels, np.float32) / np.float32(255), from_region(phantom.head), modality)


def atlas_picture(volume: Path, seed: int, *, folded: bool = False, late: bool = False) -> HeadPicture:
    """One slice of a real volume, ventricles at random width, contrast at random, on black or in a womb.

    folded: crumpled, and in other proportions and contrasts. late: with the sulci of a late brain too.
    """
    rng = np.random.default_rng([seed, *volume.name.encode()])
    brain, mask = _slice(rng, volume, late=late)
    if folded or (late and rng.random() < LATE_FOLDED):
        brain, mask = _folded(rng, brain, mask)
    brain, mask = _turned(rng, brain, mask)
    if rng.random() < 0.4:
        return _on_black(rng, brain, mask)
    return _in_womb(rng, brain, mask, int(rng.integers(2**31)))


def plain_slice(volume: Path, number: int) -> HeadPicture:
    """The slice of a real volume that the engine reads as its `number`th, unchanged."""
    picture, _, mask = atlas_volume(volume)
    pixels = np.clip(picture / picture.max() * 65535, 0, 65535).astype(np.uint16)
    stack = PictureStack(pixels, "mri", "", "nifti", "axial", slice_spacing=1.0)
    index = choose_frames(stack).frames[number]
    return HeadPicture(picture[index] / picture.max(), from_region(mask[index]), "mri")


def _slice(rng: np.random.Generator, volume: Path, *, late: bool) -> tuple[Picture, Mask]:
    picture, labels, mask = atlas_volume(volume)
    heights = np.flatnonzero(mask.any(axis=(1, 2)))
    share = float(rng.uniform(*HEIGHTS))
    index = int(heights[0] + share * (heights[-1] - heights[0]))
    level, inside = picture[index], mask[index]
    parts = labels[index]
    if rng.random() < (0.8 if late else 0.6) and (parts == VENTRICLES).sum() > LEAST_VENTRICLE:
        level, parts = moved(level, parts, float(rng.uniform(*NORMAL_MM)))
    if late:
        level, parts = gyrified(rng, level, parts)
    level = level / max(float(np.percentile(level[inside], 99)), 1e-6)
    for label in np.unique(parts):
        region = ndimage.gaussian_filter((parts == label).astype(np.float32), 0.7)
        level = level * (1 + float(rng.normal(0, 0.07)) * region)
    return np.asarray(np.clip(level, 0, 1.2), np.float32), inside


@lru_cache(maxsize=8)
def atlas_volume(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int16], NDArray[np.bool_]]:
    """Picture, labels and brain mask as (slices, rows, columns): foot to head, anterior up."""
    names = ("srr.nii.gz", "parcellation.nii.gz", "mask.nii.gz")
    picture, labels, mask = (axial(folder / name) for name in names)
    return picture, labels.astype(np.int16), (mask > 0) & (picture > 0)


def _folded(rng: np.random.Generator, brain: Picture, mask: Mask) -> tuple[Picture, Mask]:
    """Gyri and sulci the atlas lacks: places moved by a rough field, grey levels by a smooth one."""
    rows, columns = np.mgrid[: brain.shape[0], : brain.shape[1]].astype(np.float64)
    strength, width = float(rng.uniform(0.8, 3.2)), float(rng.uniform(1.8, 4.5))
    moved_by = []
    for _ in range(2):
        field = ndimage.gaussian_filter(rng.standard_normal(brain.shape), width)
        moved_by.append(strength * field / field.std())
    middle = [side / 2 for side in brain.shape]
    stretch = np.exp(rng.normal(0, 0.06, 2))
    places = [
        middle[0] + (rows - middle[0]) * stretch[0] + moved_by[0],
        middle[1] + (columns - middle[1]) * stretch[1] + moved_by[1],
    ]
    inside = ndimage.map_coordinates(mask.astype(np.float32), places, order=1) > 0.5
    level = np.clip(ndimage.map_coordinates(brain, places, order=1), 0, None)
    if rng.random() < 0.5:
        level = level ** math.exp(float(rng.normal(0, 0.4)))
    shade = ndimage.gaussian_filter(rng.standard_normal(brain.shape), 30)
    level = level * (1 + float(rng.uniform(0, 0.25)) * shade / shade.std())
    return np.asarray(np.clip(level, 0, 1.2), np.float32), np.asarray(inside)


def _turned(rng: np.random.Generator, brain: Picture, mask: Mask) -> tuple[Picture, Mask]:
    """A fetus lies at any angle a little off straight; mirrored is as good."""
    angle = float(rng.normal(0, 10))
    if rng.random() < 0.5:
        brain, mask = brain[:, ::-1], mask[:, ::-1]
    turned = ndimage.rotate(brain * mask, angle, order=1, reshape=False)
    inside = ndimage.rotate(mask.astype(np.float32), angle, order=1, reshape=False) > 0.5
    return np.asarray(turned, np.float32), np.asarray(inside)


def _on_black(rng: np.random.Generator, brain: Picture, mask: Mask) -> HeadPicture:
    """Brain-extracted, a little generously or tightly, cropped closely or with a wide margin."""
    steps = int(rng.integers(-2, 4))
    if steps < 0:
        mask = ndimage.binary_erosion(mask, iterations=-steps)
    soft = ndimage.gaussian_filter(mask.astype(np.float32), 0.5)
    rows, columns = np.nonzero(mask)
    margin = int(rng.integers(3, 45))
    top, left = max(rows.min() - margin, 0), max(columns.min() - margin, 0)
    window = slice(top, rows.max() + margin), slice(left, columns.max() + margin)
    picture, inside = (brain * soft)[window], mask[window]
    factor = 256 / max(picture.shape)
    large = np.clip(ndimage.zoom(picture, factor, order=1), 0, 1)
    head = from_region(ndimage.zoom(inside.astype(np.float32), factor, order=1) > 0.5)
    large = np.maximum(
        large + float(rng.uniform(0, 0.03)) * rng.standard_normal(large.shape) * (large > 0.02), 0
    )
    return HeadPicture(np.asarray(large, np.float32), head, "mri")


def _in_womb(rng: np.random.Generator, brain: Picture, mask: Mask, seed: int) -> HeadPicture:
    """The brain in the skull and the surroundings of a phantom, which may be a small part of the picture."""
    phantom = _womb_phantom(seed)
    base = np.asarray(phantom.pixels, np.float32) / np.float32(255)
    room = from_region(phantom.head).grown(float(rng.uniform(0.86, 0.96)))
    placed, inside = _placed(brain, mask, room, base.shape)
    fluid = float(np.percentile(placed[inside], 97)) if inside.any() else 1.0
    shape = base.shape[0], base.shape[1]
    around = np.where(room.mask(shape), fluid * float(rng.uniform(0.7, 1.0)), base)
    share = ndimage.gaussian_filter(inside.astype(np.float32), 0.8)
    picture = around + (placed - around) * share
    picture = ndimage.gaussian_filter(picture, float(rng.uniform(0.3, 1.2)))
    picture = np.clip(picture + float(rng.uniform(0, 0.05)) * rng.standard_normal(shape), 0, 1)
    whole = HeadPicture(np.asarray(picture, np.float32), from_region(phantom.head), "mri")
    chance = rng.random()
    if chance < 0.4:
        return _far_away(rng, whole, seed)
    return _cut_out(rng, whole) if chance < 0.7 else whole


def _cut_out(rng: np.random.Generator, whole: HeadPicture) -> HeadPicture:
    """Black beyond a generous mask around the head, as reconstruction from slices leaves it."""
    shape = whole.picture.shape[0], whole.picture.shape[1]
    region = whole.head.grown(float(rng.uniform(1.02, 1.4))).mask(shape)
    if rng.random() < 0.5:
        rough = ndimage.gaussian_filter(rng.standard_normal(shape), 12)
        region &= rough > -2 * rough.std()
    return replace(whole, picture=np.where(region, whole.picture, 0).astype(np.float32))


def _womb_phantom(seed: int) -> Phantom:
    """The next phantom that shows its surroundings; half of them are on black."""
    for number in range(seed, seed + 20):
        phantom = render(sample_spec(np.random.default_rng(number)), "mri", seed=number)
        if np.median(phantom.pixels[~phantom.head]) > 20:
            break
    return phantom


def _placed(brain: Picture, mask: Mask, room: Ellipse, shape: tuple[int, ...]) -> tuple[Picture, Mask]:
    """The brain moved, turned and stretched until its ellipse fills the room."""
    own = from_region(mask)
    turn = (room.angle - own.angle + np.pi / 2) % np.pi - np.pi / 2
    across, along = own.short / room.short, own.long / room.long
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    x, y = columns - room.x, rows - room.y
    u = np.cos(room.angle) * x + np.sin(room.angle) * y
    v = np.cos(room.angle) * y - np.sin(room.angle) * x
    u, v = u * along, v * across
    angle = room.angle - turn
    places = [own.y + u * np.sin(angle) + v * np.cos(angle), own.x + u * np.cos(angle) - v * np.sin(angle)]
    picture = ndimage.map_coordinates(brain, places, order=1)
    inside = ndimage.map_coordinates(mask.astype(np.float32), places, order=1) > 0.5
    return np.asarray(picture, np.float32), inside


def _far_away(rng: np.random.Generator, near: HeadPicture, seed: int) -> HeadPicture:
    """The same head as a small part of a large field of view."""
    canvas = np.asarray(other("womb", seed=seed), np.float32) / np.float32(255)
    side = canvas.shape[0]
    factor = float(rng.uniform(0.4, 0.8)) * side / near.picture.shape[0]
    small = ndimage.zoom(near.picture, factor, order=1)
    rows, columns = small.shape
    top, left = (int(rng.integers(0, side - length + 1)) for length in (rows, columns))
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    edge = np.clip((1 - np.maximum(np.abs(x), np.abs(y))) / 0.15, 0, 1)
    patch = canvas[top : top + rows, left : left + columns]
    canvas[top : top + rows, left : left + columns] = patch + (small - patch) * edge
    head = near.head.scaled(factor)
    return replace(near, picture=canvas, head=replace(head, x=head.x + left, y=head.y + top))
