"""What machines print around a picture: ticks, a grey bar, caliper crosses, specks like text.

Drawn from the acquisition's seed alone, so that nothing at the border tells of the ventricles.
"""

import numpy as np

from inference.phantom.geometry import Floats
from inference.phantom.scanner import Scanner
from inference.phantom.view import View


def draw_furniture(rng: np.random.Generator, picture: Floats, scanner: Scanner, view: View) -> Floats:
    """The picture with some of the furniture, each piece present or absent by chance."""
    drawn = picture.copy()
    size = view.size
    marks: list[tuple[Floats, Floats, float]] = []
    if rng.random() < 0.45:
        marks.append(_ticks(rng))
    if rng.random() < 0.4:
        marks.append(_grey_bar(rng))
    if rng.random() < 0.3:
        marks.extend(_cross(rng) for _ in range(int(rng.integers(1, 4))))
    if rng.random() < 0.4:
        marks.extend(_text(rng) for _ in range(int(rng.integers(1, 4))))
    for across, along, brightness in marks:
        columns, rows = _pixels(across, along, scanner, view)
        seen = (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size)
        drawn[rows[seen], columns[seen]] = np.maximum(drawn[rows[seen], columns[seen]], brightness)
    return drawn


def _pixels(across: Floats, along: Floats, scanner: Scanner, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of points given as -1..1 across and along the unturned picture."""
    right, down = scanner.screen(across * scanner.frame[0], along * scanner.frame[1])
    middle = (view.size - 1) / 2
    columns = np.round(right / view.pixel_spacing[1] + middle).astype(int)
    return columns, np.round(down / view.pixel_spacing[0] + middle).astype(int)


def _ticks(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Depth marks down one side."""
    along = np.arange(-0.9, 0.95, float(rng.uniform(0.08, 0.25)), dtype=np.float32)
    place = float(rng.choice([-1, 1]) * rng.uniform(0.9, 0.98))
    length = int(rng.integers(1, 4))
    across = np.concatenate([np.full_like(along, place + 0.008 * step) for step in range(length)])
    return across, np.tile(along, length), float(rng.uniform(0.35, 0.9))


def _grey_bar(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """The grey scale that machines show at one upper corner."""
    along = np.linspace(-0.95, float(rng.uniform(-0.7, -0.4)), 80, dtype=np.float32)
    place = float(rng.choice([-1, 1]) * rng.uniform(0.97, 1.0))
    return np.full_like(along, place), along, float(rng.uniform(0.4, 1.0))


def _cross(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """A caliper cross near the border."""
    arm = np.arange(-3, 4, dtype=np.float32) * 0.008
    side = rng.permutation(
        [float(rng.choice([-1, 1]) * rng.uniform(0.72, 0.97)), float(rng.uniform(-0.9, 0.9))]
    )
    across = np.concatenate([side[0] + arm, np.full(7, side[0])])
    along = np.concatenate([np.full(7, side[1]), side[1] + arm])
    return across.astype(np.float32), along.astype(np.float32), float(rng.uniform(0.6, 1.0))


def _text(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """A line of specks with the density of print."""
    width, height = int(rng.integers(8, 45)), int(rng.integers(4, 6))
    rows, columns = np.nonzero(rng.random((height, width)) < 0.4)
    corner = float(rng.choice([-1, 1]) * rng.uniform(0.86, 0.97)), float(rng.uniform(-0.97, 0.6))
    across = corner[1] + columns.astype(np.float32) * 0.008
    return (
        across.astype(np.float32),
        (corner[0] + rows * 0.008).astype(np.float32),
        float(rng.uniform(0.3, 0.9)),
    )
