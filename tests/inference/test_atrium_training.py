"""What the atrium's networks are shown: wide ventricles as often as narrow ones, and halves without any."""

import numpy as np
import pytest

from inference.engine.atrium import grids
from inference.engine.atrium.search import Networks
from inference.training.atrium import draw, figures
from inference.training.atrium.dilate import dilation
from inference.training.atrium.draw import Shelf, drawn
from inference.training.atrium.looks import dimmed, shadowed
from inference.training.atrium.material import Head, marks, phantom_heads


@pytest.fixture(scope="module")
def heads() -> list[Head]:
    return phantom_heads(8, 9_000_002, processes=1)


def in_head_lengths(pictures: draw.Drawn) -> np.ndarray:
    """Widths that were drawn, about: each picture's grid is a little finer or coarser than the others."""
    there = pictures.there > 0.5
    return (pictures.width[there] * 2 * grids.WIDTH_STEP / grids.HEAD).numpy()


def test_a_third_of_the_drawn_atria_is_wide_and_a_quarter_lies_at_the_limit(heads, monkeypatch):
    monkeypatch.setattr(draw, "SHARES", {})
    widths = in_head_lengths(drawn("width", Shelf(heads, [], [], []), 150, 3))
    assert np.mean(widths > 0.18) > 0.25
    assert np.mean((widths > 0.07) & (widths < 0.17)) > 0.25
    assert widths.min() < 0.06


def test_an_atrium_that_the_skull_stops_goes_on_towards_the_midline(heads):
    """Else severe ones are drawn far more seldom than they are asked for."""
    rng = np.random.default_rng(1)
    for head in heads:
        assert head.far is not None
        widest = max(dilation(head.far, head.aspect, 0.36 * grids.HEAD, rng).width for _ in range(8))
        least = min(dilation(head.far, head.aspect, 0.36 * grids.HEAD, rng).width for _ in range(8))
        assert widest == pytest.approx(least, rel=0.02)
        assert least > 0.2 * grids.HEAD


def test_a_half_in_shadow_shows_no_atrium_and_a_darker_half_still_does(heads, monkeypatch):
    monkeypatch.setattr(draw, "SHARES", {"shadow": 1.0})
    for step in draw.STEPS:
        assert float(drawn(step, Shelf(heads, [], [], []), 6, 1).there.max()) == 0.0
    rng = np.random.default_rng(2)
    rows = np.linspace(-0.4, 0.4, 96)[:, None].repeat(96, 1)
    seen = 100 + 50 * np.sin(np.arange(96.0))[None].repeat(96, 0)
    shadow, darker = shadowed(seen, rows, np.full_like(seen, 0.5), rng), dimmed(seen, rows, rng)
    assert np.abs(shadow[:24] - seen[:24]).max() < 1
    assert shadow[60:].mean() < 0.5 * seen[60:].mean()
    contrast = [float((part[80:].std(axis=1) / part[80:].mean(axis=1)).mean()) for part in (seen, darker)]
    assert contrast[1] == pytest.approx(contrast[0], rel=0.1)
    assert darker[80:].mean() < 0.9 * seen[80:].mean()


def test_what_is_too_rough_to_be_measured_counts_as_not_measured():
    fine, rough = (figures.Measured(0.01, 2.0, stated, 0.9, 40.0, 0.25) for stated in (2.0, 30.0))
    summed = figures.by_band([fine, rough], 0.5, 1.0, "atria")
    assert summed["atria, 10 to 15 mm"]["not measured"] == pytest.approx(0.5)
    assert summed["atria, 10 to 15 mm"]["mean error mm"] == pytest.approx(0.5)
    assert summed["atria, below 10 mm"]["count"] == 0


def test_heads_without_an_atrium_are_marked_in_more_than_one_hospital():
    """With a hospital left out, there must be heads left that say what cannot be measured."""
    empty = [file.split("/")[0] for file, ends in marks().items() if ends is None]
    assert {name: empty.count(name) >= 15 for name in set(empty)} == {"hc18": True, "fetal_planes": True}


def test_phantoms_that_are_learnt_from_are_mostly_narrow_and_those_kept_apart_stay_as_they_were(heads):
    again = phantom_heads(8, 9_000_002, narrow_from=4, processes=1)
    assert all((one.crop == other.crop).all() for one, other in zip(again[:4], heads[:4], strict=True))
    for one in again[5::2]:
        assert one.far is not None
        assert one.near is not None
        assert max(np.hypot(*(ends[1] - ends[0])) for ends in (one.far, one.near)) * one.mm < 10.5


def test_a_head_is_asked_in_several_looks_whether_anything_can_be_measured(heads):
    shown = []

    def place(pictures):
        shown.extend(pictures)
        return np.zeros((len(pictures), 1, 48, 48), np.float32), np.ones((len(pictures), 4), np.float32)

    def width(pictures):
        return np.zeros((len(pictures), 2, 48, 48), np.float32), np.ones((len(pictures), 4), np.float32)

    found = figures.chances(Networks(place, width), heads[:2], 1)
    assert len(found) == 2 * (1 + figures.LOOKS)
    assert len({picture.tobytes() for picture in shown}) == len(shown), "no look is like another"
