"""A head as smooth implicit shapes: distances in mm, negative inside, on any set of points.

Points are in head coordinates, mm from the head's centre: x to the patient's left, y backwards,
z towards the crown, 0 at the transventricular plane. All arrays of one call share one shape.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from inference.phantom.records import HeadSpec, LateralVentricle

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Points:
    """Head coordinates in mm, float32, of the samples of a picture or of ultrasound beams."""

    x: Floats
    y: Floats
    z: Floats


def head_distance(spec: HeadSpec, at: Points) -> Floats:
    """To the outer table of the skull: a superellipse, wider behind, an ellipsoid along z."""
    along = spec.occipitofrontal_mm / 2
    across = spec.biparietal_mm / 2 * (1 + spec.skull_taper * at.y / along)
    level = np.sqrt(np.maximum(1 - (at.z / head_height_mm(spec)) ** 2, 0.02))
    n = spec.skull_squareness
    rho = (np.abs(at.x / across) ** n + np.abs(at.y / along) ** n) ** (1 / n) / level
    radius = np.sqrt(at.x**2 + at.y**2)
    rho = np.maximum(rho * (1 + _unevenness(spec, at, radius)), 1e-3)
    return np.asarray(np.where(radius < 1, -across, radius * (1 - 1 / rho)), dtype=np.float32)


def _unevenness(spec: HeadSpec, at: Points, radius: Floats) -> Floats:
    """Share of the radius: harmonics 3 and 4 of the direction, without a trigonometric call."""
    c, s = at.x / (radius + 1e-6), at.y / (radius + 1e-6)
    a, b, d, e = (np.float32(share) for share in spec.skull_unevenness)
    double_c, double_s = c**2 - s**2, 2 * c * s
    third = a * c * (4 * c**2 - 3) + b * s * (3 - 4 * s**2)
    fourth = d * (double_c**2 - double_s**2) + e * 2 * double_c * double_s
    return np.asarray(third + fourth, dtype=np.float32)


def head_height_mm(spec: HeadSpec) -> float:
    """From the transventricular plane to the crown."""
    return 0.44 * (spec.biparietal_mm + spec.occipitofrontal_mm) / 2


def midline_offset(spec: HeadSpec, at: Points) -> Floats:
    """Signed distance from the falx; positive on the patient's left."""
    half = np.float32(spec.occipitofrontal_mm / 2)
    return at.x - np.float32(spec.midline_bow_mm) * (1 - (at.y / half) ** 2)


def bow_mm(spec: HeadSpec, y: float) -> float:
    """How far the falx lies to the patient's left of the head's axis."""
    return spec.midline_bow_mm * (1 - (2 * y / spec.occipitofrontal_mm) ** 2)


@dataclass(frozen=True)
class Profile:
    """A ventricle as a ridge over y: where its middle lies and how wide it is, all in mm."""

    y: NDArray[np.float64]
    centre: NDArray[np.float64]
    half_width: NDArray[np.float64]


def profile(spec: HeadSpec, ventricle: LateralVentricle) -> Profile:
    """Centre line and half-width of one ventricle, mirrored to positive x."""
    along = spec.occipitofrontal_mm / 2
    y = np.linspace(-along, along, 2049)  # nearest sample serves: about 0.05 mm apart
    return Profile(y, _centre_line(spec, ventricle, y), _half_width(spec, ventricle, y))


def _centre_line(spec: HeadSpec, v: LateralVentricle, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frontal horn outwards, in at the foramen, out to the atrium, straight through the glomus."""
    along, across = spec.occipitofrontal_mm / 2, spec.biparietal_mm / 2
    slope = math.tan(math.radians(v.axis_angle_deg))
    straight = max(4.0, 0.5 * v.atrial_width_mm)
    before, after = v.atrium_position_mm - straight, v.atrium_position_mm + straight
    inner = 0.6 + 0.5 * (v.frontal_width_mm + spec.cavum_width_mm)
    knots = [
        (-0.62 * along, inner + 0.20 * across),
        (-0.26 * along, inner),
        (before, v.atrium_offset_mm - slope * straight),
        (v.atrium_position_mm, v.atrium_offset_mm),
        (after, v.atrium_offset_mm + slope * straight),
        (after + 0.3 * along, v.atrium_offset_mm + slope * straight - 0.06 * along),
    ]
    if before < -0.1 * along:
        knots.pop(1)
    curve = PchipInterpolator([k[0] for k in knots], [k[1] for k in knots], extrapolate=True)
    line: NDArray[np.float64] = np.where(
        np.abs(y - v.atrium_position_mm) <= straight,
        v.atrium_offset_mm + slope * (y - v.atrium_position_mm),
        curve(np.clip(y, knots[0][0], knots[-1][0])),
    )
    return line


def _half_width(spec: HeadSpec, v: LateralVentricle, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the opening along x; below zero beyond the ends, so that distances stay honest.

    Flat around the glomus for as long as the caliper runs slantwise, so that the width is exact.
    """
    along, angle = spec.occipitofrontal_mm / 2, math.radians(v.axis_angle_deg)
    widest, flat = v.atrial_width_mm / 2 / math.cos(angle), v.atrial_width_mm / 2 * math.sin(angle) + 0.3
    atrium = _lobe(y - v.atrium_position_mm, v.atrium_length_mm, v.occipital_length_mm, widest, flat)
    parts = [atrium, _lobe(y + 0.40 * along, v.frontal_length_mm, 0.2 * along, v.frontal_width_mm / 2)]
    if v.body_width_mm > 0:
        middle = (v.atrium_position_mm - 0.40 * along) / 2
        reach = v.atrium_position_mm - middle
        parts.append(_lobe(y - middle, reach, reach, v.body_width_mm / 2))
    half: NDArray[np.float64] = np.maximum.reduce(parts)
    return half


def _lobe(
    y: NDArray[np.float64], before: float, after: float, half: float, flat: float = 0.0
) -> NDArray[np.float64]:
    """A rounded part around y = 0, flat for `flat` mm, reaching `before` and `after` mm along y."""
    reach = np.where(y < 0, before, after) - flat
    u = np.maximum(np.abs(y) - flat, 0) / reach
    lobe: NDArray[np.float64] = half * np.sqrt(np.clip(1 - u**2.4, 0, 1)) - np.maximum(u - 1, 0) * reach
    return lobe


def ventricle_distance(spec: HeadSpec, ventricle: LateralVentricle, side: int, at: Points) -> Floats:
    """To the wall of one lateral ventricle; side 1 is the patient's left, -1 the right."""
    table = profile(spec, ventricle)
    across = side * midline_offset(spec, at)
    place = (at.y - table.y[0]) / (table.y[1] - table.y[0]) + 0.5
    nearest = np.clip(place, 0, len(table.y) - 1).astype(np.int32)
    lean = (1 / np.sqrt(1 + np.gradient(table.centre, table.y) ** 2)).astype(np.float32)[nearest]
    half = table.half_width.astype(np.float32)[nearest]
    centre = table.centre.astype(np.float32)[nearest]
    tallest = np.float32(0.4 * head_height_mm(spec))
    upwards = np.where(at.z > 0, np.float32(1.5), np.float32(1))
    height = upwards * np.minimum(4.0 + 1.1 * np.maximum(half, 0), tallest)
    half = half - np.maximum(half, 2.0) * (1 - np.sqrt(np.clip(1 - (at.z / height) ** 2, 0, 1)))
    beyond = np.maximum(np.abs(at.z) - height, 0)
    return np.asarray((np.abs(across - centre) - half) * lean + beyond, dtype=np.float32)


def caliper_ends(spec: HeadSpec, ventricle: LateralVentricle, side: int) -> tuple[tuple[float, float], ...]:
    """(x, y) of the inner and the outer end of the atrial width, through the glomus across the long axis."""
    angle, half = math.radians(ventricle.axis_angle_deg), ventricle.atrial_width_mm / 2
    ends = []
    for sign in (-1, 1):
        across = ventricle.atrium_offset_mm + sign * half * math.cos(angle)
        y = ventricle.atrium_position_mm - sign * half * math.sin(angle)
        ends.append((side * across + bow_mm(spec, y), y))
    return tuple(ends)


def choroid_distance(
    spec: HeadSpec, ventricle: LateralVentricle, side: int, at: Points, wall: Floats
) -> Floats:
    """To the choroid plexus, an elongated glomus kept within the given ventricle's wall distance."""
    angle = math.radians(ventricle.axis_angle_deg)
    free = ventricle.atrial_width_mm * (1 - ventricle.choroid_share) / 2
    shift = ventricle.choroid_drift * free
    u = side * midline_offset(spec, at) - ventricle.atrium_offset_mm - shift * math.cos(angle)
    w = at.y - ventricle.atrium_position_mm + shift * math.sin(angle)
    turn = angle + math.radians(ventricle.choroid_angle_deg)
    across = u * math.cos(turn) - w * math.sin(turn)
    along = u * math.sin(turn) + w * math.cos(turn)
    half = ventricle.choroid_share * ventricle.atrial_width_mm / 2
    rho = np.sqrt((across / half) ** 2 + (along / (ventricle.choroid_length_mm / 2)) ** 2 + (at.z / 6.0) ** 2)
    return np.asarray(np.maximum((rho - 1) * half, wall + 0.25), dtype=np.float32)


def cavum_distance(spec: HeadSpec, at: Points) -> Floats:
    """To the cavum septi pellucidi, a rounded box on the midline between the frontal horns."""
    along = spec.occipitofrontal_mm / 2
    across = np.abs(midline_offset(spec, at)) - spec.cavum_width_mm / 2
    length = np.abs(at.y + 0.38 * along) - spec.cavum_length_mm / 2
    level = np.abs(at.z) - 5.0
    rounding = 0.45 * spec.cavum_width_mm
    outside = np.hypot(np.maximum(across + rounding, 0), np.maximum(length + rounding, 0)) - rounding
    inside = np.minimum(np.maximum(across, length) + rounding, 0)
    return np.asarray(np.maximum(outside + inside, level), dtype=np.float32)


def thalamus_distance(spec: HeadSpec, at: Points) -> Floats:
    """To the nearer thalamus, an ellipse beside the midline; it lies below the plane, its top shows."""
    along, across = spec.occipitofrontal_mm / 2, spec.biparietal_mm / 2
    u = (np.abs(midline_offset(spec, at)) - 0.19 * across) / (0.16 * across)
    v = (at.y + 0.02 * along) / (0.22 * along)
    w = (at.z + 4.0) / 9.0
    return np.asarray((np.sqrt(u**2 + v**2 + w**2) - 1) * 0.16 * across, dtype=np.float32)
