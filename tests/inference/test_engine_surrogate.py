"""LIME from few answers: balanced masks, and weights that come nearer to LIME's own than LIME does."""

import numpy as np
import pytest

from inference.engine.explain import lime
from inference.engine.explain.fast_lime.gaussian_process import Process, balanced_masks, linear_fit
from inference.engine.explain.superpixels import even_pieces

PIECES, WIDTH = 20, 0.25


@pytest.fixture(scope="module")
def saturating():
    """Answers that add up in log-odds but for one pair, as a network's nearly do; pieces on a line."""
    rng = np.random.default_rng(3)
    effects = rng.normal(0, 1.5, PIECES)

    def asked(shown):
        odds = (shown - 0.5) @ effects + 1.5 * (shown[:, 3] & shown[:, 4]) + 2
        return 1 / (1 + np.exp(-odds))

    places = np.arange(PIECES)[:, None] * 6.0
    return asked, np.abs(places - places.T)


def test_masks_are_balanced_and_each_is_followed_by_its_opposite():
    block = next(balanced_masks(PIECES, np.random.default_rng(0)))
    signs = 2.0 * block - 1
    assert block.shape == (64, PIECES)
    assert (block[0::2] == ~block[1::2]).all()
    assert (signs.T @ signs == len(block) * np.eye(PIECES)).all(), "no piece is mistaken for another"


@pytest.fixture(scope="module")
def together(saturating):
    """Three pieces far apart decide, and each of them only where the others are shown."""
    _, apart = saturating
    effects = np.random.default_rng(4).normal(0, 0.3, PIECES)

    def asked(shown):
        odds = (shown - 0.5) @ effects + 5.0 * (shown[:, 2] & shown[:, 9] & shown[:, 16]) - 2
        return 1 / (1 + np.exp(-odds))

    return asked, apart


@pytest.mark.parametrize("network", ["saturating", "together"])
def test_few_answers_come_nearer_to_limes_weights_than_limes_own_fit(network, request):
    asked, apart = request.getfixturevalue(network)
    many = np.random.default_rng(1).random((200_000, PIECES)) < 0.5
    reference = linear_fit(many, asked(many), WIDTH).weights
    errors = {"ours": [], "lime": []}
    for seed in range(5):
        blocks = balanced_masks(PIECES, np.random.default_rng(seed))
        shown = np.concatenate([next(blocks), next(blocks)])
        ours = Process(apart, side=128, seed=seed).fitted(shown, asked(shown), WIDTH)
        drawn = np.random.default_rng(50 + seed).random((8 * len(shown), PIECES)) < 0.5
        errors["ours"].append(np.linalg.norm(ours.weights - reference))
        errors["lime"].append(np.linalg.norm(linear_fit(drawn, asked(drawn), WIDTH).weights - reference))
    assert np.mean(errors["ours"]) < np.mean(errors["lime"]), "with an eighth of the answers"


def test_answers_that_nothing_explains_leave_the_weights_as_small_as_they_are(saturating):
    """One piece decides by eight log-odds, and as much comes of what no process can know."""
    _, apart = saturating
    some = np.random.default_rng(5).integers(0, 2, PIECES)

    def asked(shown):
        parity = np.where((shown @ some) % 2 > 0, 4.0, -4.0)
        return 1 / (1 + np.exp(-(8.0 * (shown[:, 7] - 0.5) + parity)))

    many = np.random.default_rng(6).random((100_000, PIECES)) < 0.5
    reference = linear_fit(many, asked(many), WIDTH).weights
    errors = []
    for seed in range(6):
        blocks = balanced_masks(PIECES, np.random.default_rng(seed))
        shown = np.concatenate([next(blocks) for _ in range(4)])
        found = Process(apart, side=128, seed=seed).fitted(shown, asked(shown), WIDTH).weights
        errors.append(np.linalg.norm(found - reference))
    assert np.mean(errors) < 0.2 * np.linalg.norm(reference)


def test_a_network_that_never_changes_its_mind_gives_no_weights(saturating):
    _, apart = saturating
    shown = next(balanced_masks(PIECES, np.random.default_rng(0)))
    fit = Process(apart, side=128, seed=0).fitted(shown, np.full(len(shown), 0.3), WIDTH)
    assert np.abs(fit.weights).max() < 1e-9
    assert fit.intercept == pytest.approx(0.3)


@pytest.fixture
def head():
    """A square head of slowly changing brightness, zero outside."""
    picture = np.zeros((64, 64), np.float32)
    rows, columns = np.mgrid[10:50, 12:52]
    picture[10:50, 12:52] = 1.2 + np.sin(rows / 7.0) * np.cos(columns / 9.0)
    return picture


def test_sampling_stops_once_the_order_has_settled(head):
    segments = even_pieces(head, PIECES)
    chosen = lime.Parameters(samples=2000, least=64)
    clear = np.random.default_rng(5).normal(0, 2, segments.max() + 1)

    def certain(shown):
        return 1 / (1 + np.exp(-(shown - 0.5) @ clear))

    fit, metrics = lime.sampled(certain, segments, chosen, seed=0)
    assert metrics["samples"] < 2000
    assert metrics["rank_stability"] >= chosen.settled
    assert np.corrcoef(fit.weights, clear)[0, 1] > 0.95
    assert fit.r2 > 0.5


def test_pieces_cover_the_head_and_nothing_else(head):
    segments = even_pieces(head, 16)
    assert ((segments >= 0) == (head != 0)).all()
    assert set(np.unique(segments)) == set(range(-1, segments.max() + 1))
    assert 8 <= segments.max() + 1 <= 24
