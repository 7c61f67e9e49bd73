"""The learned head finder: where the head is, whatever surrounds it, and what it measures."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from inference.engine.head import shipped
from inference.engine.head.biometry import age_days, circumference, contradicts, measured
from inference.engine.head.by_network import cut, moments
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import FinderMismatch, find_outlined, load_painter
from inference.phantom import render, sample_spec
from inference.training.head_finder.changes import painted
from inference.training.head_finder.material import affine_of, hc18_rows
from inference.training.head_finder.measure import dice, held_out


def phantom(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture with square pixels and the mask of its head."""
    drawn = render(sample_spec(np.random.default_rng(seed)), "ultrasound", seed=seed)
    size = (
        drawn.pixels.shape[1],
        round(drawn.pixels.shape[0] * drawn.pixel_spacing[0] / drawn.pixel_spacing[1]),
    )
    picture = np.asarray(Image.fromarray(drawn.pixels).resize(size), np.float32)
    return picture, np.asarray(Image.fromarray(drawn.head).resize(size))


def overlap(ellipse: Ellipse, mask: np.ndarray) -> float:
    own = ellipse.mask(mask.shape)
    return 2 * (own & mask).sum() / (own.sum() + mask.sum())


def test_heads_of_phantoms_are_outlined():
    overlaps = [
        overlap(find_outlined(picture).ellipse, mask) for picture, mask in map(phantom, range(50, 58))
    ]
    assert np.mean(overlaps) > 0.95
    assert min(overlaps) > 0.9


def test_size_gain_borders_and_marks_do_not_move_the_head():
    picture, _ = phantom(61)
    plain = find_outlined(picture).ellipse
    assert dice(find_outlined(picture * 0.3).ellipse, plain, picture.shape) > 0.97
    screen = np.zeros((picture.shape[0] + 200, picture.shape[1] + 300), np.float32)
    screen[90 : 90 + picture.shape[0], 40 : 40 + picture.shape[1]] = picture
    screen[10:20, 20:200] = 255
    moved = find_outlined(screen).ellipse
    assert dice(replace(moved, x=moved.x - 40, y=moved.y - 90), plain, picture.shape) > 0.95
    large = np.asarray(Image.fromarray(picture).resize((picture.shape[1] * 3, picture.shape[0] * 3)))
    assert dice(find_outlined(large).ellipse.scaled(1 / 3), plain, picture.shape) > 0.97


def test_nothing_is_outlined_where_nothing_is():
    assert find_outlined(np.zeros((200, 300), np.float32)) is None


def test_moments_of_a_painted_ellipse_are_the_ellipse():
    import torch

    drawn = Ellipse(80.0, 60.0, 50.0, 36.0, 0.7)
    paint = painted(torch.from_numpy(affine_of(drawn))[None])[0].numpy().astype(np.float64)
    back = moments(paint).scaled(2)
    assert back.x == pytest.approx(drawn.x, abs=0.3)
    assert back.long == pytest.approx(drawn.long, rel=0.01)
    assert back.short == pytest.approx(drawn.short, rel=0.01)
    assert math.cos(2 * (back.angle - drawn.angle)) > 0.999


def test_a_grid_beyond_the_frame_is_black_there():
    grid = cut(np.ones((60, 60), np.float32), 1.0, (-20.0, -20.0))
    assert grid[:20].sum() == 0
    assert grid[20:80, 20:80].min() == 1


def test_other_weights_than_the_record_names_are_refused(tmp_path):
    record = json.loads((shipped.SHIPPED / "head_finder.json").read_text())
    (tmp_path / "head_finder.json").write_text(json.dumps(record | {"weights_sha256": "0" * 64}))
    (tmp_path / "head_finder.safetensors").write_bytes(
        (shipped.SHIPPED / "head_finder.safetensors").read_bytes()
    )
    with pytest.raises(FinderMismatch):
        load_painter(tmp_path)


@pytest.mark.data
def test_heads_of_groups_kept_apart_measure_what_their_readers_measured(data_dir):
    rows = list(hc18_rows(data_dir))
    apart = held_out(np.array([row.group for row in rows]), 1)
    with (data_dir / "hc18" / "labels.csv").open() as file:
        pixels = {f"hc18/{row['file']}": float(row["pixel_mm"]) for row in csv.DictReader(file)}
    gaps, overlaps = [], []
    for row in [row for row, kept in zip(rows, apart, strict=True) if kept][::4]:
        picture = np.asarray(Image.open(data_dir / row.file).convert("L"), np.float32)
        head = find_outlined(picture)
        gaps.append(abs(circumference(head.ellipse) - circumference(row.head)) * pixels[row.file])
        overlaps.append(dice(head.ellipse, row.head, picture.shape))
    assert np.mean(gaps) < 3.5
    assert np.mean(overlaps) > 0.96


def test_a_head_in_millimetres():
    found = measured(Ellipse(0, 0, 300.0, 240.0, 0.0), 0.1)
    assert found.biparietal_mm == pytest.approx(48.0)
    assert found.occipitofrontal_mm == pytest.approx(60.0)
    assert found.head_circumference_mm == pytest.approx(170.1, abs=0.1)
    assert found.gestational_age_days == round(7 * (8.96 + 0.54 * 17.01 + 0.0003 * 17.01**3))
    assert not found.early
    assert measured(Ellipse(0, 0, 200.0, 180.0, 0.0), 0.1).early


@pytest.mark.parametrize(("mm", "weeks"), [(97, 14.5), (177, 20.2), (246, 26.7), (315, 35.3)])
def test_ages_by_head_circumference(mm, weeks):
    assert age_days(mm) / 7 == pytest.approx(weeks, abs=0.25)


def test_no_age_beyond_what_the_formula_was_made_of():
    assert age_days(50) is None
    assert age_days(400) is None


@pytest.mark.parametrize(
    ("by_head", "stated", "said"),
    [
        (150, 150, False),
        (150, 164, False),
        (150, 165, True),
        (165, 150, True),
        (None, 150, False),
        (150, None, False),
    ],
)
def test_ages_more_than_two_weeks_apart_contradict_each_other(by_head, stated, said):
    assert contradicts(by_head, stated) is said
