"""Ultrasound look: echoes are made along the beams, so grain, shadows and drop-outs fall into place."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import lfilter

from inference.phantom.furniture import draw_furniture
from inference.phantom.geometry import Floats
from inference.phantom.records import Defects, HeadSpec
from inference.phantom.scanner import BEAMS, SAMPLES, Scanner, ultrasound_view
from inference.phantom.texture import grid_texture, head_texture, neighbours, ridge, soft_step, wavy
from inference.phantom.tissue import Tissue, tissue
from inference.phantom.view import View

__all__ = ["paint_ultrasound", "ultrasound_view"]


def paint_ultrasound(
    rng: np.random.Generator, spec: HeadSpec, view: View, scanner: Scanner, defects: Defects
) -> Floats:
    """Brightness of one frame, 0..1, (rows, columns)."""
    parts = tissue(spec, view.head(*scanner.beams()))
    facing = _facing(parts.skull, scanner)
    bone = soft_step(np.abs(parts.skull + spec.skull_thickness_mm / 2) - spec.skull_thickness_mm / 2, 0.8)
    seen = _near_half(bone, parts, scanner)
    scatter = _scatter(rng, spec, parts, scanner)
    mirror = _mirrors(rng, spec, parts, facing, bone, seen, scanner)
    passed = _transmission(rng, bone, facing, scanner, defects)
    echo = _receive(rng, scatter * passed, mirror * passed, scanner, defects)
    shown = _display(rng, echo, scanner, defects)
    right, down = view.screen()
    picture, fan = scanner.convert(shown, right, down)
    return _finish(rng, picture, fan, scanner, view)


def decibel(level: float) -> float:
    """Amplitude for a level in dB; 0 dB is a skull hit squarely."""
    return float(10 ** (level / 20))


def _facing(distance: Floats, scanner: Scanner) -> Floats:
    """How squarely the beam meets a surface: the cosine between beam and normal, 0..1."""
    along = np.gradient(distance, axis=0) / scanner.step_mm()
    return np.asarray(np.clip(np.abs(along), 0, 1), dtype=np.float32)


def _scatter(rng: np.random.Generator, spec: HeadSpec, parts: Tissue, scanner: Scanner) -> Floats:
    """Amplitude of the diffuse echoes, which become speckle."""
    blur = 0.8
    brain_db = float(rng.uniform(-44, -32)) + 2.5 * head_texture(spec.texture_seed + 1, parts.points, 9.0)
    middle = _central(rng, spec, parts)
    level = np.asarray(brain_db + float(rng.uniform(0, 12)) * (middle - 0.5), dtype=np.float32)
    fluid = float(rng.uniform(-62, -52))
    level = level - 4.0 * soft_step(parts.thalami, 3.0)
    for distance in (-parts.brain, parts.ventricles, parts.cavum):
        level = level + (fluid - level) * soft_step(distance, blur)
    plexus = float(rng.uniform(-26, -10)) + 3.0 * head_texture(spec.texture_seed + 2, parts.points, 3.0)
    ragged = parts.choroid + np.float32(0.5) * head_texture(spec.texture_seed + 9, parts.points, 2.5)
    level = level + (plexus - level) * soft_step(ragged, blur)
    outside = _mother(rng, spec, parts, scanner, fluid)
    level = level + (outside - level) * soft_step(-parts.skull, blur)
    hiss = decibel(rng.uniform(-62, -46))  # no machine shows fluid without some grain
    threads = _threads(rng, spec, parts, scanner) * middle * (parts.ventricles > 0.5)
    return np.asarray(10 ** (level / 20) + hiss + threads, dtype=np.float32)


def _central(rng: np.random.Generator, spec: HeadSpec, parts: Tissue) -> Floats:
    """1 deep in the brain, 0 at its rim: the middle echoes more than the hemispheres' white matter."""
    return ridge(parts.skull + 0.45 * spec.biparietal_mm, float(rng.uniform(0.15, 0.35)) * spec.biparietal_mm)


def _mother(
    rng: np.random.Generator, spec: HeadSpec, parts: Tissue, scanner: Scanner, fluid: float
) -> Floats:
    """dB outside the head: scalp, pools of amniotic fluid, uterus and placenta, abdominal wall in layers."""
    seed, points = int(rng.integers(2**31)), parts.points
    base = float(rng.uniform(-36, -16))
    level = base + float(rng.uniform(2, 8)) * head_texture(seed, points, 30.0)
    level = level + float(rng.uniform(1, 4)) * head_texture(seed + 1, points, 7.0)
    level = level + float(rng.uniform(1, 7)) * grid_texture(rng, (SAMPLES, BEAMS), (2.5, 14.0))
    level = level + float(rng.uniform(0, 5)) * grid_texture(rng, (SAMPLES, BEAMS), (1.2, 5.0))
    pool = float(rng.uniform(-12, 16)) + float(rng.uniform(4, 14)) * wavy(rng, np.arctan2(points.y, points.x))
    body = neighbours(rng, points, spec.biparietal_mm)
    wet = soft_step(parts.skull - pool, 1.5) * soft_step(-body, 1.5)
    level = level + (fluid - level) * wet + float(rng.uniform(0, 10)) * ridge(body, 1.5)
    level = np.where(parts.skull < float(rng.uniform(0.8, 2.5)), base - 2, level)
    depth = np.arange(SAMPLES, dtype=np.float32)[:, np.newaxis] * scanner.step_mm()
    wall = float(rng.uniform(0.02, 0.35)) * (scanner.far - scanner.near) * 0.5
    layered = float(rng.uniform(-32, -18)) + 6.0 * grid_texture(rng, (SAMPLES, BEAMS), (1.4, 45.0))
    layered = layered + 3.0 * grid_texture(rng, (SAMPLES, BEAMS), (5.0, 60.0))
    return np.asarray(level + (layered - level) * soft_step(depth - wall, 4.0), dtype=np.float32)


def _near_half(bone: Floats, parts: Tissue, scanner: Scanner) -> Floats:
    """0..1, how well structure shows: poorly just behind the near skull, fully further down."""
    decay = math.exp(-scanner.step_mm() / (0.16 * (scanner.far - scanner.near)))
    behind = lfilter([scanner.step_mm()], [1, -decay], bone, axis=0) * (parts.skull < -1)
    hidden = (1 - scanner.clarity) * np.clip(behind / 1.5, 0, 1)
    return np.asarray(1 - 0.92 * hidden, dtype=np.float32)


def _mirrors(
    rng: np.random.Generator,
    spec: HeadSpec,
    parts: Tissue,
    facing: Floats,
    bone: Floats,
    seen: Floats,
    scanner: Scanner,
) -> Floats:
    """Amplitude of mirror-like echoes: bright only where a surface faces the beam."""
    patchy = grid_texture(rng, (SAMPLES, BEAMS), (30.0, 9.0)) + 0.6 * grid_texture(
        rng, (SAMPLES, BEAMS), (8.0, 3.0)
    )
    uneven = 10 ** (np.minimum(patchy * float(rng.uniform(1, 8)), 4.0) / 20)
    skull = bone * (0.003 + 0.9 * facing ** float(rng.uniform(1.2, 6.0)))
    skull = skull * uneven * decibel(rng.uniform(-5, 2))
    bent = parts.midline + np.float32(0.4) * head_texture(spec.texture_seed + 12, parts.points, 8.0)
    falx = _line(bent, scanner, decibel(rng.uniform(-24, -8))) * _broken(spec, parts, 3, 10.0)
    falx = falx * (parts.skull < -spec.skull_thickness_mm) * (parts.cavum > 0)
    wall = _line(parts.ventricles, scanner, decibel(rng.uniform(-20, -8))) * _broken(spec, parts, 7, 7.0)
    septa = _line(parts.cavum, scanner, decibel(rng.uniform(-22, -10)))
    pia = _line(parts.brain, scanner, decibel(rng.uniform(-30, -18))) * _broken(spec, parts, 4, 6.0)
    inside = soft_step(parts.skull + spec.skull_thickness_mm + 3, 4.0) * (parts.ventricles > 0.5)
    fine = (wall * (parts.skull < -2)) + falx + septa + pia * inside
    return np.asarray(skull + fine * seen, dtype=np.float32)


def _line(distance: Floats, scanner: Scanner, amplitude: float, width: float = 0.6) -> Floats:
    """A thin surface, `width` mm, that shines where it faces the beam."""
    facing = _facing(distance, scanner)
    return np.asarray(amplitude * ridge(distance, width) * (0.08 + 0.92 * facing**2), dtype=np.float32)


def _broken(spec: HeadSpec, parts: Tissue, which: int, grain: float) -> Floats:
    """0..1, interrupting long lines the way real ones are."""
    patches = head_texture(spec.texture_seed + which, parts.points, grain)
    return np.asarray(np.clip(0.45 + 0.65 * patches, 0, 1), dtype=np.float32)


def _threads(rng: np.random.Generator, spec: HeadSpec, parts: Tissue, scanner: Scanner) -> Floats:
    """Sulci, vessels and cisterns: fine bright threads, broken up by the grain."""
    threads = np.zeros_like(parts.skull)
    for which, grain in ((5, 6.0), (8, 3.5), (11, 2.2)):
        noise = head_texture(spec.texture_seed + which, parts.points, grain)
        patchy = np.clip(head_texture(spec.texture_seed + which + 20, parts.points, 9.0), 0, 1.5)
        level = decibel(rng.uniform(-22, -4))
        threads += _line(noise * np.float32(0.4 * grain), scanner, level, 0.07 * grain + 0.1) * patchy
    return np.asarray(threads * (parts.skull < -spec.skull_thickness_mm - 1), dtype=np.float32)


def _transmission(
    rng: np.random.Generator, bone: Floats, facing: Floats, scanner: Scanner, defects: Defects
) -> Floats:
    """Share of the pulse left at each sample: bone on the way, bad contact, shadow, uneven beams."""
    step = scanner.step_mm()
    loss = float(rng.uniform(0.08, 0.50)) * bone * step * (1 + 1.5 * (1 - facing))
    path = gaussian_filter(np.cumsum(loss, axis=0), (0, float(rng.uniform(1.5, 5.0))))
    passed = np.exp(-np.minimum(path, float(rng.uniform(0.8, 3.0))))
    angle = np.linspace(-1, 1, BEAMS, dtype=np.float32)
    edge = np.clip(np.abs(angle - float(rng.normal(0, 0.15))) - float(rng.uniform(0.4, 0.8)), 0, 1)
    streaks = 0.6 * grid_texture(rng, (1, BEAMS), (1.0, 2.5)) + 2.5 * grid_texture(
        rng, (1, BEAMS), (1.0, 25.0)
    )
    contact = 10 ** ((streaks - edge * float(rng.uniform(0, 60))) / 20)
    middle, width = float(rng.uniform(-0.35, 0.35)), float(rng.uniform(0.18, 0.3))
    wedge = 1 - np.exp(-(((angle - middle) / width) ** 4))
    dark = (1 - defects.shadow) + defects.shadow * (0.02 + 0.98 * wedge)
    return np.asarray(passed * contact * dark, dtype=np.float32)


def _receive(
    rng: np.random.Generator, scatter: Floats, mirror: Floats, scanner: Scanner, defects: Defects
) -> Floats:
    """Envelope of the received signal: speckle from random scatterers, seen at the machine's resolution."""
    axial = scanner.axial_mm / scanner.step_mm()
    middle = (scanner.near + scanner.far) / 2
    lateral = scanner.lateral_mm / (middle * 2 * scanner.half_angle / (BEAMS - 1))
    spread = (axial * (1 + 3 * defects.blur), lateral * (1 + 3 * defects.blur + 5 * defects.motion))
    ring = _reverberation(mirror, scanner)
    power = np.zeros_like(scatter)
    for _ in range(scanner.looks):
        noise = rng.standard_normal((2, *scatter.shape), dtype=np.float32)
        grain = math.sqrt(4 * math.pi * axial * lateral)
        real = gaussian_filter(noise[0] * (scatter + 0.5 * mirror + ring) * grain + 1.4 * mirror, spread)
        imaginary = gaussian_filter(noise[1] * (scatter + 0.5 * mirror + ring) * grain, spread)
        power += real**2 + imaginary**2
    return np.sqrt(power / scanner.looks)


def _reverberation(mirror: Floats, scanner: Scanner) -> Floats:
    """Haze trailing behind strong reflectors; it is what hides the near hemisphere."""
    decay = math.exp(-scanner.step_mm() / (0.10 * (scanner.far - scanner.near)))
    trail = lfilter([1 - decay], [1, -decay], mirror, axis=0)
    return np.asarray(0.5 * scanner.reverberation * trail, dtype=np.float32)


def _display(rng: np.random.Generator, echo: Floats, scanner: Scanner, defects: Defects) -> Floats:
    """Depth gain, electronic noise, log compression into 0..1."""
    depth = np.linspace(0, 1, SAMPLES, dtype=np.float32)[:, np.newaxis]
    gain = scanner.gain_db + scanner.near_gain_db * (1 - depth) + scanner.far_gain_db * depth
    floor = decibel(-58) + decibel(-26) * defects.noise
    hiss = floor * np.abs(rng.standard_normal(echo.shape, dtype=np.float32))
    level = 20 * np.log10(echo + hiss + 1e-6) + gain + 22 * defects.gain
    return np.asarray(np.clip(1 + level / scanner.dynamic_range_db, 0, 1.05), dtype=np.float32)


def _finish(rng: np.random.Generator, picture: Floats, fan: Floats, scanner: Scanner, view: View) -> Floats:
    """Grey of the paper, the fan's edges, and what machines print around them."""
    right, down = view.screen()
    u, v = scanner.probe(right, down)
    uneven = (
        1
        + 0.25 * float(rng.uniform(-1, 1)) * u / scanner.frame[0]
        + 0.25 * float(rng.uniform(-1, 1)) * v / scanner.frame[1]
    )
    soft = gaussian_filter(fan, 0.5)
    gamma = float(rng.uniform(0.9, 1.5))
    shown = np.clip(picture, 0, 1) ** gamma
    shown = scanner.lift * uneven + (1 - scanner.lift) * shown
    paper = (np.abs(u) <= scanner.frame[0]) & (np.abs(v) <= scanner.frame[1])
    around = scanner.background * uneven * paper
    finished = np.asarray(around + (shown - around) * soft, dtype=np.float32)
    return draw_furniture(rng, finished, scanner, view)
