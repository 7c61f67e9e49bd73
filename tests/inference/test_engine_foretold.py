"""LIME's answers without most of the work: maps of masks foretold from masks that were computed."""

import numpy as np
import pytest

from inference.engine import catalogue
from inference.engine.explain.explainers import explain
from inference.engine.explain.fast_lime.activation_emulator import CHECKED, Answers, Foretelling, nearness
from inference.engine.explain.fast_lime.gaussian_process import balanced_masks
from inference.engine.explain.superpixels import even_pieces, hidden_pictures
from inference.engine.predict import predict
from inference.engine.preprocessing.prepare import prepare
from inference.engine.weights.loaded_model import load
from inference.phantom import render, sample_spec

SIZE, PLACES, CHANNELS = 64, 8, 6
LIMITS = FEW, MANY = 64, 192


@pytest.fixture(scope="module")
def picture():
    rows, columns = np.mgrid[:SIZE, :SIZE] / 9.0
    round_head = np.hypot(rows - 3.5, columns - 3.5) < 3.2
    return np.where(round_head, 1.5 + np.sin(2 * rows) * np.cos(columns), 0).astype(np.float32)


@pytest.fixture(scope="module")
def segments(picture):
    return even_pieces(picture, 20)


@pytest.fixture
def drawn(picture, segments):
    return lambda shown: hidden_pictures(picture, segments, shown, 0.0)[:, None]


@pytest.fixture
def masks(segments):
    blocks = balanced_masks(segments.max() + 1, np.random.default_rng(0))
    return np.concatenate([next(blocks) for _ in range(6)])


def channels_of_places(pictures):
    """What a network's first layers do: at each place, bent sums over the pixels around it."""
    step = SIZE // PLACES
    pixels = pictures.reshape(-1, PLACES, step, PLACES, step).transpose(0, 1, 3, 2, 4)
    weights = np.random.default_rng(1).normal(0, 0.3, (step * step, CHANNELS)).astype(np.float32)
    found = np.maximum(pixels.reshape(-1, PLACES, PLACES, step * step) @ weights, 0)
    return np.ascontiguousarray(found.transpose(0, 3, 1, 2))


def bent(maps):
    return np.tanh(maps) + 0.2 * maps


def logits_of(maps):
    """What its end does: places meet, and two of them together say more than each alone."""
    score = maps[:, 0].mean(axis=(1, 2)) - maps[:, 1, 3, 3] * maps[:, 2, 4, 4]
    return np.stack([-score, score], axis=1)


LOCAL = (channels_of_places, bent, logits_of)


def together(stages, given):
    for stage in stages:
        given = stage(given)
    return given


def test_the_first_masks_are_computed_and_the_rest_nearly_as_if(drawn, segments, masks):
    answers = Answers(LOCAL, drawn, segments, LIMITS)
    found = np.concatenate([answers.to(masks[start : start + 64]) for start in range(0, len(masks), 64)])
    real = together(LOCAL, drawn(masks))

    assert found[:FEW] == pytest.approx(real[:FEW], abs=1e-5)
    rest = [np.diff(logits[MANY:])[:, 0] for logits in (found, real)]
    assert not np.array_equal(*rest)
    assert np.corrcoef(*rest)[0, 1] > 0.95
    assert answers.agreement > 0.95


def counting(stages):
    """The same stages, and how many masks each has seen so far."""
    seen = [0] * len(stages)

    def counted(number):
        def stage(given):
            seen[number] += len(given)
            return stages[number](given)

        return stage

    return [counted(number) for number in range(len(stages))], seen


def test_each_stage_sees_only_the_masks_that_are_not_foretold(drawn, segments, masks):
    stages, seen = counting(LOCAL)
    answers = Answers(stages, drawn, segments, LIMITS)
    answers.to(masks)
    assert seen == [FEW, MANY, len(masks) + CHECKED], "and the last foretelling is held to the answers"
    assert answers.agreement > 0.95


def test_where_maps_are_foretold_roughly_the_answers_decide(drawn, segments, masks):
    def with_noise(pictures):
        """Local, but for one channel that the answer does not need."""
        maps = channels_of_places(pictures)
        maps[:, 5] = np.sin(1000 * pictures.astype(np.float64).sum(axis=(1, 2, 3)))[:, None, None]
        return maps

    stages, seen = counting((with_noise, bent, logits_of))
    answers = Answers(stages, drawn, segments, LIMITS)
    answers.to(masks)
    assert seen == [FEW, MANY + CHECKED, len(masks) + 2 * CHECKED], "each foretelling is held to the answers"
    assert answers.agreement > 0.95


def test_how_masks_are_dealt_into_blocks_changes_nothing(drawn, segments, masks):
    at_once = Answers(LOCAL, drawn, segments, LIMITS).to(masks)
    answers = Answers(LOCAL, drawn, segments, LIMITS)
    in_blocks = [answers.to(masks[start : start + 50]) for start in range(0, len(masks), 50)]
    assert np.concatenate(in_blocks) == pytest.approx(at_once, abs=1e-4)


def test_maps_that_cannot_be_foretold_are_computed(drawn, segments, masks):
    def scattered(pictures):
        """Every place depends on the whole picture, and wildly."""
        sums = np.sin(1000 * pictures.astype(np.float64).sum(axis=(1, 2, 3)))
        return np.ones((1, CHANNELS, PLACES, PLACES)) * sums[:, None, None, None]

    stages = (scattered, bent, lambda maps: np.stack([-maps[:, 0, 0, 0], maps[:, 0, 0, 0]], axis=1))
    answers = Answers(stages, drawn, segments, LIMITS)
    found = np.concatenate([answers.to(masks[start : start + 64]) for start in range(0, len(masks), 64)])
    assert answers.agreement < 0.7
    real = together(stages, drawn(masks))
    assert np.array_equal(found, real)


def test_a_network_in_one_piece_is_computed(drawn, segments, masks):
    answers = Answers((lambda pictures: together(LOCAL, pictures),), drawn, segments)
    assert np.array_equal(answers.to(masks), together(LOCAL, drawn(masks)))
    assert answers.agreement is None


def test_a_picture_that_was_asked_for_is_computed_whatever_came_before(drawn, segments, masks):
    answers = Answers(LOCAL, drawn, segments, LIMITS)
    answers.to(masks)
    whole = np.ones((1, masks.shape[1]), bool)
    assert np.array_equal(answers.computed_for(whole), together(LOCAL, drawn(whole)))


def test_masks_that_were_seen_are_foretold_as_they_were(drawn, segments, masks):
    maps = channels_of_places(drawn(masks))
    again = Foretelling(masks, maps, segments).of(masks)
    assert np.corrcoef(again.ravel(), maps.ravel())[0, 1] > 0.99
    assert again.min() >= maps.min()


def test_a_place_is_near_the_pieces_around_it(segments):
    near = nearness(segments, PLACES)
    assert near.shape == (PLACES**2, segments.max() + 1)
    assert near.sum(axis=1) == pytest.approx(1, abs=1e-5)
    step = SIZE // PLACES
    middle = segments[step // 2 :: step, step // 2 :: step].ravel()
    inside = middle >= 0
    there = near[np.flatnonzero(inside), middle[inside]]
    assert there.mean() > 4 / near.shape[1], "the piece in the middle counts for far more than any other"


@pytest.fixture(scope="module")
def vgg16():
    shipped = catalogue.newest("vgg16", "mri")
    return load(shipped.record, shipped.content(), backend="onnxruntime")


@pytest.fixture(scope="module")
def stack():
    """A head that VGG16 is not so sure of that hiding a part of it changes nothing."""
    return render(sample_spec(np.random.default_rng(12), label="ventriculomegaly"), "mri", seed=12).stack()


@pytest.mark.long
def test_foretold_answers_of_vgg16_lie_as_far_apart_as_computed_ones(vgg16, stack):
    picture = prepare(stack, vgg16.recipe).tensor[0, 0]
    segments, stages = even_pieces(picture, 50), vgg16.draft("mri")
    blocks = balanced_masks(segments.max() + 1, np.random.default_rng(2))
    computed = vgg16.network.computed[-1]
    masks = np.concatenate([next(blocks) for _ in range(4)])[: computed + 64]

    def drawn(shown):
        return hidden_pictures(picture, segments, shown, 0.0)[:, None]

    foretold = Answers(stages, drawn, segments, vgg16.network.computed).to(masks)[computed:]
    odds = [np.diff(logits)[:, 0] for logits in (foretold, together(stages, drawn(masks[computed:])))]
    slope, _ = np.polyfit(*odds, 1)
    assert slope == pytest.approx(1, abs=0.12)


@pytest.mark.long
def test_vgg16_foretells_says_how_well_and_gives_the_same_bytes_again(vgg16, stack):
    (answer,) = predict(vgg16, [stack])
    first, second = (
        explain("lime", vgg16, stack, answer, seed=2, parameters={"least": 288, "samples": 288}, check=False)
        for _ in range(2)
    )
    assert first.heatmap.tobytes() == second.heatmap.tobytes()
    assert first.metrics["samples"] > vgg16.network.computed[-1]
    assert first.metrics["foretold_agreement"] > 0.7
    computed = explain(
        "lime", vgg16, stack, answer, seed=2, parameters={"samples": 128, "draft": False}, check=False
    )
    assert "foretold_agreement" not in computed.metrics
    assert first.metrics["prediction"] == pytest.approx(computed.metrics["prediction"], abs=0.03)
    weights = [one.heatmap[one.segments >= 0].astype(float) for one in (first, computed)]
    assert np.corrcoef(*weights)[0, 1] > 0.9
