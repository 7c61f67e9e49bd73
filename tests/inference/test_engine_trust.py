"""How far a map is to be trusted: measured by hiding what it marks, and beside where the ventricles are."""

import numpy as np
import pytest
from engine_models import random_model
from scipy import ndimage

from inference.engine import catalogue
from inference.engine.explain import checks
from inference.engine.explain.explainers import explain
from inference.engine.explain.method import GridMap, middle_row
from inference.engine.explain.trust import doubts_about, excess
from inference.engine.predict import predict
from inference.engine.records import POSITIVE
from inference.engine.weights.loaded_model import load
from inference.training.evaluation import pointing_game


@pytest.fixture(scope="module")
def heads():
    """Three that the network below calls ventriculomegaly."""
    first, second, *_, last = pointing_game.wide_phantoms("mri", "mri-head-128", 5)
    return [first, second, last]


@pytest.fixture(scope="module")
def model():
    one = catalogue.newest("cnn", "mri")
    return load(one.record, one.content())


def as_map(heat, head, **more) -> GridMap:
    row = middle_row(head.prepared)
    return GridMap(heat[None].astype(np.float32), (row,), signed=False, unit="", parameters={}, **more)


def test_hiding_the_ventricles_costs_a_network_that_reads_them_more_than_hiding_anything_else(heads, model):
    for head in heads:
        truth = ndimage.gaussian_filter(head.ventricles.astype(float), 3)
        found = checks.checked(model, head.prepared, POSITIVE, as_map(truth, head), seed=0)
        assert found["deletion"] > found["deletion_chance"]
        assert found["chance_hidden"] < found["chance_hidden_elsewhere"]
        assert found["beats_chance"] >= 0.75


def test_maps_of_chance_are_doubted_far_more_often_than_lime(heads, model):
    rng = np.random.default_rng(3)
    lime = [(head, pointing_game.explained(model, head, "lime")) for head in heads]
    noise = [
        (head, as_map(checks.of_chance(one.values[0], rng), head)) for head, one in lime for _ in range(6)
    ]
    assert doubted(model, lime) == 0
    assert doubted(model, noise) >= len(noise) / 2


def doubted(model, maps) -> int:
    found = [checks.checked(model, head.prepared, POSITIVE, one, seed=0) for head, one in maps]
    return sum(bool(doubts_about("lime", metrics)) for metrics in found)


def test_a_map_of_chance_keeps_the_spectrum_and_loses_the_places():
    marks = np.zeros((32, 32))
    marks[8:14, 20:26] = 1.0
    other = checks.of_chance(marks, np.random.default_rng(0))
    spectra = [np.abs(np.fft.fft2(values))[0, 1:9] for values in (marks, other)]
    assert np.allclose(*spectra, rtol=1e-6)
    assert abs(np.corrcoef(marks.ravel(), other.ravel())[0, 1]) < 0.6


def test_an_empty_map_has_no_checks_and_is_unreliable(heads, model):
    empty = as_map(np.zeros_like(heads[0].picture), heads[0])
    assert checks.checked(model, heads[0].prepared, POSITIVE, empty, seed=0) == {}
    assert doubts_about("gradcam", {"peak": 0.0, "inside_head": 0.0}) == ("empty",)


@pytest.mark.parametrize(
    ("metrics", "doubts"),
    [
        ({}, ()),
        ({"deletion": 2.0, "deletion_chance": 0.5, "inside_head": 0.9}, ()),
        ({"deletion": 0.6, "deletion_chance": 0.5, "inside_head": 0.9}, ("no_better_than_chance",)),
        ({"inside_head": 0.1, "rank_stability": 0.2}, ("outside_head", "unsettled")),
    ],
)
def test_each_doubt_has_its_reason(metrics, doubts):
    assert doubts_about("gradcam", metrics) == doubts


def test_checks_are_stored_with_every_explanation_and_the_same_each_time(heads, model):
    from inference.phantom import render, sample_spec

    stack = render(sample_spec(np.random.default_rng(7), label=POSITIVE), "mri", seed=7).stack()
    (answer,) = predict(model, [stack])
    first, second = (explain("lime", model, stack, answer, seed=2).metrics for _ in range(2))
    assert first == second
    assert excess(first) is not None
    assert -1 <= first["gradcam_agreement"] <= 1
    assert "gradcam_agreement" not in explain("gradcam", model, stack, answer).metrics


def test_the_card_says_where_maps_point_and_that_they_depend_on_the_weights(heads, model):
    found = pointing_game.explanation_figures(model, heads)
    verdict = found.pop("verdict")
    assert verdict.startswith("Maps change with the weights")
    assert set(found) == set(pointing_game.METHODS)
    for figures in found.values():
        assert (
            figures["points_at_ventricles"]["value"] > figures["points_at_ventricles_of_the_middle"]["value"]
        )
        assert figures["heat_in_ventricles"]["value"] > figures["heat_in_ventricles_by_chance"]["value"]
        assert figures["likeness_with_random_weights"]["value"] < 0.9


@pytest.mark.parametrize("one", catalogue.shipped(), ids=lambda one: one.record.name)
def test_a_card_doubts_each_method_whose_interval_reaches_chance(one):
    figures = dict(one.record.card.get("explanations", {}))
    verdict = figures.pop("verdict", "")
    assert set(figures) == (set() if one.record.members else set(pointing_game.METHODS))
    for method, found in figures.items():
        reaches = found["heat_in_ventricles"]["low"] <= found["heat_in_ventricles_by_chance"]["value"]
        assert (f"{method} is not shown to find the ventricles" in verdict) is reaches


def test_a_network_with_random_weights_answers_for_the_check_only(heads):
    model = random_model("cnn", seed=1)
    blank = pointing_game.forgetful(model)
    assert blank.record.weights_sha256 != model.record.weights_sha256
    assert (
        blank.passed(heads[0].prepared.tensor).logits != model.passed(heads[0].prepared.tensor).logits
    ).any()
