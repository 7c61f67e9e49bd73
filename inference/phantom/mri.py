"""T2-weighted MRI look: bright fluid, grey brain graded by age, dark skull, mother around."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from inference.phantom.geometry import Floats
from inference.phantom.records import Defects, HeadSpec
from inference.phantom.texture import grid_texture, head_texture, neighbours, ridge, soft_step, wavy
from inference.phantom.tissue import Tissue, folding, tissue
from inference.phantom.view import View, frame_head


def mri_view(rng: np.random.Generator, spec: HeadSpec, defects: Defects, size: int) -> View:
    """Anterior up, the patient's left on the right; a fetus never lies quite straight."""
    turn = math.radians(float(rng.normal(0.0, 9.0)))
    return frame_head(rng, spec, defects, size=size, fill=(0.45, 0.95), turn=turn)


def paint_mri(
    rng: np.random.Generator, noise: np.random.Generator, spec: HeadSpec, view: View, defects: Defects
) -> Floats:
    """Signal of one slice, 0..1, (rows, columns).

    rng: contrast and surroundings, drawn alike for every slice of a volume. noise: of this slice alone.
    """
    at = view.head(*view.screen())
    parts = tissue(spec, at)
    edge = 1.6 * view.pixel_spacing[0]
    brain = _brain_signal(rng, spec, parts, edge)
    if rng.random() < 0.5:
        keep = soft_step(np.asarray(parts.skull + rng.uniform(1.0, 4.0), dtype=np.float32), edge)
        blur = float(rng.uniform(0.8, 2.2))
        signal = _acquire(rng, noise, brain * keep, view, defects, blur)
        return np.asarray(signal * gaussian_filter(keep, 0.7), dtype=np.float32)
    signal = _in_utero(rng, spec, parts, brain, edge)
    return _acquire(rng, noise, signal, view, defects, float(rng.uniform(0.5, 1.6)))


def _brain_signal(rng: np.random.Generator, spec: HeadSpec, parts: Tissue, edge: float) -> Floats:
    """Fluid, cortex ribbon, white matter and deep nuclei, before anything outside the brain."""
    folded = folding(spec.gestational_age_days)
    fluid = float(rng.uniform(0.86, 1.0))
    white = fluid * float(rng.uniform(0.58, 0.70))
    cortex = fluid * float(rng.uniform(0.36, 0.48))
    mottle = head_texture(spec.texture_seed + 1, parts.points, 5.0)
    signal = white * (1 + 0.035 * mottle)
    depth = -parts.brain
    band = ridge(depth - (7.0 + 2.5 * folded), 2.4) * (1 - 0.8 * folded)
    signal = signal * (1 - 0.22 * band)
    ribbon = soft_step(depth - (1.6 + 0.9 * folded), 2 * edge)
    signal = signal + (cortex - signal) * ribbon
    lining = ridge(parts.ventricles - 0.8, 1.3) * (1 - 0.6 * folded)
    signal = signal - 0.30 * signal * lining
    nuclei = soft_step(parts.thalami, 4.0)
    signal = signal + (0.80 * white - signal) * nuclei * 0.8
    for distance in (-parts.brain, parts.ventricles, parts.cavum):
        signal = signal + (fluid - signal) * soft_step(distance, 2 * edge)
    plexus = soft_step(parts.choroid + 0.8, 2 * edge) * 0.35
    signal = signal + (0.62 * fluid - signal) * plexus
    falx = ridge(parts.midline, 0.6) * soft_step(parts.skull, 1.0) * (parts.brain > -1) * (parts.cavum > 0.5)
    return np.asarray(signal * (1 - 0.25 * falx), dtype=np.float32)


def _in_utero(rng: np.random.Generator, spec: HeadSpec, parts: Tissue, brain: Floats, edge: float) -> Floats:
    """Dark skull, bright scalp, amniotic fluid with flow, and the mother's layered tissue."""
    points = parts.points
    seed = int(rng.integers(2**31))
    bone, scalp = float(rng.uniform(0.04, 0.12)), float(rng.uniform(0.3, 0.6))
    amnion = float(rng.uniform(0.7, 0.95)) + 0.08 * head_texture(seed, points, 22.0)
    angle = np.arctan2(points.y, points.x)
    wall_at = np.maximum(rng.uniform(1.0, 14.0) + 5.0 * wavy(rng, angle), 0.5)
    mother = 0.30 + 0.10 * head_texture(seed + 2, points, 9.0) + 0.10 * head_texture(seed + 3, points, 20.0)
    mother = mother + 0.04 * head_texture(seed + 4, points, 2.5)
    fat = soft_step(np.asarray(wall_at + rng.uniform(8, 40) - parts.skull, dtype=np.float32), 3.0)
    mother = mother + (0.75 - mother) * fat * float(rng.uniform(0.2, 0.9))
    body = neighbours(rng, points, spec.biparietal_mm)
    amnion = amnion + (mother + 0.1 - amnion) * soft_step(body, 2 * edge)
    outside = amnion + (mother - amnion) * soft_step(wall_at - parts.skull, 2 * edge)
    outside = outside + (scalp - outside) * soft_step(parts.skull - float(rng.uniform(0.8, 2.5)), edge)
    signal = outside + (bone - outside) * soft_step(parts.skull, edge)
    return np.asarray(
        signal + (brain - signal) * soft_step(parts.skull + spec.skull_thickness_mm, edge), np.float32
    )


def _acquire(
    rng: np.random.Generator,
    noise: np.random.Generator,
    signal: Floats,
    view: View,
    defects: Defects,
    blur: float,
) -> Floats:
    """Coil shading, partial volume, then the defects in the order in which a scanner makes them."""
    size = view.size
    slow = grid_texture(rng, (size, size), (size / 4, size / 4))
    signal = np.asarray(np.maximum(signal, 0.02) * (1 + 0.10 * slow), dtype=np.float32)
    signal = gaussian_filter(signal, (blur + 3.5 * defects.blur) * size / 256)
    signal = _ghosts(rng, signal, defects.motion)
    signal = _signal_void(rng, signal, defects.shadow)
    sigma = float(rng.uniform(0.0, 0.15)) ** 2 + 0.16 * defects.noise
    real, imaginary = noise.standard_normal((2, size, size), dtype=np.float32) * np.float32(sigma)
    signal = np.hypot(signal + real, imaginary)
    return np.asarray(signal * (1 + 0.9 * defects.gain), dtype=np.float32)


def _ghosts(rng: np.random.Generator, signal: Floats, motion: float) -> Floats:
    """Movement between excitations: shifted copies along the phase-encoding direction."""
    axis, step = int(rng.integers(2)), float(rng.uniform(0.04, 0.09)) * signal.shape[0]
    if motion == 0:
        return signal
    moves = [(step * k, 0.0) if axis == 0 else (0.0, step * k) for k in (-2, -1, 1, 2)]
    copies = [shift(signal, move, order=1, mode="grid-wrap") for move in moves]
    ghost = 0.3 * (copies[0] + copies[3]) + 0.7 * (copies[1] + copies[2])
    return np.asarray((1 - 0.45 * motion) * signal + 0.3 * motion * ghost, dtype=np.float32)


def _signal_void(rng: np.random.Generator, signal: Floats, shadow: float) -> Floats:
    """Dropped signal: a dark patch with soft edges, as from fetal movement or susceptibility."""
    rows, columns = np.mgrid[0 : 1 : signal.shape[0] * 1j, 0 : 1 : signal.shape[1] * 1j]
    centre = rng.uniform(0.3, 0.7, 2)
    patch = np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * 0.17**2))
    return np.asarray(signal * (1 - 0.95 * shadow * patch), dtype=np.float32)
