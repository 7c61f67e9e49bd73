"""From a scene along ultrasound beams to a picture: the same physics for everything that is no head."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from inference.phantom.anatomy import sample_spec
from inference.phantom.furniture import draw_furniture
from inference.phantom.geometry import Floats, Points
from inference.phantom.records import NO_DEFECTS
from inference.phantom.scanner import BEAMS, SAMPLES, Scanner, ultrasound_view
from inference.phantom.texture import grid_texture, head_texture, soft_step, wavy


@dataclass(frozen=True)
class Scene:
    """What the beams meet, arrays (SAMPLES, BEAMS).

    level: dB of the diffuse echo. mirror: amplitude of surfaces, 1 is bone hit squarely.
    bone: 0..1, what throws a shadow.
    """

    level: Floats
    mirror: Floats
    bone: Floats


Painter = Callable[[np.random.Generator, Points, float], Scene]
"""Draws a scene at points in mm around its middle; the number is half the size of a head of that age."""


def sonogram(seed: int, size: int, painter: Painter, salt: str) -> Floats:
    """One frame 0..1 (size, size) of a scene; equal arguments give equal pixels, another salt others."""
    rng = np.random.default_rng([*salt.encode(), seed])
    spec = sample_spec(rng)
    view, scanner = ultrasound_view(rng, spec, NO_DEFECTS, size)
    scene = painter(rng, view.head(*scanner.beams()), spec.biparietal_mm / 2)
    echo = _received(rng, scene, scanner)
    right, down = view.screen()
    picture, fan = scanner.convert(_displayed(rng, echo, scanner), right, down)
    shown = np.clip(picture, 0, 1) ** float(rng.uniform(0.9, 1.5))
    shown = scanner.lift + (1 - scanner.lift) * shown
    framed = scanner.background + (shown - scanner.background) * gaussian_filter(fan, 0.5)
    return draw_furniture(rng, np.asarray(framed, np.float32), scanner, view)


def tissue_level(rng: np.random.Generator, points: Points) -> Floats:
    """dB of soft tissue in patches, with pools of fluid in half of the frames."""
    seed = int(rng.integers(2**31))
    level = float(rng.uniform(-36, -20)) + float(rng.uniform(2, 7)) * head_texture(seed, points, 28.0)
    level = level + float(rng.uniform(1, 4)) * head_texture(seed + 1, points, 7.0)
    level = level + float(rng.uniform(1, 6)) * grid_texture(rng, points.x.shape, (2.5, 16.0))
    if rng.random() < 0.5:
        pool = head_texture(seed + 2, points, float(rng.uniform(25, 60))) - float(rng.uniform(0.3, 1.2))
        level = level + (-58 - level) * soft_step(np.asarray(-pool, np.float32), 0.3)
    return np.asarray(level, np.float32)


def bumpy(rng: np.random.Generator, points: Points, radius: float, aspect: float) -> Floats:
    """Distance in mm to a closed outline, neither circle nor ellipse; negative inside."""
    angle = float(rng.uniform(0, math.pi))
    u, v = turned(points, angle)
    around = np.arctan2(v, u)
    rho = np.hypot(u, v / np.float32(aspect)) - float(rng.uniform(0.01, 0.05)) * radius * wavy(rng, around)
    return np.asarray(rho - radius, np.float32)


def turned(points: Points, angle: float, at: tuple[float, float] = (0.0, 0.0)) -> tuple[Floats, Floats]:
    """Coordinates around `at`, turned by an angle."""
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    x, y = points.x - np.float32(at[0]), points.y - np.float32(at[1])
    return cos * x + sin * y, cos * y - sin * x


def blob(points: Points, at: tuple[float, float], half: tuple[float, float], angle: float = 0.0) -> Floats:
    """Distance in mm to an ellipse, roughly; negative inside."""
    u, v = turned(points, angle, at)
    rho = np.hypot(u / np.float32(half[0]), v / np.float32(half[1]))
    return np.asarray((rho - 1) * min(half), np.float32)


def filled(level: Floats, distance: Floats, value: float, edge: float = 1.0) -> Floats:
    """The level with everything inside a shape set to one value."""
    return np.asarray(level + (value - level) * soft_step(distance, edge), np.float32)


def _received(rng: np.random.Generator, scene: Scene, scanner: Scanner) -> Floats:
    """Speckle: random scatterers seen at the machine's resolution, behind what throws shadows."""
    absorbed = np.cumsum(scene.bone, axis=0) * scanner.step_mm() * float(rng.uniform(0.3, 1.5))
    passed = np.exp(-np.minimum(gaussian_filter(absorbed, (0, 2.0)), 3.5))
    streaks = 10 ** (0.6 * grid_texture(rng, (1, BEAMS), (1.0, 2.5)) / 20)
    axial = scanner.axial_mm / scanner.step_mm()
    lateral = scanner.lateral_mm / ((scanner.near + scanner.far) * scanner.half_angle / (BEAMS - 1))
    grain = math.sqrt(4 * math.pi * axial * lateral)
    amplitude = (10 ** (scene.level / 20) + 0.5 * scene.mirror) * passed * streaks
    power = np.zeros((SAMPLES, BEAMS), np.float32)
    for _ in range(scanner.looks):
        noise = rng.standard_normal((2, SAMPLES, BEAMS), dtype=np.float32) * grain
        real = gaussian_filter(noise[0] * amplitude + 1.4 * scene.mirror * passed, (axial, lateral))
        power += real**2 + gaussian_filter(noise[1] * amplitude, (axial, lateral)) ** 2
    return np.asarray(np.sqrt(power / scanner.looks), np.float32)


def _displayed(rng: np.random.Generator, echo: Floats, scanner: Scanner) -> Floats:
    """Depth gain and log compression into 0..1."""
    depth = np.linspace(0, 1, SAMPLES, dtype=np.float32)[:, np.newaxis]
    gain = scanner.gain_db + scanner.near_gain_db * (1 - depth) + scanner.far_gain_db * depth
    hiss = 10 ** (-58 / 20) * np.abs(rng.standard_normal(echo.shape, dtype=np.float32))
    level = 20 * np.log10(echo + hiss + 1e-6) + gain
    return np.asarray(np.clip(1 + level / scanner.dynamic_range_db, 0, 1.05), np.float32)
