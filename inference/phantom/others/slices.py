"""MRI and CT that show no fetal brain: adult heads, bodies, limbs, a womb without a head in the plane."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from inference.phantom.geometry import Floats, Points
from inference.phantom.others.echo import blob, bumpy, turned
from inference.phantom.texture import grid_texture, head_texture, ridge, soft_step

CONTRASTS: dict[str, tuple[float, float, float, float, float]] = {
    "t1": (0.12, 0.45, 0.70, 0.05, 0.95),
    "t2": (0.95, 0.52, 0.34, 0.05, 0.60),
    "flair": (0.08, 0.55, 0.42, 0.05, 0.55),
    "pd": (0.75, 0.80, 0.60, 0.08, 0.70),
    "ct": (0.30, 0.40, 0.37, 1.00, 0.25),
}
"""Fluid, cortex, white matter, skull, scalp."""


def adult_head(rng: np.random.Generator, size: int) -> Floats:
    """A large head in thick bone and scalp: deep narrow folds, slender ventricles."""
    points = _grid(rng, size)
    fluid, cortex, white, skull, scalp = _contrast(rng)
    half = float(rng.uniform(0.6, 0.95))
    rim = bumpy(rng, points, half, float(rng.uniform(0.72, 0.86)))
    bare = rng.random() < 0.35
    brain = rim + (0.0 if bare else half * float(rng.uniform(0.12, 0.22)))
    picture = np.zeros_like(rim)
    if not bare:
        picture = _laid(picture, rim, scalp, 0.02)
        picture = _laid(picture, rim + 0.05 * half, skull, 0.02)
    picture = _laid(picture, brain, fluid, 0.02)
    picture = _laid(picture, brain + 0.02, cortex, 0.02)
    picture = _laid(picture, _white_matter(rng, points, brain, half), white, 0.03)
    picture = _sulci(rng, points, brain, half, picture, fluid)
    picture = _adult_middle(rng, points, half, picture, fluid, cortex)
    if not bare and rng.random() < 0.3:
        picture = _eyes(rng, points, half, picture, fluid, scalp)
    return _acquired(rng, picture)


def _contrast(rng: np.random.Generator) -> tuple[float, float, float, float, float]:
    base = CONTRASTS[list(CONTRASTS)[int(rng.integers(len(CONTRASTS)))]]
    fluid, cortex, white, skull, scalp = (max(0.0, level + float(rng.normal(0, 0.04))) for level in base)
    return fluid, cortex, white, skull, scalp


def _grid(rng: np.random.Generator, size: int) -> Points:
    """Points from -1 to 1 across the picture, shifted and turned a little."""
    steps = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = np.meshgrid(steps + np.float32(rng.normal(0, 0.05)), steps + np.float32(rng.normal(0, 0.05)))
    turn = float(rng.normal(0, 0.15))
    plain = Points(x, y, np.zeros_like(x))
    x, y = turned(plain, turn)
    return Points(x, y, np.zeros_like(x))


def _laid(picture: Floats, distance: Floats, value: float, edge: float) -> Floats:
    return np.asarray(picture + (value - picture) * soft_step(distance, edge), np.float32)


def _noise(rng: np.random.Generator, points: Points, grain: float) -> Floats:
    """Smooth noise with blobs of about `grain` of half the picture."""
    scaled = Points(points.x * 100, points.y * 100, points.z)
    return head_texture(int(rng.integers(2**31)), scaled, 100 * grain)


def _white_matter(rng: np.random.Generator, points: Points, brain: Floats, half: float) -> Floats:
    """Distance to white matter: a core with fingers that reach into the folds."""
    fingers = _noise(rng, points, float(rng.uniform(0.05, 0.10)))
    return np.asarray(brain + half * (float(rng.uniform(0.12, 0.2)) + 0.09 * fingers), np.float32)


def _sulci(
    rng: np.random.Generator, points: Points, brain: Floats, half: float, picture: Floats, fluid: float
) -> Floats:
    """Narrow clefts from the surface inwards, and the fissure between the hemispheres."""
    folds = np.abs(_noise(rng, points, float(rng.uniform(0.05, 0.11))))
    depth = soft_step(-brain - half * float(rng.uniform(0.2, 0.4)), 0.1) * soft_step(brain, 0.02)
    clefts = ridge(folds, float(rng.uniform(0.15, 0.4))) * depth
    gap = ridge(points.x + 0.01 * _noise(rng, points, 0.2), 0.012) * soft_step(brain, 0.02)
    share = np.clip(float(rng.uniform(0.4, 0.9)) * clefts + 0.7 * gap * (np.abs(points.y) > 0.3 * half), 0, 1)
    return np.asarray(picture + (fluid - picture) * share, np.float32)


def _adult_middle(
    rng: np.random.Generator, points: Points, half: float, picture: Floats, fluid: float, cortex: float
) -> Floats:
    """Slender ventricles like a butterfly between deep grey nuclei."""
    wide = half * float(rng.uniform(0.03, 0.08))
    for side in (-1, 1):
        nucleus = blob(points, (side * 0.25 * half, 0.0), (0.13 * half, 0.24 * half), side * 0.3)
        picture = _laid(picture, nucleus, cortex, 0.05)
        for end in (-1, 1):
            at = (side * 0.09 * half, end * 0.24 * half)
            horn = blob(points, at, (wide, 0.22 * half), -side * end * float(rng.uniform(0.2, 0.5)))
            picture = _laid(picture, horn, fluid, 0.02)
    return picture


def _eyes(
    rng: np.random.Generator, points: Points, half: float, picture: Floats, fluid: float, scalp: float
) -> Floats:
    """A low section: globes in bright fat, air in front."""
    for side in (-1, 1):
        at = (side * 0.35 * half, -0.75 * half)
        picture = _laid(picture, blob(points, at, (0.24 * half, 0.26 * half)), scalp, 0.02)
        picture = _laid(picture, blob(points, at, (0.15 * half, 0.15 * half)), fluid, 0.02)
    air = blob(points, (0.0, -0.6 * half), (0.15 * half, 0.3 * half))
    return _laid(picture, air, float(rng.uniform(0, 0.1)), 0.02)


def body(rng: np.random.Generator, size: int) -> Floats:
    """A trunk in section: a rim of fat, organs, vertebra, gas."""
    points = _grid(rng, size)
    half = float(rng.uniform(0.7, 1.1))
    rim = bumpy(rng, points, half, float(rng.uniform(0.55, 0.9)))
    fat, flesh = float(rng.uniform(0.1, 0.95)), float(rng.uniform(0.2, 0.5))
    picture = _laid(np.zeros_like(rim), rim, fat, 0.02)
    inner = rim + half * float(rng.uniform(0.05, 0.2))
    picture = _laid(picture, inner, flesh, 0.02)
    for _ in range(int(rng.integers(4, 14))):
        angle, away = float(rng.uniform(0, 2 * math.pi)), half * float(rng.uniform(0, 0.6))
        at = away * math.cos(angle), away * math.sin(angle)
        sides = half * float(rng.uniform(0.05, 0.35)), half * float(rng.uniform(0.05, 0.25))
        organ = blob(points, at, sides, float(rng.uniform(0, 3))) + 0.02 * _noise(rng, points, 0.1)
        picture = _laid(picture, np.maximum(organ, inner), float(rng.uniform(0.0, 1.0)), 0.02)
    picture = picture * (1 + 0.1 * _noise(rng, points, 0.05) * (rim < 0))
    return _acquired(rng, np.asarray(picture, np.float32))


def limb(rng: np.random.Generator, size: int) -> Floats:
    """A thigh, a knee or an arm: bright marrow in dark rings of bone, muscle, fat."""
    points = _grid(rng, size)
    half = float(rng.uniform(0.5, 0.95))
    rim = bumpy(rng, points, half, float(rng.uniform(0.75, 1.0)))
    picture = _laid(np.zeros_like(rim), rim, float(rng.uniform(0.5, 1.0)), 0.02)
    muscle = rim + half * float(rng.uniform(0.08, 0.25))
    strands = float(rng.uniform(0.2, 0.4)) + 0.06 * _noise(rng, points, 0.08)
    picture = np.asarray(picture + (strands - picture) * soft_step(muscle, 0.02), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        at = float(rng.normal(0, 0.25)) * half, float(rng.normal(0, 0.25)) * half
        bone = blob(
            points, at, (half * float(rng.uniform(0.12, 0.45)), half * float(rng.uniform(0.12, 0.35)))
        )
        picture = _laid(picture, bone, 0.05, 0.02)
        picture = _laid(picture, bone + 0.04, float(rng.uniform(0.4, 0.9)), 0.02)
    return _acquired(rng, picture)


def womb(rng: np.random.Generator, size: int) -> Floats:
    """Fluid, placenta, a fetal trunk or limbs, the mother's tissue; no head in the plane."""
    points = _grid(rng, size)
    picture = 0.35 + 0.12 * _noise(rng, points, 0.25) + 0.05 * _noise(rng, points, 0.07)
    sac = bumpy(rng, points, float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.6, 1.0)))
    picture = _laid(picture, sac, float(rng.uniform(0.75, 1.0)), 0.04)
    for _ in range(int(rng.integers(0, 5))):
        at = float(rng.normal(0, 0.3)), float(rng.normal(0, 0.3))
        sides = float(rng.uniform(0.08, 0.35)), float(rng.uniform(0.06, 0.25))
        part = blob(points, at, sides, float(rng.uniform(0, 3))) + 0.03 * _noise(rng, points, 0.15)
        level = float(rng.uniform(0.15, 0.6)) + 0.12 * _noise(rng, points, 0.05)
        picture = np.asarray(picture + (level - picture) * soft_step(part, 0.03), np.float32)
    return _acquired(rng, picture)


def _acquired(rng: np.random.Generator, picture: Floats) -> Floats:
    """Coil shading, blur and noise."""
    size = picture.shape[0]
    shaded = picture * (1 + 0.1 * grid_texture(rng, (size, size), (size / 4, size / 4)))
    soft = gaussian_filter(shaded, float(rng.uniform(0.5, 1.8)) * size / 256)
    noise = rng.standard_normal((2, size, size), dtype=np.float32) * float(rng.uniform(0, 0.15)) ** 2
    return np.asarray(np.clip(np.hypot(soft + noise[0], noise[1]), 0, 1), np.float32)
