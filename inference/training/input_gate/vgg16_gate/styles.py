"""Other machines, other screens, other crops: changes that leave a head a head and a non-head a non-head.

Every class gets the same changes with the same chances, so that no look belongs to one class. Pictures are
float32 0..1 (rows, columns); a mask travels along through what moves pixels.
"""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from inference.formats.stack import Modality

Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]
SIDES = (200, 256, 256, 320)


def styled(
    rng: np.random.Generator, picture: Picture, mask: Mask | None, modality: Modality
) -> tuple[Picture, Mask | None]:
    """One picture as another machine, person or archive might have delivered it."""
    if rng.random() < 0.75:
        picture, mask = _moved(rng, picture, mask, 25 if modality == "ultrasound" else 14)
    picture = _resolved(rng, picture)
    if modality == "ultrasound" and rng.random() < 0.4:
        picture = _speckled(rng, picture)
    picture = _toned(rng, picture)
    if modality == "ultrasound" and rng.random() < 0.25:
        picture = _fanned(rng, picture)
    if rng.random() < (0.5 if modality == "ultrasound" else 0.1):
        picture = annotated(rng, picture)
    if rng.random() < 0.4:
        picture = _compressed(rng, picture)
    return picture, mask


def _moved(
    rng: np.random.Generator, picture: Picture, mask: Mask | None, turn: float
) -> tuple[Picture, Mask | None]:
    """Zoom, aspect, turn, shift and another shape of frame; what was outside the frame is flat."""
    rows, columns = int(rng.choice(SIDES)), int(rng.choice(SIDES))
    zoom = (
        math.exp(float(rng.uniform(math.log(0.55), math.log(1.4)))) * max(rows, columns) / max(picture.shape)
    )
    stretch, angle = math.exp(float(rng.normal(0, 0.06))), math.radians(float(rng.normal(0, turn / 2)))
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    matrix = np.array([[cos * stretch, -sin], [sin, cos / stretch]])
    shift = rng.normal(0, 0.06, 2) * picture.shape
    middle = np.array(picture.shape) / 2 + shift
    offset = middle - matrix @ (np.array([rows, columns]) / 2)
    fill = float(rng.choice([0.0, float(picture.min()), float(np.median(picture[:4]))]))
    soft = ndimage.gaussian_filter(picture, 0.4 * max(1 / zoom - 1, 0))
    args = {"offset": offset, "output_shape": (rows, columns), "order": 1}
    moved = ndimage.affine_transform(soft, matrix, cval=fill, **args)
    if mask is not None:
        mask = ndimage.affine_transform(mask.astype(np.float32), matrix, cval=0.0, **args) > 0.5
    return np.asarray(moved, np.float32), mask


def _resolved(rng: np.random.Generator, picture: Picture) -> Picture:
    """Blurred, or stored small and shown large, or sharpened."""
    chance = rng.random()
    if chance < 0.3:
        return np.asarray(ndimage.gaussian_filter(picture, float(rng.uniform(0.3, 1.8))), np.float32)
    if chance < 0.5:
        rows, columns = picture.shape
        factor = float(rng.uniform(1.2, 2.6))
        image = Image.fromarray(picture).resize(
            (int(columns / factor), int(rows / factor)), Image.Resampling.BILINEAR
        )
        return np.asarray(image.resize((columns, rows), Image.Resampling.BICUBIC), np.float32)
    if chance < 0.65:
        soft = ndimage.gaussian_filter(picture, 1.5)
        return np.asarray(
            np.clip(picture + float(rng.uniform(0.3, 1.2)) * (picture - soft), 0, 1), np.float32
        )
    return picture


def _speckled(rng: np.random.Generator, picture: Picture) -> Picture:
    grain = ndimage.gaussian_filter(rng.standard_normal(picture.shape), rng.uniform(0.4, 1.8, 2))
    grain = grain / (grain.std() + 1e-9)
    return np.asarray(np.clip(picture * (1 + float(rng.uniform(0.05, 0.4)) * grain), 0, 1), np.float32)


def _toned(rng: np.random.Generator, picture: Picture) -> Picture:
    """Gain, curve, slow shading, noise."""
    low, high = np.percentile(picture, [float(rng.uniform(0, 6)), float(rng.uniform(96, 100))])
    level = np.clip((picture - low) / max(float(high - low), 1e-3), 0, 1)
    level = level ** math.exp(float(rng.normal(0, 0.35)))
    rough = rng.normal(0, 0.12, (3, 3))
    shade = ndimage.zoom(rough, (picture.shape[0] / 3, picture.shape[1] / 3), order=1)
    level = level * (1 + _fitted(shade, picture.shape)) + float(rng.uniform(0, 0.04)) * rng.standard_normal(
        picture.shape
    )
    lift = float(rng.uniform(0, 0.15)) if rng.random() < 0.3 else 0.0
    return np.asarray(np.clip(lift + (1 - lift) * level, 0, 1), np.float32)


def _fitted(table: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Rounding may leave a zoomed table a row short."""
    missing = [(0, max(0, want - have)) for want, have in zip(shape, table.shape, strict=True)]
    return np.pad(table, missing, mode="edge")[: shape[0], : shape[1]]


def _fanned(rng: np.random.Generator, picture: Picture) -> Picture:
    """Another fan: corners beyond its sides and its far end are black or grey."""
    rows, columns = np.mgrid[0 : 1 : picture.shape[0] * 1j, 0 : 1 : picture.shape[1] * 1j]
    apex = float(rng.normal(0.5, 0.06)), -float(rng.uniform(0.1, 0.8))
    radius = np.hypot(rows - apex[1], columns - apex[0])
    angle = np.abs(np.arctan2(columns - apex[0], rows - apex[1]))
    inside = (angle < float(rng.uniform(0.5, 0.8))) & (radius < float(rng.uniform(1.0, 1.15)) - apex[1])
    inside &= radius > -apex[1] + float(rng.uniform(-0.1, 0.05))
    grey = 0.0 if rng.random() < 0.7 else float(rng.uniform(0, 0.3))
    return np.where(inside, picture, grey).astype(np.float32)


def annotated(rng: np.random.Generator, picture: Picture) -> Picture:
    """Text, ticks, calipers, a dotted ellipse or line, a grey bar: what machines and people draw."""
    image = Image.fromarray((picture * 255).astype(np.uint8))
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(int(rng.integers(0, 4))):
        words = "".join(
            rng.choice(list("ABCDEGHILMNOPRST0123456789.:/ ")) for _ in range(int(rng.integers(3, 14)))
        )
        edge = int(rng.choice([2, height - 16])) if rng.random() < 0.7 else int(rng.integers(0, height))
        font = ImageFont.load_default(int(rng.integers(8, 15)))
        draw.text((int(rng.integers(0, width)) - 20, edge), words, int(rng.integers(120, 255)), font)
    if rng.random() < 0.4:
        side, step = int(rng.choice([3, width - 6])), float(rng.uniform(8, 30))
        for k in range(int(height / step)):
            draw.line((side, k * step, side + int(rng.integers(2, 5)), k * step), int(rng.integers(120, 255)))
    if rng.random() < 0.35:
        _caliper(rng, draw, width, height)
    if rng.random() < 0.25:
        side = int(rng.choice([2, width - 10]))
        for k in range(int(height * 0.3)):
            draw.line((side, 20 + k, side + 7, 20 + k), int(255 * (1 - k / (height * 0.3))))
    return np.asarray(image, np.float32) / np.float32(255)


def _caliper(rng: np.random.Generator, draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Two crosses, a dotted line or a dotted ellipse through them."""
    ends = rng.uniform(0.15, 0.85, (2, 2)) * [width, height]
    bright = int(rng.integers(160, 255))
    for x, y in ends:
        draw.line((x - 4, y, x + 4, y), bright)
        draw.line((x, y - 4, x, y + 4), bright)
    middle, along = ends.mean(axis=0), (ends[1] - ends[0]) / 2
    across = np.array([-along[1], along[0]]) * (float(rng.uniform(0.7, 0.9)) if rng.random() < 0.4 else 0.0)
    for t in np.arange(0, 2 * math.pi, 0.08):
        x, y = middle + math.cos(t) * along + math.sin(t) * across
        draw.point((float(x), float(y)), bright)


def _compressed(rng: np.random.Generator, picture: Picture) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray((picture * 255).astype(np.uint8)).save(buffer, "JPEG", quality=int(rng.integers(35, 95)))
    return np.asarray(Image.open(buffer), np.float32) / np.float32(255)


def retextured(rng: np.random.Generator, picture: Picture, donor: Picture) -> Picture:
    """A synthetic picture with the grain and the grey levels of a real one."""
    shape = picture.shape
    fitted = np.asarray(
        Image.fromarray(donor).resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32
    )
    turned = np.roll(
        fitted[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))], rng.integers(0, shape[0], 2), (0, 1)
    )
    fine = turned - ndimage.gaussian_filter(turned, 3)
    fine = fine / (np.sqrt(ndimage.gaussian_filter(fine**2, 8)) + 0.01)
    soft = ndimage.gaussian_filter(picture, 1.5)
    rough = np.sqrt(np.maximum(ndimage.gaussian_filter((picture - soft) ** 2, 4), 0))
    grained = soft + rough * fine
    if rng.random() < 0.6:
        levels = np.interp(
            np.linspace(0, 1, grained.size), np.linspace(0, 1, fitted.size), np.sort(fitted.ravel())
        )
        grained.ravel()[np.argsort(grained.ravel())] = levels
    return np.asarray(np.clip(grained, 0, 1), np.float32)
