"""The scale that is proposed from tick marks is right within 2 %, or none is proposed."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from inference.engine.measuring.depth_marks import depth_marks

ROWS, COLUMNS = 300, 400
SEEDS = range(40)
KINDS = ("plain", "fifths", "over tissue", "faint between", "irregular", "none", "text", "drifting")
WITHOUT = {"irregular", "none", "text", "drifting"}
"""Pictures whose marks, if any, are no scale."""


def made(seed: int) -> tuple[np.ndarray, str, float]:
    """A fan with furniture and, by its kind, marks: (frame, kind, pixels between marks)."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    frame, spacing = fan(rng), float(rng.uniform(9.5, 32))
    draw = ImageDraw.Draw(image := Image.fromarray(frame))
    for _ in range(int(rng.integers(1, 4))):
        words(draw, rng)
    if rng.random() < 0.6:  # the grey bar
        for row in range(10, 110):
            draw.line([(2, row), (6, row)], fill=255 - 2 * (row - 10))
    if rng.random() < 0.4:  # a border
        draw.rectangle([0, 0, COLUMNS - 1, ROWS - 1], outline=180)
    if kind not in {"none", "text"}:
        marks(draw, rng, kind, spacing)
    if kind == "text":  # a list of settings: even lines, no marks
        for line in range(12):
            draw.text((COLUMNS - 60, 12 + 14 * line), "".join(rng.choice(list("ab1:.-7"), 6)), fill=230)
    return np.asarray(image), kind, spacing


def fan(rng: np.random.Generator) -> np.ndarray:
    """Speckle within a sector, darkness beside it."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    inside = np.abs(columns - COLUMNS / 2) < 40 + rng.uniform(0.3, 0.6) * rows
    speckle = gaussian_filter(rng.rayleigh(60, (ROWS, COLUMNS)), (0.7, 1.2))
    return np.where(inside, speckle, rng.uniform(0, 12)).clip(0, 255).astype(np.uint8)


def words(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    draw.text((int(rng.integers(8, COLUMNS - 60)), int(rng.integers(0, ROWS - 12))), "GA 24w3d 7.5", fill=220)


def marks(draw: ImageDraw.ImageDraw, rng: np.random.Generator, kind: str, spacing: float) -> None:
    side = int(rng.choice([14, COLUMNS - 20])) if kind != "over tissue" else 110
    grey, length = int(rng.integers(150, 255)), int(rng.integers(2, 6))
    row, number, step = float(rng.uniform(5, 20)), 0, spacing
    while row < ROWS - 6:
        is_fifth = kind == "fifths" and number % 5 == 0
        at, long = round(row), length + 5 * is_fifth
        draw.line([(side, at), (side + long - 1, at)], fill=255 if is_fifth else grey)
        if kind == "faint between":
            half = round(row + spacing / 2)
            draw.line([(side, half), (side + length - 1, half)], fill=grey // 2)
        number += 1
        if kind == "irregular":
            step = spacing * rng.uniform(0.6, 1.5)
        if kind == "drifting":  # as a logarithmic scale
            step *= 1.06
        row += step


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_proposed_is_within_two_percent_and_nothing_where_there_is_no_scale(seed):
    frame, kind, spacing = made(seed)
    found = depth_marks(frame)
    if kind in WITHOUT:
        assert found is None, kind
    elif found is not None:
        true = spacing / 2 if kind == "faint between" else spacing
        assert found.spacing == pytest.approx(true, rel=0.02)
        assert found.error < 0.02
        (first, _), (last, _) = found.line
        assert (last - first) / found.steps == pytest.approx(found.spacing)


def test_marks_in_plain_sight_are_found():
    found = {kind: [] for kind in ("plain", "fifths")}
    for seed in SEEDS:
        frame, kind, _ = made(seed)
        if kind in found:
            found[kind].append(depth_marks(frame) is not None)
    assert {kind: sum(seen) >= 4 for kind, seen in found.items()} == dict.fromkeys(found, True)


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 3)])
def test_a_picture_too_small_for_marks_has_none(shape):
    assert depth_marks(np.zeros(shape, np.uint16)) is None
