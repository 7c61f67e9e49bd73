"""One network, two libraries: the same answers and the same maps, and each answer says which made it."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from engine_models import packed, random_model, record_of

from inference.engine import catalogue
from inference.engine.backends import BACKENDS, best_for
from inference.engine.explain import gradcam
from inference.engine.networks import NETWORKS
from inference.engine.networks.classifier import slopes_of
from inference.engine.networks.imagenet import AsImageNet, folded
from inference.engine.predict import predict
from inference.engine.weights.loaded_model import load
from inference.phantom import render, sample_spec

SMALL = ("cnn", "modified_cnn", "resnet18", "vgg16")


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).standard_normal((3, 1, 128, 128)).astype(np.float32)


@pytest.fixture(scope="module", params=SMALL)
def both(request):
    """The same random weights, opened by either library."""
    content = packed(request.param)
    record = record_of(content, request.param)
    return {name: load(record, content, backend=name) for name in BACKENDS}


def test_both_backends_give_the_same_logits_and_maps_for_any_number_of_pictures(both, pictures):
    for count in (1, 3):
        torchs, onnx = (both[name].passed(pictures[:count]) for name in ("torch", "onnxruntime"))
        assert onnx.logits == pytest.approx(torchs.logits, abs=1e-4)
        scale = np.abs(torchs.maps).max()
        assert np.abs(onnx.maps - torchs.maps).max() <= 1e-5 * scale
        assert onnx.maps.shape == torchs.maps.shape


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("label", ["normal", "ventriculomegaly"])
def test_grad_cam_is_captums_map(both, pictures, backend, label):
    model = both[backend]
    layer = model.module.get_submodule(model.network.gradcam_layer)
    target = model.record.labels.index(label)
    reference = LayerGradCam(model.module, layer).attribute(
        torch.from_numpy(pictures), target=target, relu_attributions=True
    )
    reference = reference.detach().numpy()[:, 0]
    ours = gradcam.weighed(model, model.passed(pictures).maps, label)
    assert reference.max() > 0
    assert np.abs(ours - reference).max() <= 1e-5 * reference.max()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("index", [0, 1])
def test_the_slopes_behind_the_cut_are_those_of_automatic_differentiation(network, index, pictures):
    model = random_model(network)
    with torch.inference_mode():
        maps = model.module.maps(torch.from_numpy(pictures)).numpy()
    leaf = torch.tensor(maps, requires_grad=True)
    (wanted,) = torch.autograd.grad(model.module.classify(leaf)[:, index].sum(), leaf)
    found = slopes_of(model.network.classifier, model.weights.tensors, maps, index)
    assert found == pytest.approx(wanted.numpy(), abs=1e-6 * float(wanted.abs().max()))


@pytest.mark.parametrize("side", [4, 8, 16])
def test_a_coarse_map_is_enlarged_as_torch_does_it(side):
    coarse = np.random.default_rng(side).random((2, side, side)).astype(np.float32)
    wanted = torch.nn.functional.interpolate(torch.from_numpy(coarse)[:, None], (128, 128), mode="bilinear")
    assert gradcam.enlarged(coarse, 128) == pytest.approx(wanted.numpy()[:, 0], abs=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_stages_of_a_network_in_turn_give_its_logits(network, pictures):
    module = random_model(network).module
    found = torch.from_numpy(pictures)
    with torch.inference_mode():
        logits = module(found)
        for stage in module.stages():
            found = stage(found)
    assert torch.equal(found, logits)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_for_grey_pictures_says_nearly_the_same(network, pictures):
    module = random_model(network).module.eval()
    with torch.inference_mode():
        logits, drafted = module(torch.from_numpy(pictures)), module.grey()(torch.from_numpy(pictures))
    assert drafted.numpy() == pytest.approx(logits.numpy(), abs=0.05 * float(logits.abs().max()))


@pytest.mark.parametrize("padding", [1, 3])
def test_colours_that_are_folded_into_a_convolution_change_nothing_but_the_edge(padding, pictures):
    torch.manual_seed(2)
    first = torch.nn.Conv2d(3, 5, 2 * padding + 1, padding=padding)
    colours, grey = AsImageNet(), torch.from_numpy(pictures)
    with torch.inference_mode():
        apart, together = first(colours(grey)), folded(first)(grey)
    inside = (..., slice(padding, -padding), slice(padding, -padding))
    assert together.shape == apart.shape
    assert together[inside].numpy() == pytest.approx(apart[inside].numpy(), abs=1e-4)
    assert not torch.allclose(together, apart, atol=1e-4)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_is_cut_where_its_grad_cam_layer_stands(network, pictures):
    module = random_model(network).module
    seen = []
    layer = module.get_submodule(NETWORKS[network].gradcam_layer)
    hook = layer.register_forward_hook(lambda *parts: seen.append(parts[2]))
    with torch.inference_mode():
        logits, maps = module(torch.from_numpy(pictures)), module.maps(torch.from_numpy(pictures))
    hook.remove()
    assert torch.equal(maps, seen[0])
    assert torch.equal(module.classify(maps), logits)


def test_an_answer_says_which_library_made_it():
    content = packed("cnn")
    stack = render(sample_spec(np.random.default_rng(1)), "ultrasound", seed=1).stack()
    said = {}
    for name in BACKENDS:
        (said[name],) = predict(load(record_of(content, "cnn"), content, backend=name), [stack])
        assert said[name].backend == name
        assert name in said[name].versions
    assert said["torch"].probability == pytest.approx(said["onnxruntime"].probability, abs=1e-6)
    assert best_for("cpu").name == "onnxruntime"
    assert best_for("cuda").name == "torch"


def test_a_backend_that_does_not_work_on_a_device_is_refused():
    content = packed("cnn")
    with pytest.raises(ValueError, match="onnxruntime does not work on cuda"):
        load(record_of(content, "cnn"), content, device="cuda", backend="onnxruntime")


def test_a_draft_says_nearly_what_the_network_says():
    shipped = catalogue.newest("resnet18", "mri")
    model = load(shipped.record, shipped.content(), backend="onnxruntime")
    (draft,) = model.draft("mri")
    head = render(sample_spec(np.random.default_rng(9)), "mri", seed=9).stack().pixels[0] / 255.0
    parts = np.stack([np.where(np.arange(128)[:, None] < cut, head[:128, :128], 0) for cut in (40, 80, 128)])
    pictures = parts[:, None].astype(np.float32)
    real = model.passed(pictures).logits
    assert draft(pictures) == pytest.approx(real, abs=0.25)


def test_small_networks_and_torch_have_no_draft():
    assert random_model("cnn").draft("ultrasound") is None
    content = packed("cnn")
    assert load(record_of(content, "cnn"), content, backend="onnxruntime").draft("ultrasound") is None
