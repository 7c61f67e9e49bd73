"""Out of scope is an answer: what shows no fetal head is refused with its reason, and heads are let in."""

import csv
import json
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from engine_models import random_model

from digests import sha256_hex
from inference.engine import catalogue
from inference.engine.backends.with_torch import tensors_of
from inference.engine.explain.explainers import NotBound, explain
from inference.engine.head.ellipse import Ellipse
from inference.engine.input_gate import vgg16_gate
from inference.engine.input_gate.sononet_gate import gate_name
from inference.engine.networks.vgg16 import VGG16
from inference.engine.predict import predict
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.formats import PictureStack, read
from inference.phantom import render, sample_spec
from inference.phantom.others import KINDS, MODALITY, other, other_stack
from inference.phantom.volume import volume
from inference.training.evaluation.figures import wilson
from inference.training.input_gate.vgg16_gate.command import main
from inference.training.input_gate.vgg16_gate.material import Item, items, picture_of
from inference.training.input_gate.vgg16_gate.spoiled import SPOILERS
from refusals import Refusal

RECIPE = {modality: RECIPES[f"{modality}-head-128"] for modality in ("ultrasound", "mri")}
UNSEEN = 7_000_000
"""Seeds from here on were never used to fit the gate."""
SENTENCES = {
    "not_a_head": "This does not look like a fetal head in axial section.",
    "no_head": "No outline convincing enough for a fetal head was found in the picture.",
}


def refusal_of(stack: PictureStack) -> tuple[str, str] | None:
    """(code, sentence), or None when the scan is analysable."""
    try:
        prepare(stack, RECIPE[stack.modality])
    except Refusal as refused:
        return refused.code, refused.detail
    return None


@cache
def said_of(kind: str, seed: int) -> tuple[str, str] | None:
    """What is said of one drawing of a kind, judged once for all tests."""
    return refusal_of(other_stack(kind, seed=UNSEEN + seed))


def phantom(look: str, seed: int) -> PictureStack:
    return render(sample_spec(np.random.default_rng(seed)), look, seed=seed).stack()


def spoiled(name: str, look: str, seed: int) -> PictureStack:
    rng = np.random.default_rng(seed)
    truth = render(sample_spec(rng), look, seed=seed)
    rows, columns = np.nonzero(truth.head)
    head = Ellipse(columns.mean(), rows.mean(), np.ptp(columns) / 2, np.ptp(rows) / 2, 0.0)
    scene = other("abdomen", seed=seed).astype(np.float32) / 255
    picture = SPOILERS[name](rng, truth.pixels.astype(np.float32) / 255, head, scene)
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return replace(truth.stack(), pixels=pixels[None])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_head_is_refused_with_its_reason(kind):
    said = [said_of(kind, seed) for seed in range(4)]
    assert sum(one is not None for one in said) >= 3
    assert all(SENTENCES.get(one[0], one[1]) == one[1] for one in said if one)
    assert {one[0] for one in said if one} <= {"not_a_head", "no_head", "no_contrast", "wrong_modality"}


def test_at_least_nineteen_in_twenty_of_what_is_no_head_is_refused():
    said = [said_of(kind, seed) for kind in KINDS for seed in range(4)]
    assert sum(one is not None for one in said) >= 0.95 * len(said)


@pytest.mark.parametrize("kind", sorted(MODALITY))
def test_what_is_no_head_stays_refused_when_it_is_declared_as_the_other_modality(kind):
    swapped = "mri" if MODALITY[kind] == "ultrasound" else "ultrasound"
    said = [refusal_of(other_stack(kind, seed=UNSEEN + seed, modality=swapped)) for seed in range(3)]
    assert sum(one is not None for one in said) >= 2


@pytest.mark.parametrize("look", ["ultrasound", "mri"])
@pytest.mark.parametrize("name", ["painted_over", "painted_inside", "shuffled", "replaced", "warped"])
def test_half_and_more_of_the_heads_that_were_painted_over_or_taken_apart_are_refused(name, look):
    said = [refusal_of(spoiled(name, look, UNSEEN + seed)) for seed in range(4)]
    assert sum(one is not None for one in said) >= 2


@pytest.mark.parametrize("look", ["ultrasound", "mri"])
def test_heads_are_let_in_and_their_likelihood_is_told(look):
    let_in = 0
    for seed in range(12):
        try:
            found = prepare(phantom(look, UNSEEN + seed), RECIPE[look])
        except Refusal:
            continue
        let_in += 1
        assert vgg16_gate.shipped_gate(look).thresholds[look] <= found.quality["head_likelihood"] <= 1
    assert let_in >= 11


@pytest.mark.parametrize("look", ["ultrasound", "mri"])
def test_a_head_of_the_other_modality_is_refused_as_such(look):
    declared = "mri" if look == "ultrasound" else "ultrasound"
    said = [refusal_of(replace(phantom(look, UNSEEN + seed), modality=declared)) for seed in range(10)]
    assert sum(one is not None for one in said) >= 9
    told = [one[1] for one in said if one and one[0] == "wrong_modality"]
    assert len(told) >= 5
    assert all("was declared as" in sentence and sentence.endswith("of a fetal head.") for sentence in told)


def test_frames_of_a_loop_are_judged_one_by_one():
    frames = [
        phantom("ultrasound", UNSEEN + 1).pixels[0],
        other("femur", seed=UNSEEN),
        other("photo", seed=1),
    ]
    loop = replace(phantom("ultrasound", UNSEEN + 1), pixels=np.stack(frames))
    assert prepare(loop, RECIPE["ultrasound"]).frames == (0,)


def test_slices_of_a_volume_are_judged_together():
    whole = volume(sample_spec(np.random.default_rng(UNSEEN)), seed=UNSEEN).stack()
    found = prepare(whole, RECIPE["mri"])
    assert len(found.frames) >= 4
    trunk = np.stack([other("body", seed=UNSEEN + seed, size=160) for seed in range(20)])
    assert refusal_of(replace(whole, pixels=trunk)) is not None


def test_a_refused_scan_is_refused_by_every_door():
    model, stack = random_model("cnn"), phantom("ultrasound", UNSEEN + 2)
    (answer,) = predict(model, [stack])
    assert answer.analysable
    assert answer.versions["input_gate"] == gate_name()
    femur = replace(stack, pixels=other("femur", seed=UNSEEN)[None])
    (refused,) = predict(model, [femur])
    assert refused.refusal.code in {"not_a_head", "no_head"}
    with pytest.raises(NotBound, match="not the input the answer rests on"):
        explain("gradcam", model, femur, answer)


def test_training_may_leave_the_question_out():
    body = replace(other_stack("body", seed=UNSEEN, modality="mri"))
    with pytest.raises(Refusal):
        prepare(body, RECIPE["mri"])
    assert "head_likelihood" not in prepare(body, RECIPE["mri"], scope=False).quality


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Eight patients, a phantom picture of each, in the layout of the training command."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "ultrasound").mkdir()
    lines = ["file,label,group"]
    for patient in range(8):
        (folder / "ultrasound" / f"{patient}.png").write_bytes(
            render(sample_spec(np.random.default_rng(patient)), "ultrasound", seed=patient).png()
        )
        lines.append(f"{patient}.png,normal,patient-{patient}")
    (folder / "ultrasound" / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.training
@pytest.mark.long
def test_the_same_command_writes_the_same_gate_with_its_table(folder, tmp_path):
    hashes = []
    for name in ("first", "second"):
        said, cache = StringIO(), str(tmp_path / "pictures.npz")
        options = ["--share", "0.01", "--steps", "2", "--cache", cache, "--out", str(tmp_path / name)]
        assert main(["--data", str(folder), *options], said) == 0
        gate = vgg16_gate.load_gate(tmp_path / name, vgg16_gate.shipped_gate("ultrasound").stem)
        hashes.append(gate.record["weights_sha256"])
    assert hashes[0] == hashes[1]
    assert gate.record["figures"]["all that is no head, of kinds the gate never met"]["count"] > 20
    assert str(folder) not in (tmp_path / "first" / "scope.json").read_text()
    assert "| all heads |" in (tmp_path / "first" / "scope.md").read_text()


def test_weights_that_are_not_the_records_are_refused(tmp_path):
    gate = vgg16_gate.shipped_gate("ultrasound")
    for name in ("scope.json", "scope.safetensors"):
        (tmp_path / name).write_bytes((vgg16_gate.SHIPPED / name).read_bytes())
    assert vgg16_gate.load_gate(tmp_path, gate.stem).thresholds == gate.thresholds
    content = (tmp_path / "scope.safetensors").read_bytes()
    (tmp_path / "scope.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(vgg16_gate.ScopeMismatch, match="hash"):
        vgg16_gate.load_gate(tmp_path, gate.stem)


def test_the_stem_is_found_by_its_hash_and_not_by_a_version_number(tmp_path, monkeypatch):
    """Somebody ships a VGG16 that is newer and fine-tuned from its first layer on."""
    ours = catalogue.newest("vgg16", "ultrasound")
    catalogue.write(ours.record, ours.content(), tmp_path)
    tuned = safetensors.torch.load(ours.content())
    tuned["features.0.weight"] = tuned["features.0.weight"] + 0.5
    content = safetensors.torch.save(tuned)
    newer = replace(ours.record, version="9.0", weights_sha256=sha256_hex(content))
    catalogue.write(newer, content, tmp_path)
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path)
    assert catalogue.newest("vgg16", "ultrasound").record == newer
    wanted = json.loads((vgg16_gate.SHIPPED / "scope.json").read_text())["stem_sha256"]
    assert vgg16_gate.shipped_stem(wanted).sha256 == wanted
    with pytest.raises(vgg16_gate.ScopeMismatch, match="stem"):
        vgg16_gate.shipped_stem("0" * 64)


def test_another_stem_than_the_one_it_was_fitted_on_is_refused():
    with pytest.raises(vgg16_gate.ScopeMismatch, match="stem"):
        vgg16_gate.load_gate(vgg16_gate.SHIPPED, vgg16_gate.stem_of(tensors_of(VGG16())))


@pytest.mark.parametrize("spacing", [(0.8, 0.8), (0.5, 0.8)])
def test_a_head_that_is_too_long_for_any_fetus_is_refused_where_the_spacing_is_known(spacing):
    head = Ellipse(100.0, 100.0, 120.0, 90.0, 0.0)
    vgg16_gate.refuse_adult(head, None)
    vgg16_gate.refuse_adult(head, (0.4, 0.4))
    with pytest.raises(Refusal) as refused:
        vgg16_gate.refuse_adult(head, spacing)
    assert refused.value.code == "head_too_long"
    assert "192 mm long" in refused.value.detail


def test_an_adult_sized_scan_is_refused_by_its_size():
    stack = phantom("mri", UNSEEN + 3)
    assert refusal_of(replace(stack, pixel_spacing=(0.4, 0.4))) is None
    assert refusal_of(replace(stack, pixel_spacing=(1.2, 1.2)))[0] == "head_too_long"


@pytest.mark.data
def test_real_heads_are_let_in(data_dir):
    with (data_dir / "ultrasound" / "labels.csv").open() as file:
        names = [row["file"] for row in csv.DictReader(file)]
    stacks = [read(data_dir / "ultrasound" / n, modality="ultrasound", file_name=n) for n in names[::12]]
    refused = sum(refusal_of(stack) is not None for stack in stacks)
    assert refused <= 0.05 * len(stacks)
    swapped = [refusal_of(replace(stack, modality="mri")) for stack in stacks[::2]]
    assert sum(one is not None for one in swapped) >= 0.95 * len(swapped)


@pytest.mark.data
def test_real_volumes_are_let_in_and_refused_as_ultrasound(data_dir):
    for path in sorted((data_dir / "mri").glob("*/srr.nii.gz"))[::4]:
        stack = read(path, modality="mri", file_name=path.name)
        assert prepare(stack, RECIPE["mri"]).quality["head_likelihood"] > 0.5
        assert refusal_of(replace(stack, modality="ultrasound")) is not None


@pytest.mark.data
def test_real_heads_without_their_inside_are_refused(data_dir):
    wanted = [item for item in items(data_dir, 1.0, UNSEEN) if item.kind.startswith("painted") and item.file]
    said = [refusal_of(_stack(data_dir, item)) for item in wanted[::24]]
    assert wilson(sum(one is not None for one in said), len(said)).value >= 0.8


def _stack(data_dir, item: Item) -> PictureStack:
    picture, _ = picture_of(data_dir, item)
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return PictureStack(pixels[None], item.declared, "", "png")
