"""What is uploaded by mistake: documents, photographs, screens, noise."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from inference.phantom.geometry import Floats
from inference.phantom.texture import grid_texture

LETTERS = "abcdefghijklmnopqrstuvwxyzabcdeinorstaeABCDEFGH0123456789.,:;-/"


def document(rng: np.random.Generator, size: int) -> Floats:
    """A page of text, ruled or stamped, sometimes photographed askew under uneven light."""
    paper, ink = (235, 20) if rng.random() < 0.8 else (15, 230)
    page = Image.new("L", (size, size), paper)
    draw = ImageDraw.Draw(page)
    row = int(rng.integers(2, size // 6))
    while row < size:
        height = int(rng.integers(7, 9 + size // 24))
        draw.text((int(rng.integers(2, size // 5)), row), _line(rng), ink, ImageFont.load_default(height))
        row += int(height * float(rng.uniform(1.1, 3.0)))
    for _ in range(int(rng.integers(0, 4))):
        box = sorted(rng.integers(0, size, 2)), sorted(rng.integers(0, size, 2))
        corners = (int(box[0][0]), int(box[1][0]), int(box[0][1]), int(box[1][1]))
        (draw.rectangle if rng.random() < 0.6 else draw.ellipse)(corners, outline=ink, width=2)
    if rng.random() < 0.5:
        page = page.rotate(float(rng.normal(0, 12)), fillcolor=int(rng.integers(0, 255)))
    light = 1 + 0.15 * grid_texture(rng, (size, size), (size / 3, size / 3))
    return _blurred(rng, np.asarray(page, np.float32) / 255 * light)


def _line(rng: np.random.Generator) -> str:
    words = (
        "".join(LETTERS[i] for i in rng.integers(0, len(LETTERS), rng.integers(1, 10)))
        for _ in range(int(rng.integers(1, 9)))
    )
    return " ".join(words)


def photo(rng: np.random.Generator, size: int) -> Floats:
    """Things in front of things with their own textures and edges, as a camera sees the world."""
    rows, columns = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j].astype(np.float32)
    picture = float(rng.uniform(0, 1)) + float(rng.normal(0, 0.3)) * rows
    for scale in np.geomspace(0.7, 0.04, int(rng.integers(6, 40))):
        middle, extent = rng.uniform(0, 1, 2), float(scale) * rng.uniform(0.3, 1.0, 2)
        angle = float(rng.uniform(0, math.pi))
        u = (columns - middle[0]) * math.cos(angle) + (rows - middle[1]) * math.sin(angle)
        v = (rows - middle[1]) * math.cos(angle) - (columns - middle[0]) * math.sin(angle)
        power = float(rng.choice([1.0, 2.0, 2.0, 6.0]))
        inside = np.abs(u / extent[0]) ** power + np.abs(v / extent[1]) ** power < 1
        grain = float(rng.uniform(0.5, 8))
        surface = float(rng.uniform(0, 1)) + float(rng.normal(0, 0.8)) * u + float(rng.normal(0, 0.8)) * v
        surface = surface + float(rng.uniform(0, 0.15)) * grid_texture(rng, (size, size), (grain, grain))
        picture = np.where(inside, surface, picture)
    return _blurred(rng, np.asarray(picture, np.float32))


def rings(rng: np.random.Generator, size: int) -> Floats:
    """Plates, wheels, clocks, lenses: round things that are no heads."""
    rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    at, aspect = rng.normal(0, 0.15, 2), float(rng.uniform(0.6, 1.0))
    radius = np.hypot(columns - at[0], (rows - at[1]) / aspect)
    around = np.arctan2(rows - at[1], columns - at[0])
    picture = float(rng.uniform(0, 1)) + 0.1 * grid_texture(rng, (size, size), (6.0, 6.0))
    for outer in sorted(rng.uniform(0.05, 0.95, int(rng.integers(1, 7))), reverse=True):
        level = float(rng.uniform(0, 1)) + float(rng.normal(0, 0.2)) * columns
        picture = np.where(radius < outer, level, picture)
        if rng.random() < 0.5:
            picture = np.where(np.abs(radius - outer) < 0.02, float(rng.uniform(0, 1)), picture)
    if rng.random() < 0.5:
        spokes = np.cos(around * int(rng.integers(2, 13))) > float(rng.uniform(0.5, 0.98))
        picture = np.where(spokes & (radius < 0.8), float(rng.uniform(0, 1)), picture)
    return _blurred(rng, np.asarray(picture, np.float32))


def noise(rng: np.random.Generator, size: int) -> Floats:
    """Grain of one size or of all sizes, striped or not."""
    spread = float(rng.choice([0.0, 0.7, 2.0, 5.0])), float(rng.choice([0.0, 0.7, 2.0, 12.0]))
    grain = gaussian_filter(rng.standard_normal((size, size)), spread)
    if rng.random() < 0.4:
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)) + 1 / size
        coefficients = np.fft.rfft2(grain) / frequency ** float(rng.uniform(0.5, 1.5))
        grain = np.fft.irfft2(coefficients, s=(size, size))
    level = (grain - grain.mean()) / (grain.std() + 1e-9)
    return np.asarray(np.clip(0.5 + 0.2 * level, 0, 1), np.float32)


def screen(rng: np.random.Generator, size: int) -> Floats:
    """A user interface, a test pattern or a curve: boxes, bars, lines."""
    page = Image.new("L", (size, size), int(rng.integers(0, 255)))
    draw = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(3, 25))):
        x, y = rng.integers(0, size, 2)
        w, h = rng.integers(4, size // 2, 2)
        draw.rectangle((int(x), int(y), int(x + w), int(y + h)), fill=int(rng.integers(0, 255)))
    for _ in range(int(rng.integers(0, 12))):
        at = int(rng.integers(0, size - 20)), int(rng.integers(0, size))
        draw.text(at, _line(rng)[:20], int(rng.integers(0, 255)), ImageFont.load_default(10))
    curve = [(x, size / 2 + 0.3 * size * math.sin(x / 9 + float(rng.normal()))) for x in range(0, size, 3)]
    if rng.random() < 0.5:
        draw.line(curve, fill=255, width=2)
    return np.asarray(np.asarray(page, np.float32) / 255, np.float32)


def _blurred(rng: np.random.Generator, picture: Floats) -> Floats:
    soft = gaussian_filter(picture, float(rng.uniform(0, 1.5)))
    grainy = soft + float(rng.uniform(0, 0.05)) * rng.standard_normal(soft.shape)
    return np.asarray(np.clip(grainy, 0, 1), np.float32)
