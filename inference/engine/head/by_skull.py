"""Finding the fetal head: the ellipse along which a picture shows the most skull.

Ultrasound shows the skull as a bright line, MRI as a dark one and the head as an edge. All become the same
thing here: a field of directions with a strength from 0 to 1. Every ellipse of a coarse family is
scored at every centre at once (a correlation by Fourier transform), then the best few are refined.
"""

import itertools
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, optimize

from inference.engine.head.ellipse import Ellipse, from_region
from inference.formats.stack import Modality

COARSE, FINE = 64, 128
TRANSFORM = 108
"""Room for the coarse picture and the largest ring, so that no ring wraps around into the picture."""
SECTORS = 16
POINTS_IN_SECTOR = 5
CIRCLE = np.exp(2j * np.pi * np.arange(SECTORS * POINTS_IN_SECTOR) / (SECTORS * POINTS_IN_SECTOR))
PAD = 2
ASPECTS = (0.68, 0.76, 0.84, 0.92, 1.0)
RADII = np.geomspace(0.13, 0.52, 11)
TURNS = 8
CANDIDATES = 8
ROUGH_EVALUATIONS = 60
FINALISTS = 3
EVALUATIONS = 150

Field = NDArray[np.float64]
Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A found head. score: mean evidence along the ring, -1 to 1; coverage: share of it with evidence.

    sureness: of the learned finder, how sure it was (by_network.SURENESS); empty of the search.
    """

    ellipse: Ellipse
    score: float
    coverage: float
    sureness: tuple[float, ...] = ()


def find_head(picture: Picture, modality: Modality) -> Head | None:
    """The most likely head in a frame (rows, columns), or None when nothing resembles one."""
    if modality == "mri" and (masked := _masked_head(picture)):
        return masked
    factor = max(picture.shape) / FINE
    fine = resized(picture, factor)
    field = direction_field(fine, modality)
    starts = _coarse_candidates(_halved(field))
    padded = np.pad(field[0] + 1j * field[1], PAD)
    rough = [_refined(padded, start, ROUGH_EVALUATIONS) for start in starts]
    rough.sort(key=lambda head: _preference(head, fine.shape), reverse=True)
    found = [_refined(padded, head.ellipse, EVALUATIONS) for head in rough[:FINALISTS]]
    best = max(found, key=lambda head: _preference(head, fine.shape))
    return Head(best.ellipse.scaled(factor), best.score, best.coverage)


def _masked_head(picture: Picture) -> Head | None:
    """A head on an empty background, as brain-extracted MRI has it: the one compact region."""
    region = picture > picture.min()
    if not 0.02 < region.mean() < 0.7:
        return None
    labels, _ = ndimage.label(region)
    largest = ndimage.binary_fill_holes(labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1)
    ellipse = from_region(largest)
    overlap = largest & ellipse.mask(picture.shape)
    agreement = 2 * overlap.sum() / (largest.sum() + ellipse.mask(picture.shape).sum())
    if agreement < 0.9 or ellipse.aspect < 0.5:
        return None
    return Head(ellipse.grown(1.03), float(agreement), 1.0)


def resized(picture: Picture, factor: float) -> NDArray[np.float64]:
    """The picture `factor` times smaller, smoothed first so that nothing fine folds over."""
    rows, columns = (max(1, round(side / factor)) for side in picture.shape)
    smooth = ndimage.gaussian_filter(picture.astype(np.float64), 0.4 * max(factor - 1, 0))
    y = (np.arange(rows) + 0.5) * factor - 0.5
    x = (np.arange(columns) + 0.5) * factor - 0.5
    grid = np.meshgrid(y, x, indexing="ij")
    return np.asarray(ndimage.map_coordinates(smooth, grid, order=1, mode="nearest"))


def direction_field(picture: NDArray[np.float64], modality: Modality) -> Field:
    """(2, rows, columns): strength times cosine and sine of twice the direction across the skull."""
    level = np.sqrt(np.maximum(picture - picture.min(), 0))
    mean = ndimage.gaussian_filter(level, 14)
    spread = np.sqrt(np.maximum(ndimage.gaussian_filter(level**2, 14) - mean**2, 0))
    even = (level - mean) / (spread + 0.3 * spread.mean() + 1e-9)
    strength, twice = _ridges(even) if modality == "ultrasound" else _outlines(even)
    typical = np.percentile(strength, 85) + 1e-9
    evidence = strength**2 / (strength**2 + typical**2)
    return np.stack([evidence * np.cos(twice), evidence * np.sin(twice)])


def _ridges(even: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sigma = 2.0
    yy = ndimage.gaussian_filter(even, sigma, order=(2, 0))
    xx = ndimage.gaussian_filter(even, sigma, order=(0, 2))
    xy = ndimage.gaussian_filter(even, sigma, order=(1, 1))
    half_gap = np.hypot((xx - yy) / 2, xy)
    strongest = (xx + yy) / 2 - half_gap
    return np.maximum(-strongest, 0), np.arctan2(-2 * xy, yy - xx)


def _outlines(even: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The skull is a dark line on MRI, and where it is hidden the head still ends in an edge."""
    dy = ndimage.gaussian_filter(even, 1.5, order=(1, 0))
    dx = ndimage.gaussian_filter(even, 1.5, order=(0, 1))
    edge = np.hypot(dx, dy)
    line, line_twice = _ridges(-even)
    edge = edge / (np.percentile(edge, 85) + 1e-9)
    line = 2 * line / (np.percentile(line, 85) + 1e-9)
    both = edge * np.exp(2j * np.arctan2(dy, dx)) + line * np.exp(1j * line_twice)
    return np.abs(both), np.angle(both)


def _halved(field: Field) -> Field:
    smooth = ndimage.gaussian_filter(field, (0, 1.0, 1.0))
    return np.asarray(smooth[:, ::2, ::2])


@cache
def _templates() -> tuple[list[Ellipse], NDArray[np.complex64]]:
    """Every coarse ellipse around the origin, and the transform of its ring of normals."""
    family = []
    for radius, aspect in itertools.product(RADII, ASPECTS):
        turns = 1 if aspect == 1.0 else TURNS
        long = radius * COARSE / math.sqrt(aspect)
        family += [Ellipse(0, 0, long, long * aspect, k * math.pi / turns) for k in range(turns)]
    rings = np.zeros((len(family), 2, TRANSFORM, TRANSFORM), np.float32)
    for ring, ellipse in zip(rings, family, strict=True):
        (x, y), normal = ellipse.ring(128)
        rows, columns = np.round(y).astype(int), np.round(x).astype(int)
        np.add.at(ring[0], (rows, columns), np.cos(2 * normal) / 128)
        np.add.at(ring[1], (rows, columns), np.sin(2 * normal) / 128)
    return family, np.conj(fft.rfft2(_blurred(rings)))


def _blurred(rings: NDArray[np.float32]) -> NDArray[np.float32]:
    """A ring one pixel thick would miss a skull that is not quite an ellipse."""
    return np.asarray(ndimage.gaussian_filter(rings, (0, 0, 1.0, 1.0), mode="wrap"))


def _coarse_candidates(field: Field) -> list[Ellipse]:
    family, transforms = _templates()
    _, rows, columns = field.shape
    spectrum = fft.rfft2(field.astype(np.float32), s=(TRANSFORM, TRANSFORM))
    scores = fft.irfft2((transforms * spectrum).sum(axis=1), s=(TRANSFORM, TRANSFORM))[:, :rows, :columns]
    weights = np.array([(e.long * e.short) ** 0.25 for e in family])
    scores = scores * weights[:, None, None]
    found: list[Ellipse] = []
    best_here, which = scores.max(axis=0), scores.argmax(axis=0)
    for _ in range(CANDIDATES):
        row, column = divmod(int(np.argmax(best_here)), columns)
        shape = family[which[row, column]]
        found.append(Ellipse(float(column), float(row), shape.long, shape.short, shape.angle).scaled(2))
        best_here[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4] = -1
    return found


def _evidence(field: NDArray[np.complex128], ellipse: Ellipse) -> NDArray[np.float64]:
    """Mean evidence in each sector of the ring; outside the picture there is none.

    Complex numbers stand for points and directions: squaring a direction doubles its angle. This is
    the innermost loop of the search.
    """
    turn = complex(math.cos(ellipse.angle), math.sin(ellipse.angle))
    ring = turn * (ellipse.long * CIRCLE.real + 1j * ellipse.short * CIRCLE.imag)
    normal = turn * (CIRCLE.real / ellipse.long + 1j * CIRCLE.imag / ellipse.short)
    x, y = ring.real + ellipse.x + PAD, ring.imag + ellipse.y + PAD
    rows, columns = field.shape
    x, y = np.minimum(np.maximum(x, 0), columns - 1.001), np.minimum(np.maximum(y, 0), rows - 1.001)
    column, row = x.astype(np.intp), y.astype(np.intp)
    right, down = x - column, y - row
    upper = field[row, column] * (1 - right) + field[row, column + 1] * right
    lower = field[row + 1, column] * (1 - right) + field[row + 1, column + 1] * right
    seen = upper * (1 - down) + lower * down
    along = (np.conj(seen) * normal**2).real / np.abs(normal) ** 2
    return np.asarray(along.reshape(SECTORS, POINTS_IN_SECTOR).mean(axis=1))


def _refined(field: NDArray[np.complex128], start: Ellipse, evaluations: int) -> Head:
    def cost(p: NDArray[np.float64]) -> float:
        return -float(_evidence(field, from_parameters(p)).mean())

    first = np.array([start.x, start.y, start.long, start.aspect * 20, start.angle * 10])
    simplex = first + np.vstack([np.zeros(5), np.diag([3.0, 3.0, 4.0, -2.0, 2.0])])
    best = optimize.minimize(
        cost, first, method="Nelder-Mead", options={"initial_simplex": simplex, "maxfev": evaluations}
    )
    ellipse = from_parameters(best.x)
    evidence = _evidence(field, ellipse)
    return Head(ellipse, float(evidence.mean()), float((evidence > 0.2).mean()))


def from_parameters(p: NDArray[np.float64]) -> Ellipse:
    """The ellipse of a point of the search: x, y, long axis, 20 times the aspect, 10 times the angle.

    Bounds are soft in the search: a ring may not degenerate into a line or a point."""
    long = min(max(float(p[2]), 10.0), 90.0)
    aspect = min(max(float(p[3]) / 20, 0.6), 1.0)
    return Ellipse(float(p[0]), float(p[1]), long, long * aspect, float(p[4]) / 10)


def _preference(head: Head, shape: tuple[int, ...]) -> float:
    size = math.sqrt(head.ellipse.long * head.ellipse.short) / max(shape)
    return float(head.score * (0.5 + 0.5 * head.coverage) * size**0.75)
