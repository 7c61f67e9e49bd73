"""Where the head lies in an ultrasound frame: painted twice, on the whole frame and then on the head alone.

The ellipse has the middle and the second moments of the paint. Square pixels are taken for granted
(inference.engine.preprocessing.square_pixels).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engine.head.by_skull import Head
from inference.engine.head.ellipse import Ellipse

ROWS, COLUMNS = 128, 160
"""Of the grid on which the network looks."""
STRIDE = 2
"""Grid pixels for one pixel of paint."""

Floats = NDArray[np.float32]
Painter = Callable[[Floats], Floats]
"""(n, 1, ROWS, COLUMNS), evened, to log-odds (n, 1, rows, columns)."""

FILLED = 0.95
"""Share of the grid that the whole frame takes, so that a head may reach across its edge."""
SECOND_LOOK = 47.0
"""Half of the head's long axis in grid pixels when it is looked at again."""
LEAST_PAINT = 10.0
"""Output pixels below which nothing was painted."""
SECTORS = 16
INSIDE, OUTSIDE = 0.88, 1.12
UNSURE = (0.1, 0.9)
"""Paint between these is neither head nor none."""
SURENESS = (
    "agreement of the first look",
    "coverage of the first look",
    "unsure paint of the first look",
    "unsure paint",
    "paint inside",
    "paint outside",
    "shift between the looks",
    "growth between the looks",
)
"""What `Head.sureness` holds. Other things than heads are painted thinly, and elsewhere the second time."""
STEP = 0.5
"""How much paint must end between INSIDE and OUTSIDE of the ellipse for a sector to count as seen."""


@dataclass(frozen=True)
class _Grid:
    """Frame pixel = pixel * grid pixel + offset, for centres; offset (x, y)."""

    pixel: float
    offset: tuple[float, float]


@dataclass(frozen=True)
class _Look:
    """One look: the head in pixels of the frame; paint (rows, columns) and its ellipse on the grid."""

    head: Head
    paint: NDArray[np.float64]
    small: Ellipse


def found_by(painter: Painter, frame: Floats) -> Head | None:
    """The head in a frame (rows, columns), in its pixels; None when nothing is painted."""
    rows, columns = frame.shape
    pixel = max(rows / ROWS, columns / COLUMNS) / FILLED
    grid = _centred((columns - 1) / 2, (rows - 1) / 2, pixel)
    first = _looked(painter, frame, grid)
    if first is None:
        return None
    ellipse = first.head.ellipse
    second = _looked(painter, frame, _centred(ellipse.x, ellipse.y, max(ellipse.long / SECOND_LOOK, 0.2)))
    return None if second is None else replace(second.head, sureness=_sureness(first, second))


def _centred(x: float, y: float, pixel: float) -> _Grid:
    return _Grid(pixel, (x - pixel * (COLUMNS - 1) / 2, y - pixel * (ROWS - 1) / 2))


def _looked(painter: Painter, frame: Floats, grid: _Grid) -> _Look | None:
    seen = cut(frame, grid.pixel, grid.offset)
    if seen.max() == seen.min():
        return None
    logits = painter(evened(seen)[None, None])[0, 0]
    paint = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -30, 30)))
    small = moments(paint)
    if small is None:
        return None
    fine = small.scaled(STRIDE).scaled(grid.pixel)
    shift = 0.5 * (grid.pixel - 1)
    ellipse = Ellipse(
        fine.x - shift + grid.offset[0], fine.y - shift + grid.offset[1], fine.long, fine.short, fine.angle
    )
    return _Look(Head(ellipse, _agreement(paint, small), _coverage(paint, small)), paint, small)


def _sureness(first: _Look, second: _Look) -> tuple[float, ...]:
    """The values of SURENESS."""
    before, after = first.head.ellipse, second.head.ellipse
    total = float(second.paint.sum())
    inside, outside = (second.small.grown(grown).mask(second.paint.shape) for grown in (INSIDE, OUTSIDE))
    return (
        first.head.score,
        first.head.coverage,
        _unsure(first.paint),
        _unsure(second.paint),
        float(second.paint[inside].mean()) if inside.any() else 0.0,
        1 - float(second.paint[outside].sum()) / total,
        math.hypot(after.x - before.x, after.y - before.y) / after.long,
        math.log(after.long * after.short / (before.long * before.short)),
    )


def _unsure(paint: NDArray[np.float64]) -> float:
    """Places that are neither, for each place that is painted."""
    low, high = UNSURE
    return float(((paint > low) & (paint < high)).sum() / paint.sum())


def cut(frame: Floats, pixel: float, offset: tuple[float, float]) -> Floats:
    """The frame on the grid (ROWS, COLUMNS), each grid pixel the mean of what it covers; black beyond it."""
    image = Image.fromarray(np.ascontiguousarray(frame, np.float32))
    edges = []
    for start, grid_side, side in zip(offset, (COLUMNS, ROWS), (image.width, image.height), strict=True):
        low = start + 0.5 - 0.5 * pixel
        first = max(0, math.ceil(-low / pixel - 1e-9))
        last = min(grid_side, math.floor((side - low) / pixel + 1e-9))
        edges.append((first, last, max(low + first * pixel, 0.0), min(low + last * pixel, float(side))))
    (left, right, x0, x1), (top, bottom, y0, y1) = edges
    grid = np.zeros((ROWS, COLUMNS), np.float32)
    if right > left and bottom > top:
        size = right - left, bottom - top
        grid[top:bottom, left:right] = np.asarray(
            image.resize(size, Image.Resampling.BILINEAR, box=(x0, y0, x1, y1)), np.float32
        )
    return grid


def evened(grid: Floats) -> Floats:
    """Percentiles 1 and 99 to 0 and 1, then around nought, as the painter was taught."""
    low, high = np.percentile(grid, [1, 99])
    span = max(float(high - low), 0.02 * max(float(high), 1e-6))
    return np.asarray((np.clip((grid - low) / span, 0, 1) - 0.3) / 0.3, np.float32)


def moments(paint: NDArray[np.float64]) -> Ellipse | None:
    """The ellipse with the area, middle and spread of soft paint (rows, columns); None for hardly any."""
    mass = float(paint.sum())
    if mass < LEAST_PAINT:
        return None
    rows, columns = np.arange(paint.shape[0]), np.arange(paint.shape[1])
    down, across = paint.sum(axis=1), paint.sum(axis=0)
    y, x = float(down @ rows) / mass, float(across @ columns) / mass
    yy, xx = float(down @ (rows - y) ** 2) / mass, float(across @ (columns - x) ** 2) / mass
    xy = float((rows - y) @ paint @ (columns - x)) / mass
    spread, axes = np.linalg.eigh(np.array([[xx, xy], [xy, yy]]))
    short, long = 2 * np.sqrt(np.maximum(spread, 1e-6))
    grown = math.sqrt(mass / (math.pi * float(long) * float(short)))
    angle = math.atan2(axes[1, 1], axes[0, 1])
    return Ellipse(x, y, float(long) * grown, float(short) * grown, angle)


def _agreement(paint: NDArray[np.float64], ellipse: Ellipse) -> float:
    """Overlap (Dice) of the paint and its ellipse: an unsure or ragged painting has less."""
    inside = ellipse.mask((paint.shape[0], paint.shape[1]))
    area = math.pi * ellipse.long * ellipse.short
    return float(2 * paint[inside].sum() / (paint.sum() + area))


def _coverage(paint: NDArray[np.float64], ellipse: Ellipse) -> float:
    """Share of the way around along which the paint ends where the ellipse does."""
    ends = [_at(paint, ellipse.grown(grown)) for grown in (INSIDE, OUTSIDE)]
    return float((ends[0] - ends[1] > STEP).mean())


def _at(paint: NDArray[np.float64], ellipse: Ellipse) -> NDArray[np.float64]:
    """Mean paint in each sector of an ellipse's ring; none beyond the grid."""
    (x, y), _ = ellipse.ring(SECTORS * 4)
    rows, columns = np.round(y).astype(int), np.round(x).astype(int)
    there = (rows >= 0) & (rows < paint.shape[0]) & (columns >= 0) & (columns < paint.shape[1])
    values = np.zeros(len(x))
    values[there] = paint[rows[there], columns[there]]
    return np.asarray(values.reshape(SECTORS, 4).mean(axis=1))
