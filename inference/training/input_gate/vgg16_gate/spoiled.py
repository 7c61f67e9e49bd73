"""Non-heads made from pictures of heads: the same machine, the same grain, and no head any more."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage

from inference.engine.head.ellipse import Ellipse
from inference.training.input_gate.vgg16_gate.styles import Mask, Picture

Spoiler = Callable[[np.random.Generator, Picture, Ellipse, Picture], Picture]
"""A picture, its head, and a synthetic non-head of the same shape."""


def painted_over(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """Head and skull painted over: only the border is left."""
    region = head.grown(float(rng.uniform(1.0, 1.15))).mask(_shape(picture))
    return _painted(rng, picture, region)


def painted_inside(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """The skull is left, its inside painted over."""
    region = head.grown(float(rng.uniform(0.8, 0.92))).mask(_shape(picture))
    return _painted(rng, picture, region)


def _painted(rng: np.random.Generator, picture: Picture, region: Mask) -> Picture:
    outside = picture[~region] if (~region).any() else picture
    way = int(rng.integers(5))
    if way == 0:
        fill = np.full_like(picture, float(np.median(outside)))
    elif way == 1:
        fill = np.full_like(picture, float(rng.uniform(0, 1)))
    elif way == 2:
        fill = np.full_like(picture, float(picture[region].mean()))
    elif way == 3:
        fill = ndimage.gaussian_filter(picture, 0.08 * picture.shape[0])
    else:
        grain = rng.standard_normal(picture.shape)
        fill = np.asarray(float(outside.mean()) + float(outside.std()) * grain, np.float32)
    return _blended(picture, np.asarray(np.clip(fill, 0, 1), np.float32), region, float(rng.uniform(0, 2)))


def _blended(picture: Picture, fill: Picture, region: Mask, soft: float) -> Picture:
    share = ndimage.gaussian_filter(region.astype(np.float32), soft)
    return np.asarray(picture + (fill - picture) * share, np.float32)


def shuffled(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """Square pieces of the head, or of the whole picture, in another order."""
    side = int(rng.integers(10, 40))
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    cut = picture[: rows * side, : columns * side].reshape(rows, side, columns, side).swapaxes(1, 2)
    pieces = cut.reshape(-1, side, side)
    mask = head.mask(_shape(picture))[side // 2 :: side, side // 2 :: side][:rows, :columns].ravel()
    chosen = np.flatnonzero(mask) if rng.random() < 0.6 and mask.sum() > 5 else np.arange(len(pieces))
    mixed = pieces.copy()
    mixed[chosen] = pieces[rng.permutation(chosen)]
    whole = picture.copy()
    whole[: rows * side, : columns * side] = (
        mixed.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    )
    return whole


def replaced(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """The inside, with or without the skull, made of the picture's own surroundings."""
    region = head.grown(float(rng.choice([0.88, 1.0, 1.15]))).mask(_shape(picture))
    return _blended(picture, surroundings(rng, picture, head), region, float(rng.uniform(1, 4)))


def surroundings(rng: np.random.Generator, picture: Picture, head: Ellipse) -> Picture:
    """A picture of the same grain without the head: pieces from outside, laid over each other."""
    outside = ~head.grown(1.1).mask(_shape(picture)) & (ndimage.gaussian_filter(picture, 6) > 0.05)
    places = np.argwhere(outside)
    if len(places) < 200:
        return np.asarray(picture[::-1, ::-1])
    total, weight = np.zeros_like(picture), np.full_like(picture, 1e-4)
    side = int(picture.shape[0] * float(rng.uniform(0.12, 0.3)))
    window = np.outer(np.hanning(side + 2), np.hanning(side + 2))[1:-1, 1:-1].astype(np.float32) ** 2
    padded = np.pad(picture, side, mode="reflect")
    for _ in range(140):
        row, column = places[rng.integers(len(places))] + side // 2
        piece = padded[row : row + side, column : column + side]
        top, left = (int(rng.integers(0, length - side)) for length in picture.shape)
        total[top : top + side, left : left + side] += window * piece
        weight[top : top + side, left : left + side] += window
    mean = total / weight
    return np.asarray(np.clip(mean, 0, 1), np.float32)


def transplanted(rng: np.random.Generator, picture: Picture, head: Ellipse, other: Picture) -> Picture:
    """Head and skull replaced by a synthetic non-head in the same grey levels."""
    region = head.grown(float(rng.uniform(1.1, 1.3))).mask(_shape(picture))
    levels = np.sort(picture[region])
    ranks = np.argsort(np.argsort(other[region]))
    fill = picture.copy()
    fill[region] = levels[ranks]
    return _blended(picture, fill, region, float(rng.uniform(2, 6)))


def part(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """A crop around one place of the skull, which shows less than half of the head."""
    angle, reach = float(rng.uniform(0, 2 * math.pi)), head.long * float(rng.uniform(0.9, 1.3))
    at = head.x + reach * math.cos(angle), head.y + reach * math.sin(angle)
    return _cropped(picture, at, head.long * float(rng.uniform(0.5, 0.8)))


def outside(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """A crop beside the head, or a crop deep inside it."""
    if rng.random() < 0.4:
        shift = rng.normal(0, 0.15, 2) * head.long
        return _cropped(picture, (head.x + shift[0], head.y + shift[1]), 0.45 * head.long)
    angle, half = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(35, 70))
    reach = head.long * 1.1 + half
    return _cropped(picture, (head.x + reach * math.cos(angle), head.y + reach * math.sin(angle)), half)


def _cropped(picture: Picture, at: tuple[float, float], half: float) -> Picture:
    """A square around (x, y), moved into the picture, at the picture's own size."""
    half = max(half, 24.0)
    rows, columns = picture.shape
    x, y = (min(max(place, half), side - half) for place, side in zip(at, (columns, rows), strict=True))
    steps = np.linspace(-half, half, 256)
    grid = np.meshgrid(y + steps, x + steps, indexing="ij")
    return np.asarray(ndimage.map_coordinates(picture, grid, order=1, mode="reflect"), np.float32)


def halves(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """Cut through the head and put together the wrong way round."""
    axis = int(rng.integers(2))
    middle = int(head.y if axis == 0 else head.x)
    shift = int(head.short * float(rng.uniform(0.7, 1.0)))
    rolled = np.roll(picture, int(rng.choice([-1, 1])) * shift, axis=1 - axis)
    if rng.random() < 0.5:
        return np.asarray(np.roll(picture, picture.shape[axis] - middle, axis=axis))
    before, after = (
        (picture[:middle], rolled[middle:]) if axis == 0 else (picture[:, :middle], rolled[:, middle:])
    )
    return np.concatenate([before, after], axis=axis)


def warped(rng: np.random.Generator, picture: Picture, head: Ellipse, _: Picture) -> Picture:
    """Waves or a whirl strong enough that no skull is left."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    if rng.random() < 0.5:
        strength = rng.uniform(0.25, 0.5, 2) * head.long
        rough = rng.standard_normal((2, *picture.shape))
        waves = [ndimage.gaussian_filter(r, 0.22 * head.long) for r in rough]
        rows = rows + strength[0] * waves[0] / waves[0].std()
        columns = columns + strength[1] * waves[1] / waves[1].std()
    else:
        u, v = columns - head.x, rows - head.y
        turn = float(rng.choice([-1, 1])) * float(rng.uniform(2.5, 5)) * np.exp(-np.hypot(u, v) / head.long)
        columns = head.x + 1.6 * u * np.cos(turn) - v * np.sin(turn)
        rows = head.y + 1.6 * u * np.sin(turn) + v * np.cos(turn)
    return np.asarray(ndimage.map_coordinates(picture, [rows, columns], order=1, mode="reflect"), np.float32)


def inverted(_rng: np.random.Generator, picture: Picture, _head: Ellipse, _other: Picture) -> Picture:
    """Bright is dark."""
    return np.asarray(1 - picture, np.float32)


def _shape(picture: Picture) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]


SPOILERS: Mapping[str, Spoiler] = {
    spoiler.__name__: spoiler
    for spoiler in (
        painted_over,
        painted_inside,
        shuffled,
        replaced,
        transplanted,
        part,
        outside,
        halves,
        warped,
        inverted,
    )
}
