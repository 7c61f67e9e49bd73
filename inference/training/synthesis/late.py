"""Slices of late brains, which no volume at hand shows: sulci drawn into the mantle of an earlier one.

The volumes are smooth, as brains are until about 28 weeks and those of spina bifida longer. From 30 weeks
on a normal mantle is folded: bright fluid runs in narrow sulci between two dark ribbons of cortex. Here
sulci are the level lines of rough fields, drawn from the outer border inwards, each to a depth of its own.
"""

import math
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

WHITE_MATTER, VENTRICLES, OUTER_FLUID, CORTEX = 1, 2, 4, 5
MANTLE = (WHITE_MATTER, OUTER_FLUID, CORTEX)
"""Tissues that folds may be drawn into; deep grey matter and ventricles stay as they are."""
KEPT_FROM_VENTRICLES = 3.0
"""Pixels between a ventricle's wall and the deepest sulcus."""

Slice = NDArray[np.float32]
Labels = NDArray[np.int16]


def gyrified(rng: np.random.Generator, picture: Slice, labels: Labels) -> tuple[Slice, Labels]:
    """An axial slice or a volume (0.8 mm) and its labels, with sulci of chance size and depth.

    Levels are the slice's own: fluid as bright as its outer fluid or ventricles, cortex darker than its white
    matter. Sulci become OUTER_FLUID, the ribbon CORTEX.
    """
    brain = labels > 0
    solid = ndimage.binary_fill_holes(brain & (labels != OUTER_FLUID))
    solid = ndimage.binary_opening(solid, iterations=1)
    if solid.sum() < 400:
        return picture, labels
    sulci, ribbon = _folds(rng, solid, labels)
    fluid, cortex, white = _levels(rng, picture, labels)
    changed = labels.copy()
    changed[ribbon] = CORTEX
    changed[sulci] = OUTER_FLUID
    target = np.where(sulci, fluid, np.where(ribbon, cortex, picture))
    within = solid & (labels == WHITE_MATTER) & ~sulci & ~ribbon
    target = np.where(within, picture + rng.uniform(0, 1) * (white - picture[within].mean()), target)
    grain = picture - ndimage.gaussian_filter(picture, 1.5)
    drawn = ndimage.gaussian_filter(target, float(rng.uniform(0.3, 0.6))) + 0.5 * grain
    return np.asarray(np.where(brain, np.maximum(drawn, 0), picture), np.float32), changed


def _folds(
    rng: np.random.Generator, solid: NDArray[np.bool_], labels: Labels
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where sulci and their cortex lie."""
    depth = ndimage.distance_transform_edt(solid)
    size = _extent(solid)
    reach = size * float(rng.uniform(0.06, 0.2))
    rough = _field(rng, solid.shape, size * 0.12)
    deepest = reach * np.clip(1 + 0.5 * rough, 0.2, 2.0)
    away = ndimage.distance_transform_edt(~np.isin(labels, (VENTRICLES, 6, 8)))
    open_to = solid & (depth < deepest) & (away > KEPT_FROM_VENTRICLES) & np.isin(labels, MANTLE)
    line = _distance_to_lines(_field(rng, solid.shape, size * float(rng.uniform(0.03, 0.065))))
    thick, mantle = float(rng.uniform(0.5, 1.4)), float(rng.uniform(1.2, 2.6))
    ribbon = open_to & (line < thick + mantle) | (solid & (depth <= mantle) & np.isin(labels, MANTLE))
    return open_to & (line < thick), ribbon


def _field(rng: np.random.Generator, shape: tuple[int, ...], width: float) -> NDArray[np.float64]:
    rough = ndimage.gaussian_filter(rng.standard_normal(shape), max(width, 1.0))
    return np.asarray(rough / rough.std())


def _distance_to_lines(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels to the nearest place where the field is nought, to first order."""
    return np.asarray(np.abs(field) / (reduce(np.hypot, np.gradient(field)) + 1e-3))


def _extent(solid: NDArray[np.bool_]) -> float:
    """Pixels: the root of a slice's area; of a volume's middle slice."""
    return math.sqrt(float(solid.sum() if solid.ndim == 2 else solid.sum(axis=(1, 2)).max()))


def _levels(rng: np.random.Generator, picture: Slice, labels: Labels) -> tuple[float, float, float]:
    """Of fluid, cortex and white matter: late white matter is darker against its cortex than early."""
    bright = picture[np.isin(labels, (VENTRICLES, OUTER_FLUID))]
    white = picture[labels == WHITE_MATTER]
    middle = float(np.median(white)) if white.size else float(np.median(picture[labels > 0]))
    fluid = float(np.percentile(bright, 80)) if bright.size > 20 else 1.5 * middle
    return (
        fluid * float(rng.uniform(0.75, 1.05)),
        middle * float(rng.uniform(0.6, 0.92)),
        middle * float(rng.uniform(0.85, 1.1)),
    )
