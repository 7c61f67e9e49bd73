"""Explanations: bound to one answer, in scan coordinates, the same every time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from engine_models import random_model
from torch import nn

from inference.engine.backends import Weights
from inference.engine.backends.with_torch import tensors_of
from inference.engine.explain import gradcam
from inference.engine.explain.explainers import EXPLAINERS, NotBound, explain
from inference.engine.explain.resample_to_scan import to_scan
from inference.engine.head.ellipse import Ellipse
from inference.engine.networks import NETWORKS
from inference.engine.networks.classifier import Dense, Mean
from inference.engine.networks.split_network import SplitNetwork
from inference.engine.predict import passed, predict
from inference.engine.preprocessing.prepare import RECIPES, grid_to_scan, prepare, resample
from inference.engine.records import LABELS
from inference.formats import PictureStack
from inference.phantom import render, sample_spec

FEW = {
    "gradcam": {},
    "gradcam_plus_plus": {},
    "lime": {"samples": 64, "least": 64},
    "lime_reference": {"samples": 20},
    "integrated_gradients": {"steps": 4},
    "occlusion": {"side": 48, "stride": 48},
    "rise": {"samples": 12},
}
MANY = {"lime_reference": {"samples": 400}, "occlusion": {"side": 16}, "rise": {"samples": 1500}}
SIGNED = set(FEW) - {"gradcam", "gradcam_plus_plus"}


@pytest.fixture(scope="module")
def stack() -> PictureStack:
    return phantom(1).stack()


def phantom(seed: int):
    seed += 9  # from ten on they are heads that the input gate knows well
    return render(sample_spec(np.random.default_rng(seed), label="ventriculomegaly"), "ultrasound", seed=seed)


def hooks_of(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._backward_hooks) for part in module.modules())


LARGE = {"vgg16", "resnet50"}
IN_THE_SUITE = {"gradcam", "gradcam_plus_plus", "lime"}
"""Methods that explain large networks there; those that hide a part a pass take minutes."""
ALL = [
    pytest.param(
        method, network, marks=[pytest.mark.long] if network in LARGE and method not in IN_THE_SUITE else []
    )
    for method in EXPLAINERS
    for network in NETWORKS
]


@pytest.mark.parametrize(("method", "network"), ALL)
def test_every_method_explains_every_network(method, network, stack):
    model = random_model(network)
    (answer,) = predict(model, [stack])
    before = stack.pixels.copy()

    check = network == "cnn"  # hiding and showing is the same for all, and takes the large ones long
    first, second = (
        explain(method, model, stack, answer, seed=3, parameters=FEW[method], check=check) for _ in range(2)
    )

    assert first.heatmap.shape == stack.pixels.shape
    assert first.heatmap.dtype == np.float16
    assert np.isfinite(first.heatmap).all()
    assert first.heatmap.tobytes() == second.heatmap.tobytes()
    assert hooks_of(model.module) == 0
    assert (stack.pixels == before).all()
    assert (first.input_sha256, first.weights_sha256) == (answer.input_sha256, answer.weights_sha256)
    assert (first.class_label, first.frames, first.seed) == (answer.label, answer.frames, 3)
    assert first.signed == (method in SIGNED)
    assert first.signed or 0 <= first.heatmap.min() <= first.heatmap.max() <= 1
    assert 0 <= first.metrics["inside_head"] <= 1


@pytest.mark.parametrize("method", EXPLAINERS)
def test_the_class_that_was_not_predicted_gives_its_own_labelled_map(method, stack):
    model = random_model("modified_cnn")
    (answer,) = predict(model, [stack])
    other = "normal" if answer.label == "ventriculomegaly" else "ventriculomegaly"

    maps = [
        explain(method, model, stack, answer, class_label=label, parameters=FEW[method])
        for label in (answer.label, other)
    ]

    assert [m.class_label for m in maps] == [answer.label, other]
    assert (maps[0].heatmap != maps[1].heatmap).any()


@pytest.mark.parametrize("label", LABELS)
def test_gradcam_of_several_frames_is_on_the_scale_of_the_whole_scan(label):
    """1 is the strongest place of the scan, once: a frame that speaks half as strongly is half as warm."""
    model = random_model("cnn")
    tensor = np.random.default_rng(1).random((1, 1, 128, 128), dtype=np.float32)
    maps = passed(model, tensor).maps
    assert maps is not None
    frames = [maps, maps / 2]
    alone = [gradcam.of_maps(model, frame, label, 128) for frame in frames]
    both = gradcam.of_maps(model, np.concatenate(frames), label, 128)
    peaks = [one.metrics["peak"] for one in alone]
    assert peaks[0] != pytest.approx(peaks[1])
    assert both.metrics["peak"] == pytest.approx(max(peaks))
    for row, one in enumerate(alone):
        expected = one.values[0] * one.metrics["peak"] / max(peaks)
        np.testing.assert_allclose(both.values[row], expected, atol=1e-5)


def test_an_explanation_of_another_scan_is_refused(stack):
    model = random_model("cnn")
    (answer,) = predict(model, [stack])
    with pytest.raises(NotBound, match="not the input"):
        explain("gradcam", model, phantom(2).stack(), answer)


def test_an_explanation_by_other_weights_is_refused(stack):
    (answer,) = predict(random_model("cnn"), [stack])
    with pytest.raises(NotBound, match="weights"):
        explain("gradcam", random_model("cnn", seed=1), stack, answer)


@pytest.mark.parametrize(
    ("field", "value"), [("preprocessing", "another"), ("preprocessing_sha256", "0" * 64)]
)
def test_an_explanation_under_another_preprocessing_is_refused(field, value, stack):
    model = random_model("cnn")
    (answer,) = predict(model, [stack])
    with pytest.raises(NotBound, match="preprocessing"):
        explain("gradcam", model, stack, replace(answer, **{field: value}))


def test_an_explanation_of_a_class_the_model_does_not_know_is_refused(stack):
    model = random_model("cnn")
    (answer,) = predict(model, [stack])
    with pytest.raises(NotBound, match="no class named"):
        explain("gradcam", model, stack, answer, class_label="holoprosencephaly")


def test_a_refused_scan_has_nothing_to_explain(stack):
    model = random_model("cnn")
    blank = replace(stack, pixels=np.zeros_like(stack.pixels))
    (answer,) = predict(model, [blank])
    with pytest.raises(NotBound, match="not analysable"):
        explain("gradcam", model, blank, answer)


def test_what_the_grid_shows_returns_to_its_place_in_the_scan():
    rows, columns = np.mgrid[:200, :240]
    scan = np.sin(rows / 25.0) + np.cos(columns / 30.0)
    affine = grid_to_scan(Ellipse(130, 90, 60, 45, 0.4), 64, 1.08, 0.4)

    back = to_scan(resample(scan, affine, 64), affine, (200, 240), order=1, outside=np.nan)

    seen = np.isfinite(back)
    assert seen[90, 130]
    assert not seen[0, 0]
    assert np.abs(back - scan)[seen].max() < 0.05


class Brightness(SplitNetwork):
    """Calls ventriculomegaly whatever is very bright, wherever it is."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(1, 2, bias=True)
        self.head.load_state_dict({"weight": torch.tensor([[-100.0], [100.0]]), "bias": torch.zeros(2)})

    def maps(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.relu(pictures - 1.9)

    def classify(self, maps: torch.Tensor) -> torch.Tensor:
        return self.head(maps.mean(dim=(2, 3)))


@pytest.mark.parametrize("method", EXPLAINERS)
def test_the_heat_lies_where_the_network_looked(method):
    found = phantom(3)
    pixels = (found.pixels // 3).astype(np.uint8)
    head = np.argwhere(found.head)
    row, column = (int(v) for v in head.mean(axis=0) + np.array([12, -9]))
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    pixels[(y - row) ** 2 + (x - column) ** 2 < 10**2] = 255
    scan = replace(found.stack(), pixels=pixels[None])
    base = random_model("cnn")
    network = replace(
        base.network, module=f"{__name__}:Brightness", classifier=(Mean(), Dense("head")), name="brightness"
    )
    weights = Weights(network, tensors_of(Brightness()))
    record = replace(base.record, weights_sha256="bright")
    model = replace(base, weights=weights, record=record)
    (answer,) = predict(model, [scan])

    shown = explain(
        method, model, scan, answer, class_label="ventriculomegaly", parameters=MANY.get(method), check=False
    )
    heat = np.maximum(shown.heatmap[0].astype(float), 0)
    where = np.argwhere(heat > 0.5 * heat.max()).mean(axis=0)
    assert np.hypot(*(where - [row, column])) < 14
    assert shown.metrics["inside_head"] > 0.7


def test_the_map_is_zero_outside_the_crop_around_the_head(stack):
    model = random_model("modified_cnn")
    (answer,) = predict(model, [stack])
    prepared = prepare(stack, RECIPES[answer.preprocessing])
    shown = explain("gradcam", model, stack, answer)
    grid = np.ones(2 * (prepared.recipe.size,))
    crop = to_scan(grid, prepared.grid_to_scan[0], prepared.scan_shape, order=0, outside=0.0)
    assert not shown.heatmap[0][crop == 0].any()


def test_lime_paints_one_weight_on_each_superpixel(stack):
    model = random_model("cnn")
    (answer,) = predict(model, [stack])
    shown = explain("lime", model, stack, answer, parameters=FEW["lime"])
    assert shown.segments is not None
    for segment in np.unique(shown.segments):
        weights = np.unique(shown.heatmap[shown.segments == segment])
        assert len(weights) == 1
        assert segment >= 0 or weights[0] == 0
    assert {"local_r2", "intercept", "samples"} <= set(shown.metrics)


def test_another_seed_draws_other_superpixel_samples(stack):
    model = random_model("cnn")
    (answer,) = predict(model, [stack])
    one, two = (explain("lime", model, stack, answer, seed=s, parameters=FEW["lime"]) for s in (0, 1))
    assert (one.heatmap != two.heatmap).any()


def test_a_parameter_nobody_knows_is_refused(stack):
    model = random_model("cnn")
    (answer,) = predict(model, [stack])
    for method in EXPLAINERS:
        with pytest.raises(TypeError):
            explain(method, model, stack, answer, parameters={"smoothness": 3})
