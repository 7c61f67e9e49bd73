"""Pictures with the ellipse of their head, on canvases of one size.

An ellipse is kept as an affine (2 x 3): unit circle to canvas pixels, so that any stretching of a picture
stretches its ellipse.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engine.head.ellipse import Ellipse, from_region
from inference.phantom import render, sample_spec
from inference.training.data.sources import entries

CANVAS = (256, 320)
"""Rows and columns of a canvas."""
PHANTOMS = 240

Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Outlined:
    """Canvases (n, rows, columns), the affine of each head (n, 2, 3), and where each comes from.

    scale: canvas pixels for a pixel of the picture, (n,).
    """

    canvas: NDArray[np.uint8]
    head: NDArray[np.float64]
    scale: NDArray[np.float64]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    file: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.canvas)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Outlined":
        """The pictures in these rows."""
        return Outlined(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def joined(parts: Sequence[Outlined]) -> Outlined:
    """Several as one."""
    names = Outlined.__dataclass_fields__
    return Outlined(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class Row:
    """One picture before it is on its canvas; head None where nobody outlined it."""

    source: str
    group: str
    file: str
    head: Ellipse | None


def hc18_rows(data: Path) -> Iterator[Row]:
    """HC18: ellipses scaled so that their circumference is the stated head circumference."""
    return (Row(one.source, one.group, one.file, one.outline) for one in entries(data, "hc18"))


def background_rows(data: Path) -> Iterator[Row]:
    """Frames that show another part of the fetus."""
    for one in entries(data, "fetal_planes"):
        if not one.is_head:
            yield Row(one.source, one.group, one.file, None)


def loaded(data: Path, rows: Sequence[Row], *, processes: int = 1) -> Outlined:
    """The rows' pictures on canvases; heads of unlabelled ones are not numbers."""
    jobs = [(data, row) for row in rows]
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            made = list(pool.map(_on_canvas_of, jobs, chunksize=16))
    else:
        made = [_on_canvas_of(job) for job in jobs]
    return _stacked(rows, made)


def phantoms(count: int, seed: int) -> Outlined:
    """Synthetic heads; their outline is known."""
    rows, made = [], []
    for number in range(count):
        spec = sample_spec(np.random.default_rng([seed, number]))
        phantom = render(spec, "ultrasound", seed=seed * 10_000 + number)
        head = from_region(phantom.head)
        rows.append(Row("phantom", f"phantom-{number}", "", head))
        made.append(on_canvas(phantom.pixels, head))
    return _stacked(rows, made)


Placed = tuple[NDArray[np.uint8], Affine, float]


def _on_canvas_of(job: tuple[Path, Row]) -> Placed:
    data, row = job
    return on_canvas(np.asarray(Image.open(data / row.file).convert("L")), row.head)


def on_canvas(picture: NDArray[np.uint8], head: Ellipse | None) -> Placed:
    """A picture in the middle of a canvas, as large as fits, and its head there."""
    rows, columns = picture.shape
    scale = min(CANVAS[0] / rows, CANVAS[1] / columns)
    size = (round(columns * scale), round(rows * scale))
    small = np.asarray(
        Image.fromarray(picture).resize(
            size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
        )
    )
    top, left = (CANVAS[0] - size[1]) // 2, (CANVAS[1] - size[0]) // 2
    canvas = np.zeros(CANVAS, np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = small
    if head is None:
        return canvas, np.full((2, 3), np.nan), scale
    moved = head.scaled(scale)
    return (
        canvas,
        affine_of(Ellipse(moved.x + left, moved.y + top, moved.long, moved.short, moved.angle)),
        scale,
    )


def affine_of(ellipse: Ellipse) -> Affine:
    """Unit circle to pixels."""
    cos, sin = math.cos(ellipse.angle), math.sin(ellipse.angle)
    return np.array(
        [
            [cos * ellipse.long, -sin * ellipse.short, ellipse.x],
            [sin * ellipse.long, cos * ellipse.short, ellipse.y],
        ]
    )


def _stacked(rows: Sequence[Row], made: Sequence[Placed]) -> Outlined:
    return Outlined(
        np.stack([canvas for canvas, _, _ in made]),
        np.stack([head for _, head, _ in made]),
        np.array([scale for _, _, scale in made]),
        np.array([row.source for row in rows], np.str_),
        np.array([row.group for row in rows], np.str_),
        np.array([row.file for row in rows], np.str_),
    )
