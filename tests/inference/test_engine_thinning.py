"""Fewer products for nearly the same log-odds: what the last stage of a draft is made of."""

import numpy as np
import pytest
import torch
from torch import nn

from inference.engine import catalogue
from inference.engine.explain.fast_lime import drafts, quantized
from inference.engine.explain.fast_lime.gaussian_process import balanced_masks
from inference.engine.explain.fast_lime.low_rank import products_of, thinned
from inference.engine.explain.superpixels import even_pieces, hidden_pictures
from inference.engine.preprocessing.prepare import prepare
from inference.engine.weights.loaded_model import load
from inference.phantom import render, sample_spec


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


def few_directions(channels: int, directions: int, seed: int) -> nn.Module:
    """A network whose second convolution answers along a few directions only."""
    torch.manual_seed(seed)
    first, second = nn.Conv2d(1, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, 2, 1)
    mixed = torch.randn(channels, directions) @ torch.randn(directions, channels)
    second.weight.data = torch.einsum("ck,kijl->cijl", mixed / channels, second.weight.data)
    return nn.Sequential(
        first, nn.ReLU(), second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 2)
    )


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).standard_normal((40, 1, 24, 24)).astype(np.float32)


def test_what_lies_along_few_directions_is_answered_exactly_through_few_channels(pictures):
    module = few_directions(64, 5, seed=1)
    thin = thinned(module, pictures[:32], products_of(module, pictures))
    wide, few = convolutions(module)[1], convolutions(thin)[-2:]
    assert few[0].out_channels == 8
    assert (few[0].in_channels, few[0].stride, few[1].kernel_size) == (64, wide.stride, (1, 1))
    with torch.inference_mode():
        shown = torch.from_numpy(pictures)
        assert thin(shown).numpy() == pytest.approx(module(shown).numpy(), abs=1e-3)


def test_the_network_itself_stays_as_it_was(pictures):
    module = few_directions(64, 5, seed=2)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    thinned(module, pictures, products_of(module, pictures))
    assert len(convolutions(module)) == 2
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in module.parameters())


def test_a_convolution_that_needs_all_its_channels_stays_in_one_step(pictures):
    torch.manual_seed(3)
    module = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.Flatten(), nn.LazyLinear(2))
    module(torch.from_numpy(pictures[:1]))
    thin = thinned(module, pictures, products_of(module, pictures))
    assert [part.out_channels for part in convolutions(thin)] == [8, 8]


def test_a_small_part_of_a_network_keeps_more_of_its_channels(pictures):
    module = few_directions(64, 40, seed=5)
    products = products_of(module, pictures)
    few, more = (
        convolutions(thinned(module, pictures, whole))[-2].out_channels
        for whole in (products // 100, products)
    )
    assert few < more < 64


def test_equal_pictures_make_equal_networks(pictures):
    module = few_directions(64, 5, seed=4)
    products = products_of(module, pictures)
    made = [thinned(module, pictures, products).state_dict() for _ in range(2)]
    assert all(torch.equal(value, made[1][name]) for name, value in made[0].items())


def test_the_shipped_resnet18_keeps_its_log_odds_for_a_third_of_the_products():
    shipped = catalogue.newest("resnet18", "mri")
    model = load(shipped.record, shipped.content())
    shown = quantized._masked_phantoms(model.network.recipes["mri"], "mri")[: quantized.SHOWN]
    whole = model.module.grey()
    thin = thinned(whole, shown, products_of(whole, shown))
    stack = render(sample_spec(np.random.default_rng(90), label="ventriculomegaly"), "mri", seed=90).stack()
    picture = prepare(stack, model.recipe, scope=False).tensor[0, 0]
    pieces = even_pieces(picture, 50)
    masks = next(balanced_masks(int(pieces.max()) + 1, np.random.default_rng(0)))[:64]
    unseen = torch.from_numpy(hidden_pictures(picture, pieces, masks, 0.0)[:, None])
    with torch.inference_mode():
        odds = [np.diff(module(unseen).numpy())[:, 0] for module in (model.module, thin)]
    assert np.corrcoef(*odds)[0, 1] > 0.99
    assert products_of(thin, shown) < products_of(whole, shown) / 3


def test_products_are_those_of_every_convolution(pictures):
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3, stride=2), nn.Conv2d(8, 2, 1), nn.Flatten())
    assert products_of(module, pictures) == 4 * 9 * 22**2 + 8 * 4 * 9 * 10**2 + 2 * 8 * 10**2


def test_where_a_thin_network_is_no_good_the_whole_one_is_drafted(monkeypatch):
    shipped = catalogue.newest("resnet18", "mri")
    model = load(shipped.record, shipped.content(), backend="onnxruntime")
    monkeypatch.setattr("inference.engine.explain.fast_lime.low_rank.WORTH", 1e9)
    (draft,) = drafts.opened(quantized.made(model.weights, "mri"), 1)
    stack = render(sample_spec(np.random.default_rng(7)), "mri", seed=7).stack()
    tensor = prepare(stack, model.recipe, scope=False).tensor
    assert np.diff(draft(tensor)) == pytest.approx(np.diff(model.passed(tensor).logits), abs=0.2)
