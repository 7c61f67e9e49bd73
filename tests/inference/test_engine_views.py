"""How steady an answer is: views of a picture keep the head, and doubt means what it says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from engine_models import random_model
from torch.nn import functional

from inference.engine.predict import predict
from inference.engine.uncertainty.steadiness import doubts, steadiness
from inference.engine.uncertainty.test_time_augmentation import VIEWS, View
from inference.phantom import render, sample_spec


@pytest.fixture
def picture():
    """A disc with a bright and a dark half, zero outside, as the preparation leaves heads."""
    y, x = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64), indexing="ij")
    inside = (x**2 + y**2) < 0.5
    return np.where(inside, np.where(x > 0, 1.0, -1.0), 0.0).astype(np.float32)[None, None]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_keeps_the_head_about_as_large_and_nothing_outside_it(view, picture):
    seen = view.of(picture)
    assert seen.shape == picture.shape
    assert not np.array_equal(seen, picture)
    share = (seen != 0).mean() / (picture != 0).mean()
    assert 0.8 < share < 1.2
    assert np.abs(seen).max() <= 1.15 + 1e-6


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_what_torch_makes_of_it(view):
    """The reference: torch's own affine grid and bilinear sampling."""
    pictures = np.random.default_rng(3).standard_normal((2, 1, 128, 128)).astype(np.float32)
    pictures *= np.random.default_rng(4).random(pictures.shape) < 0.9
    angle, side = np.radians(view.turn), -1.0 if view.mirrored else 1.0
    cos, sin = np.cos(angle) * view.zoom, np.sin(angle) * view.zoom
    affine = torch.tensor([[cos * side, -sin, view.across], [sin * side, cos, view.down]]).float()
    shown = torch.from_numpy(pictures)
    grid = functional.affine_grid(affine.repeat(2, 1, 1), list(shown.shape), align_corners=False)
    inside = functional.grid_sample((shown != 0).float(), grid, align_corners=False)
    wanted = (functional.grid_sample(shown, grid, align_corners=False) * view.gain).numpy()
    found, plain = view.of(pictures), np.abs(inside.numpy() - 0.5) > 1e-4
    assert np.abs(found - np.where(inside.numpy() > 0.5, wanted, 0))[plain].max() < 2e-4


def test_a_mirrored_view_swaps_the_sides(picture):
    seen = View(mirrored=True).of(picture)
    assert float(seen[0, 0, 32, 45]) == pytest.approx(-1.0)
    assert float(seen[0, 0, 32, 18]) == pytest.approx(1.0)


def test_doubt_is_one_half_at_the_threshold_and_falls_with_the_distance():
    viewed = np.full((4, 8), 0.0) + np.array([0.0, 0.5, 1.0, 3.0])[:, None]
    found = doubts(np.array([0.0, 0.5, 1.0, 3.0]), viewed, threshold=0.5)
    assert found[0] == pytest.approx(0.5)
    assert (np.diff(found) < 0).all()


def test_an_answer_that_jumps_is_doubted_more_than_one_as_far_from_the_threshold_that_does_not():
    steady = steadiness(1.0, np.full(8, 1.0), 0.5)
    jumping = steadiness(1.0, np.array([1.0, -1.0] * 4), 0.5)
    assert jumping.doubt > 2 * steady.doubt
    assert steady.low == steady.high == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert jumping.low == pytest.approx(1 / (1 + np.exp(1.0)))


def test_the_threshold_of_the_version_counts_and_not_one_half():
    low = steadiness(-1.0, np.full(8, -1.0), 1 / (1 + np.exp(1.0)))
    assert low.doubt == pytest.approx(0.5)


def test_every_answer_says_how_steady_it_is_and_the_same_again_next_time():
    model = random_model("modified_cnn")
    stack = render(sample_spec(np.random.default_rng(4)), "ultrasound", seed=4).stack()
    first, second = (predict(model, [stack])[0] for _ in range(2))
    assert first.probability_low <= first.probability <= first.probability_high
    assert first.probability_low < first.probability_high
    assert 0 < first.doubt <= 0.5
    assert (first.doubt, first.probability_low) == (second.doubt, second.probability_low)


def test_a_refusal_says_nothing_about_steadiness():
    stack = render(sample_spec(np.random.default_rng(4)), "ultrasound", seed=4).stack()
    (said,) = predict(random_model("cnn"), [replace(stack, pixels=np.zeros_like(stack.pixels))])
    assert (said.doubt, said.probability_low, said.probability_high) == (None, None, None)
