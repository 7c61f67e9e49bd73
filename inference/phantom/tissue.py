"""Every part of one head on one grid, ready to be painted in either look."""

from dataclasses import dataclass

import numpy as np

from inference.phantom.geometry import (
    Floats,
    Points,
    cavum_distance,
    choroid_distance,
    head_distance,
    midline_offset,
    thalamus_distance,
    ventricle_distance,
)
from inference.phantom.records import HeadSpec
from inference.phantom.texture import head_texture, ridge


@dataclass(frozen=True)
class Tissue:
    """Distances in mm to the parts of a head, negative inside.

    brain: to the cortical surface, sulci included. midline: unsigned, to the falx.
    """

    skull: Floats
    brain: Floats
    ventricles: Floats
    choroid: Floats
    cavum: Floats
    thalami: Floats
    midline: Floats
    points: Points


def tissue(spec: HeadSpec, at: Points) -> Tissue:
    """Measure the distances from every point to every part."""
    skull = head_distance(spec, at)
    ventricles, choroid = ventricle_pair(spec, skull, at)
    return Tissue(
        skull=skull,
        brain=_brain_distance(spec, skull, at),
        ventricles=ventricles,
        choroid=choroid,
        cavum=cavum_distance(spec, at),
        thalami=thalamus_distance(spec, at),
        midline=np.abs(midline_offset(spec, at)),
        points=at,
    )


def ventricle_pair(spec: HeadSpec, skull: Floats, at: Points) -> tuple[Floats, Floats]:
    """Distances to the lateral ventricles and to their choroid plexus, kept off the skull and the falx."""
    ventricles, choroids = [], []
    mantle = skull + spec.skull_thickness_mm + 2.0
    for side, ventricle in ((1, spec.left), (-1, spec.right)):
        falx = 0.5 - side * midline_offset(spec, at)
        wall = np.maximum(ventricle_distance(spec, ventricle, side, at), np.maximum(mantle, falx))
        ventricles.append(wall)
        choroids.append(choroid_distance(spec, ventricle, side, at, wall))
    return np.minimum(*ventricles), np.minimum(*choroids)


def folding(gestational_age_days: int) -> float:
    """0 for the smooth brain of 20 weeks, 1 for the folded one of 34."""
    return float(np.clip((gestational_age_days / 7 - 20) / 14, 0, 1))


def _brain_distance(spec: HeadSpec, skull: Floats, at: Points) -> Floats:
    """To the pia: inside the subarachnoid space, notched by sulci, split by the fissure between halves."""
    folded = folding(spec.gestational_age_days)
    inner = skull + spec.skull_thickness_mm + spec.subarachnoid_mm
    angle = np.arctan2(at.y, np.abs(at.x))
    sylvian = ridge(np.asarray(angle + 0.12, dtype=np.float32), 0.20 - 0.13 * folded)
    wrinkles = head_texture(spec.texture_seed, at, 5.0)
    sulci = ridge(wrinkles, 0.16) * (1.0 + 7.0 * folded) * (folded > 0.1)
    depth = (3.0 + 6.0 * folded) * sylvian + sulci
    away = 0.30 * spec.occipitofrontal_mm / 2 - np.abs(
        at.y
    )  # basal grey and corpus callosum bridge the middle
    fissure = np.minimum(0.5 - np.abs(midline_offset(spec, at)), -0.25 * away)
    near = np.clip(1 + inner / (10.0 + 6.0 * folded), 0, 1)
    return np.asarray(np.maximum(inner + depth * near, fissure), dtype=np.float32)
