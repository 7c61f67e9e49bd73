"""Chance looks of a slice: painted from its labels or as acquired, another coil, another slice thickness.

After SynthSeg (Billot et al. 2023): whoever has met every contrast needs no example of the next one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.ventricles.grids import PIXEL_MM, SIDE
from inference.training.synthesis.atlas import MILLIMETRES, OUTER_FLUID, VENTRICLES
from inference.training.ventricles.volumes import DEEP_GREY, Made

Floats = NDArray[np.float32]
TISSUES = 9
OUTSIDE = 0
REPAINTED = 0.65
"""Share of the pictures that are painted anew; the rest keep their acquired levels."""
THICKEST_MM = 4.5


@dataclass(frozen=True)
class Drawn:
    """picture (SIDE, SIDE) 0..1; wanted (3, SIDE, SIDE): ventricle, brain, deep grey, 0..1."""

    picture: Floats
    wanted: Floats


def drawn(rng: np.random.Generator, made: Made) -> Drawn:
    """One axial or slightly oblique slice of a volume in a chance look."""
    places = _places(rng, made)
    offsets, weights = _thickness(rng)
    levels = chance_levels(rng) if rng.random() < REPAINTED else None
    total = np.zeros((SIDE, SIDE), np.float32)
    for offset, weight in zip(offsets, weights, strict=True):
        at = places + np.array([offset, 0.0, 0.0])[:, None, None]
        total += weight * _shown(made, at, levels)
    inside = _sampled((made.labels > 0).astype(np.float32), places)
    picture = _surrounded(rng, total, inside) if rng.random() < 0.4 else total
    wanted = [
        _sampled(part.astype(np.float32), places)
        for part in (made.labels == VENTRICLES, made.labels > 0, made.labels == DEEP_GREY)
    ]
    return Drawn(_acquired(rng, picture), np.stack(wanted))


def _places(rng: np.random.Generator, made: Made) -> NDArray[np.float64]:
    """Voxels (3, SIDE, SIDE) of a plane: near the thalami, turned, tilted, at another size, mirrored."""
    levels = np.flatnonzero((made.labels == DEEP_GREY).any(axis=(1, 2)))
    spread = max(float(levels[-1] - levels[0]), 8.0)
    height = float(rng.uniform(levels[0] - 0.5 * spread, levels[-1] + 0.7 * spread))
    zoom = float(np.exp(rng.uniform(np.log(0.78), np.log(1.3)))) * PIXEL_MM / MILLIMETRES
    stretch = np.exp(rng.normal(0, 0.05, 2))
    steps = (np.arange(SIDE) - (SIDE - 1) / 2) * zoom
    across, down = np.meshgrid(steps * stretch[0] * rng.choice([-1, 1]), steps * stretch[1])
    turn = float(rng.normal(0, 0.22))
    x = np.cos(turn) * across - np.sin(turn) * down + rng.normal(0, 5)
    y = np.sin(turn) * across + np.cos(turn) * down + rng.normal(0, 5)
    lean = rng.normal(0, 0.1, 2)
    z = height + np.tan(lean[0]) * x + np.tan(lean[1]) * y
    middle = [(size - 1) / 2 for size in made.labels.shape]
    return np.stack([z, middle[1] + y, middle[2] + x])


def _thickness(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where, in voxels along the slice's normal, a thick slice is sampled, and with what share."""
    if rng.random() < 0.4:
        return np.zeros(1), np.ones(1)
    half = float(rng.uniform(0.5, THICKEST_MM / 2)) / MILLIMETRES
    offsets = np.linspace(-half, half, 4)
    return offsets, np.full(4, 0.25)


def chance_levels(rng: np.random.Generator) -> Floats:
    """A grey level for every tissue: fluid brightest as T2 has it, the rest at chance, some nearly alike."""
    levels = rng.uniform(0.15, 0.75, TISSUES)
    fluid = float(rng.uniform(0.75, 1.0))
    levels[VENTRICLES] = fluid
    levels[OUTER_FLUID] = fluid * float(rng.uniform(0.7, 1.1))
    if rng.random() < 0.5:
        levels[1:] = np.where(np.isin(np.arange(1, TISSUES), (VENTRICLES, OUTER_FLUID)), levels[1:],
                              0.4 * levels[1:] + 0.6 * float(rng.uniform(0.25, 0.65)))  # fmt: skip
    levels[OUTSIDE] = 0.0
    return np.asarray(levels, np.float32)


def _shown(made: Made, places: NDArray[np.float64], levels: Floats | None) -> Floats:
    if levels is None:
        return _sampled(made.picture, places)
    labels = ndimage.map_coordinates(made.labels, places, order=0, mode="constant")
    painted = ndimage.gaussian_filter(levels[np.clip(labels, 0, TISSUES - 1)], 0.5)
    grain = _sampled(made.picture, places)
    return np.asarray(painted + 0.3 * (grain - ndimage.gaussian_filter(grain, 3.0)), np.float32)


def _sampled(volume: Floats, places: NDArray[np.float64]) -> Floats:
    return np.asarray(ndimage.map_coordinates(volume, places, order=1, mode="constant"), np.float32)


def _surrounded(rng: np.random.Generator, picture: Floats, inside: Floats) -> Floats:
    """Fluid, skull and the mother around a brain that was cut out, instead of black."""
    away = ndimage.distance_transform_edt(inside < 0.5)
    fluid, skull = rng.uniform(0.0, 4.0), rng.uniform(1.0, 4.0)
    rough = ndimage.gaussian_filter(rng.normal(0, 1, picture.shape), rng.uniform(2, 9))
    outside = rng.uniform(0.1, 0.8) + rng.uniform(0.05, 0.3) * rough / (rough.std() + 1e-6)
    bright = rng.uniform(0.5, 1.0)
    around = np.where(away < fluid, bright, np.where(away < fluid + skull, rng.uniform(0, 0.3), outside))
    return np.asarray(picture * inside + np.maximum(around, 0) * (1 - inside), np.float32)


def _acquired(rng: np.random.Generator, picture: Floats) -> Floats:
    """Coil, in-plane thickness (of coronal and sagittal stacks), resolution, gamma, noise."""
    coil = ndimage.zoom(rng.normal(0, 0.3, (4, 4)), SIDE / 4, order=3)
    picture = picture * np.exp(coil * rng.uniform(0, 1))
    chance = rng.random()
    if chance < 0.35:
        axis, size = int(rng.integers(2)), int(rng.integers(2, 6))
        picture = _stacked(picture, axis, size)
    elif chance < 0.7:
        picture = ndimage.gaussian_filter(picture, rng.uniform(0.2, 1.2))
    top = float(np.percentile(picture, 99.5))
    level = np.clip(picture / max(top, 1e-3), 0, 1.2) ** float(np.exp(rng.normal(0, 0.25)))
    return np.asarray(level + rng.normal(0, rng.uniform(0, 0.06), level.shape), np.float32)


def _stacked(picture: Floats, axis: int, size: int) -> Floats:
    """Thick along one direction of the picture and drawn out again, as a coronal stack is seen axially."""
    thick = ndimage.uniform_filter1d(picture, size, axis=axis)
    kept = np.take(thick, np.arange(size // 2, SIDE, size), axis=axis)
    factor = [1.0, 1.0]
    factor[axis] = SIDE / kept.shape[axis]
    return np.asarray(ndimage.zoom(kept, factor, order=1, grid_mode=True, mode="nearest"), np.float32)
