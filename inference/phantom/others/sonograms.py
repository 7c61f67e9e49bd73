"""Obstetric ultrasound that shows no head in axial section: what an examination is full of."""

import math

import numpy as np

from inference.phantom.geometry import Floats, Points
from inference.phantom.others.echo import Scene, blob, bumpy, filled, tissue_level, turned
from inference.phantom.texture import head_texture, ridge, soft_step

FLUID = -60.0


def femur(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A bright bar, often bowed, with its shadow, in a limb of soft tissue."""
    level, angle = tissue_level(rng, points), float(rng.normal(math.pi / 2, 0.5))
    u, v = turned(points, angle, (float(rng.normal(0, 0.2)) * half, float(rng.normal(0, 0.2)) * half))
    reach, bow = half * float(rng.uniform(0.6, 1.3)), float(rng.normal(0, 0.12)) / half
    bent = v - np.float32(bow) * u**2
    tapered = half * float(rng.uniform(0.25, 0.5)) * (1 - 0.3 * u / (2 * half))
    limb = np.asarray(np.abs(bent) - tapered, np.float32)
    level = filled(level, limb, float(rng.uniform(-38, -26)), 3.0)
    ends = np.asarray(np.abs(u) - reach, np.float32)
    bone = ridge(bent, float(rng.uniform(1.0, 2.2))) * soft_step(ends, 2.0)
    bone = bone + ridge(np.abs(limb), 0.8) * 0.05
    return Scene(level, np.asarray(0.7 * bone, np.float32), np.asarray(bone * (bone > 0.3), np.float32))


def abdomen(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A round section with liver, stomach bubble, umbilical vein, spine and ribs."""
    level, mirror, bone, rim, radius = _trunk(rng, points, half)
    stomach = float(rng.uniform(0, 2 * math.pi))
    at = (0.45 * radius * math.cos(stomach), 0.45 * radius * math.sin(stomach))
    size = radius * float(rng.uniform(0.12, 0.25))
    if rng.random() < 0.85:
        level = filled(level, blob(points, at, (size, size * 0.7), stomach), FLUID)
    turn = float(rng.uniform(0, 2 * math.pi))
    u, v = turned(points, turn, (0.0, 0.0))
    vein = np.hypot(np.maximum(np.abs(u - 0.25 * radius) - 0.25 * radius, 0), v - 0.6 * u**2 / radius)
    level = filled(level, np.asarray(vein - 0.05 * radius, np.float32), FLUID)
    mirror = mirror + 0.15 * ridge(vein - 0.07 * radius, 0.8) * (rim < -2)
    return Scene(level, np.asarray(mirror, np.float32), bone)


def thorax(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A round section with a heart of four chambers between lungs, spine and ribs."""
    level, mirror, bone, _, radius = _trunk(rng, points, half)
    angle, size = float(rng.uniform(0, 2 * math.pi)), radius * float(rng.uniform(0.35, 0.5))
    at = (0.15 * radius * math.cos(angle), 0.15 * radius * math.sin(angle))
    u, v = turned(points, angle, at)
    heart = blob(points, at, (size, 0.75 * size), angle)
    level = filled(level, heart, float(rng.uniform(-34, -22)), 3.0)
    for side in (-1, 1):
        for end, length in ((-0.45, 0.3), (0.3, 0.45)):
            place, wide = float(rng.normal(0.32, 0.05)) * side * size, float(rng.uniform(0.15, 0.26))
            chamber = np.hypot((u - end * size) / length, (v - place) / wide) - size
            level = filled(level, np.asarray(0.25 * chamber, np.float32), float(rng.uniform(FLUID, -44)), 3.0)
    walls = float(rng.uniform(0, 0.2))
    mirror = mirror + walls * (ridge(v, 0.8) + ridge(u + 0.05 * size, 0.8)) * (heart < -1)
    return Scene(level, np.asarray(mirror, np.float32), bone)


def _trunk(
    rng: np.random.Generator, points: Points, half: float
) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Level, surfaces, bone, distance to the skin and radius of a fetal trunk in section."""
    radius = half * float(rng.uniform(0.75, 1.25))
    rim = bumpy(rng, points, radius, float(rng.uniform(0.8, 1.0)))
    level = filled(tissue_level(rng, points), rim, float(rng.uniform(-36, -24)), 2.0)
    level = level + 3.0 * head_texture(int(rng.integers(2**31)), points, 6.0) * (rim < 0)
    facing = np.abs(np.gradient(rim, axis=0)) / (np.abs(np.gradient(rim, axis=0)).max() + 1e-6)
    mirror = float(rng.uniform(0.03, 0.35)) * ridge(rim, float(rng.uniform(0.8, 2.0))) * facing**2
    bone = np.zeros_like(rim)
    spine = float(rng.uniform(0, 2 * math.pi))
    for turn in (-0.16, 0.0, 0.16):
        place = (0.78 - 0.1 * (turn == 0)) * radius
        at = place * math.cos(spine + turn), place * math.sin(spine + turn)
        bone = bone + soft_step(blob(points, at, (0.06 * radius, 0.05 * radius)), 1.0)
    for _ in range(int(rng.integers(0, 5))):
        start = float(rng.uniform(0, 2 * math.pi))
        near = np.abs(np.angle(np.exp(1j * (np.arctan2(points.y, points.x) - start)))) < 0.22
        bone = bone + ridge(rim + 0.1 * radius, 1.2) * near
    bone = np.asarray(np.minimum(bone, 1), np.float32)
    return level, np.asarray(mirror + 0.6 * bone, np.float32), bone, rim, radius


def cervix(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """Layers along a canal, the bladder above, sometimes a piece of the head's arc at the border."""
    angle = float(rng.normal(0, 0.4))
    u, v = turned(points, angle)
    level = tissue_level(rng, points)
    stripes = np.sin(v / half * float(rng.uniform(4, 9)) + 0.8 * head_texture(5, points, 40.0))
    level = level + 4 * stripes
    canal = np.asarray(v - 0.1 * half * np.sin(2 * u / half), np.float32)
    level = level - 10 * ridge(canal, 0.08 * half)
    mirror = 0.1 * ridge(canal, 0.9) * (u < 0.5 * half)
    bladder = (float(rng.normal(0, 0.5)) * half, -float(rng.uniform(0.8, 1.4)) * half)
    level = filled(level, blob(points, bladder, (0.9 * half, 0.35 * half)), FLUID, 2.0)
    bone = np.zeros_like(level)
    if rng.random() < 0.5:
        side = float(rng.choice([-1, 1])) * float(rng.uniform(1.3, 1.8)) * half
        arc = ridge(np.hypot(points.x - side, points.y - 0.4 * half) - 0.8 * half, 1.5)
        bone = arc * (np.abs(points.x) < 1.2 * half)
    return Scene(level, np.asarray(mirror + 0.6 * bone, np.float32), np.asarray(bone, np.float32))


def placenta(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A granular slab on the wall, fluid, and loops of cord."""
    u, v = turned(points, float(rng.uniform(0, 2 * math.pi)))
    level = np.full_like(u, FLUID)
    slab = v - 0.2 * half * np.sin(u / half * 1.5 + float(rng.uniform(0, 6)))
    grain = float(rng.uniform(-30, -20)) + 3 * head_texture(int(rng.integers(2**31)), points, 4.0)
    level = level + (grain - level) * soft_step(np.asarray(slab, np.float32), 2.0)
    mirror = 0.15 * ridge(np.asarray(slab, np.float32), 1.2)
    for _ in range(int(rng.integers(0, 5))):
        at = float(rng.normal(0, 0.8)) * half, float(rng.normal(0, 0.8)) * half
        loop = blob(points, at, (0.15 * half, 0.12 * half), float(rng.uniform(0, 3)))
        mirror = mirror + 0.2 * ridge(loop, 1.0)
        level = filled(level, np.asarray(np.abs(loop) - 1.5, np.float32), -28.0)
    return Scene(level, np.asarray(mirror, np.float32), np.zeros_like(level))


def face(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A profile with forehead, nose, lips and chin; behind it jaw and orbit."""
    u, v = turned(points, float(rng.uniform(0, 2 * math.pi)))
    line = 0.25 * np.exp(-(((v + 0.05 * half) / (0.15 * half)) ** 2)) + 0.12 * np.sin(5 * v / half)
    skin = np.asarray(u - half * (line - 0.3 * (v / half) ** 2), np.float32)
    level = filled(np.full_like(u, FLUID), skin, float(rng.uniform(-34, -24)), 1.5)
    level = level + (tissue_level(rng, points) - level) * soft_step(skin + 0.9 * half, 4.0)
    mirror = 0.2 * ridge(skin, 1.0)
    bone = ridge(skin + 0.1 * half, 1.2) * (v < -0.2 * half)
    bone = bone + ridge(np.hypot(u + 0.3 * half, v - 0.4 * half) - 0.35 * half, 1.3) * (v > 0.5 * half)
    orbit = blob(points, (0.0, 0.0), (0.16 * half, 0.16 * half))
    level = filled(level, orbit, FLUID)
    mirror = mirror + 0.3 * ridge(orbit, 1.0)
    return Scene(level, np.asarray(mirror + 0.6 * bone, np.float32), np.asarray(bone, np.float32))


def spine(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """Two or three rows of vertebrae, side by side along a curve."""
    u, v = turned(points, float(rng.normal(math.pi / 2, 0.4)))
    v = v - np.float32(float(rng.normal(0, 0.25)) / half) * u**2
    pitch, apart = half * float(rng.uniform(0.12, 0.2)), half * float(rng.uniform(0.1, 0.2))
    along = np.abs((u / pitch) % 1 - 0.5) * pitch
    rows = [np.hypot(along, v - side * apart) for side in (-1, 0, 1)[: int(rng.integers(2, 4))]]
    bone = soft_step(np.asarray(np.minimum.reduce(rows) - 0.3 * pitch, np.float32), 1.0)
    flank = np.asarray(np.abs(v) - 0.6 * half, np.float32)
    level = filled(tissue_level(rng, points), flank, -30.0, 3.0)
    mirror = 0.6 * bone + 0.15 * ridge(flank, 1.0)
    return Scene(level, np.asarray(mirror, np.float32), np.asarray(bone, np.float32))


def sac(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A ring without a skull: an early sac or a cyst, dark, with something small in it."""
    radius = half * float(rng.uniform(0.5, 1.1))
    rim = bumpy(rng, points, radius, float(rng.uniform(0.6, 1.0)))
    level = filled(tissue_level(rng, points), rim, FLUID, 2.0)
    mirror = float(rng.uniform(0.02, 0.4)) * ridge(rim, float(rng.uniform(0.8, 3.0)))
    for _ in range(int(rng.integers(0, 3))):
        at = float(rng.normal(0, 0.3)) * radius, float(rng.normal(0, 0.3)) * radius
        inner = blob(points, at, (0.3 * radius, 0.15 * radius), float(rng.uniform(0, 3)))
        level = filled(level, inner, float(rng.uniform(-32, -20)))
    return Scene(level, np.asarray(mirror, np.float32), np.zeros_like(level))


def organ(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """A bean with a bright middle, as a kidney has, beside layered muscle."""
    level, angle = tissue_level(rng, points), float(rng.uniform(0, math.pi))
    bean = blob(points, (0.0, 0.0), (half * float(rng.uniform(0.6, 1.1)), 0.45 * half), angle)
    level = filled(level, bean, float(rng.uniform(-42, -30)), 1.5)
    core = blob(points, (0.0, 0.0), (0.5 * half, 0.15 * half), angle)
    level = filled(level, core, float(rng.uniform(-22, -12)), 2.0)
    mirror = float(rng.uniform(0.05, 0.2)) * ridge(bean, 1.0)
    return Scene(level, np.asarray(mirror, np.float32), np.zeros_like(level))


def limbs(rng: np.random.Generator, points: Points, half: float) -> Scene:
    """Hands and feet: short bars and spots in fluid."""
    level = filled(tissue_level(rng, points), blob(points, (0, 0), (1.2 * half, half)), FLUID, 4.0)
    bone = np.zeros_like(level)
    for _ in range(int(rng.integers(3, 9))):
        at = float(rng.normal(0, 0.5)) * half, float(rng.normal(0, 0.5)) * half
        turn, reach = float(rng.uniform(0, 3)), half * float(rng.uniform(0.06, 0.4))
        bone = bone + soft_step(blob(points, at, (reach, 1.8), turn), 1.0)
        level = filled(level, blob(points, at, (reach + 3, 6.0), turn), -28.0, 2.0)
    bone = np.asarray(np.minimum(bone, 1), np.float32)
    return Scene(level, np.asarray(0.6 * bone, np.float32), bone)
