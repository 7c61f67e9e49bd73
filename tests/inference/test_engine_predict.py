"""Answers: repeatable, calibrated, refused with a reason, and only from the weights the record names."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from engine_models import packed, random_model, record_of

from inference.engine import catalogue
from inference.engine.networks import NETWORKS
from inference.engine.predict import NumericalError, calibrated, predict
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.weights.loaded_model import WeightsMismatch, load
from inference.formats import PictureStack
from inference.phantom import render, sample_spec


def scan(seed: int, look: str = "ultrasound") -> PictureStack:
    seed += 9  # from ten on they are heads that the input gate knows well
    return render(sample_spec(np.random.default_rng(seed)), look, seed=seed).stack()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_same_scan_gets_the_same_answer(network):
    model = random_model(network)
    first, second = (predict(model, [scan(1)])[0] for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)
    assert first.probability is not None
    assert 0 <= first.probability <= 1
    assert first.label == ("ventriculomegaly" if first.probability >= 0.5 else "normal")


@pytest.mark.parametrize("network", NETWORKS)
def test_a_batch_answers_as_its_scans_would_one_by_one(network):
    model = random_model(network)
    blank = replace(scan(2), pixels=np.zeros((1, 256, 256), np.uint8))
    scans = [scan(1), blank, scan(3)]
    together = predict(model, scans)
    alone = [predict(model, [one])[0] for one in scans]
    assert [a.analysable for a in together] == [True, False, True]
    for one, other in zip(together, alone, strict=True):
        assert one.input_sha256 == other.input_sha256
        assert one.probability == pytest.approx(other.probability, abs=1e-5)


def test_a_refused_scan_has_a_reason_and_no_probability():
    model = random_model("cnn")
    blank = replace(scan(2), pixels=np.zeros((1, 256, 256), np.uint8))
    (answer,) = predict(model, [blank])
    assert not answer.analysable
    assert answer.refusal is not None
    assert answer.refusal.code == "blank"
    assert (answer.label, answer.probability, answer.logits, answer.frames) == (None, None, None, ())


def test_a_scan_of_the_other_modality_is_refused_with_its_reason():
    (answer,) = predict(random_model("cnn", "ultrasound"), [scan(1, "mri")])
    assert answer.refusal is not None
    assert answer.refusal.code == "wrong_modality"


def test_several_frames_make_one_answer_from_the_mean_of_their_logits():
    model = random_model("modified_cnn")
    loop = replace(scan(1), pixels=np.concatenate([scan(seed).pixels for seed in (1, 2, 3)]))
    (answer,) = predict(model, [loop])
    assert answer.frames == (0, 1, 2)
    assert answer.logits == pytest.approx(np.mean(answer.frame_logits, axis=0))
    (chosen,) = predict(model, [loop], frames=[[1]])
    assert chosen.frames == (1,)
    assert chosen.logits == pytest.approx(answer.frame_logits[1], abs=1e-5)


def test_the_probability_is_the_softmax_of_logits_over_the_temperature():
    model = random_model("cnn")
    (answer,) = predict(model, [scan(1)])
    normal, positive = answer.logits
    expected = 1 / (1 + np.exp((normal - positive) / model.record.temperature))
    assert answer.probability == pytest.approx(expected)
    assert calibrated(np.array([800.0, -800.0]), 1.0) == pytest.approx([1, 0])


def test_a_network_that_overflows_is_a_fault_and_not_an_answer():
    tensors = safetensors.torch.load(packed("cnn"))
    tensors["head.4.bias"] = torch.tensor([float("nan"), 0.0])
    content = safetensors.torch.save(tensors)
    model = load(record_of(content, "cnn"), content)
    with pytest.raises(NumericalError, match="not finite"):
        predict(model, [scan(1)])


def test_tampered_weights_are_refused_before_they_are_parsed():
    content = packed("cnn")
    tampered = b"no weights at all"
    with pytest.raises(WeightsMismatch, match="hash"):
        load(record_of(content, "cnn"), tampered)
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    with pytest.raises(WeightsMismatch, match="hash"):
        load(record_of(content, "cnn"), flipped)


def test_bytes_that_are_no_safetensors_are_refused():
    content = b"\x80\x04 a pickle perhaps"
    with pytest.raises(WeightsMismatch, match="do not fit"):
        load(record_of(content, "cnn"), content)


def test_weights_of_another_architecture_are_refused():
    content = packed("modified_cnn")
    with pytest.raises(WeightsMismatch, match="do not fit"):
        load(record_of(content, "cnn"), content)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "transformer"},
        {"labels": ("ventriculomegaly", "normal")},
        {"preprocessing": "another"},
        {"preprocessing_sha256": "0" * 64},
    ],
)
def test_a_record_that_does_not_fit_the_code_is_refused(changes):
    content = packed("cnn")
    with pytest.raises(WeightsMismatch):
        load(record_of(content, "cnn", **changes), content)


def test_every_shipped_version_loads_and_fits_its_record():
    versions = catalogue.shipped()
    assert {(one.record.network, one.record.modality) for one in versions} >= {
        (network, modality)
        for network in ("cnn", "modified_cnn", "ensemble")
        for modality in ("ultrasound", "mri")
    }
    for one in versions:
        record, content = one.record, one.content()
        assert hashlib.sha256(content).hexdigest() == record.weights_sha256
        assert RECIPES[record.preprocessing].sha256 == record.preprocessing_sha256
        assert load(record, content).module.training is False
    files = {one.weights: one.weights.stat().st_size for one in versions if one.weights}
    assert sum(files.values()) <= 64 * 2**20, "together, so that a clone stays small"


def test_the_highest_version_of_a_network_is_the_newest():
    newest = catalogue.newest("modified_cnn", "ultrasound")
    assert newest is not None
    assert newest.record.network == "modified_cnn"
    assert catalogue.newest("transformer", "ultrasound") is None
