"""What a network sees: the head, nothing but the head, or a reason why not."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from inference.engine.preprocessing.prepare import RECIPES, prepare, resample
from inference.formats import PictureStack, read
from inference.phantom import render, sample_spec
from refusals import Refusal

ULTRASOUND, MRI = RECIPES["ultrasound-head-64"], RECIPES["mri-head-64"]


def phantom(look: str, seed: int):
    return render(sample_spec(np.random.default_rng(seed)), look, seed=seed)


def picture(pixels: np.ndarray, modality: str = "ultrasound") -> PictureStack:
    stacked = pixels if pixels.ndim == 3 else pixels[None]
    return PictureStack(pixels=stacked, modality=modality, original_sha256="0" * 64, source_format="png")


def refusal_of(stack: PictureStack, **kwargs) -> str:
    with pytest.raises(Refusal) as caught:
        prepare(stack, ULTRASOUND, **kwargs)
    assert caught.value.detail.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(("look", "recipe"), [("ultrasound", ULTRASOUND), ("mri", MRI)])
def test_the_head_of_a_phantom_is_found(look, recipe):
    overlaps = []
    for seed in range(8):
        truth = phantom(look, seed)
        found = prepare(truth.stack(), recipe).head[0]
        overlaps.append((found & truth.head).sum() / (found | truth.head).sum())
    assert np.median(overlaps) > 0.88
    assert np.min(overlaps) > 0.5


@pytest.mark.data
def test_the_heads_of_real_pictures_are_found(data_dir):
    with (data_dir / "ultrasound" / "labels.csv").open() as file:
        names = [row["file"] for row in csv.DictReader(file) if row["label"] != "other"][::8]
    refused = 0
    for name in names:
        stack = read(data_dir / "ultrasound" / name, modality="ultrasound", file_name=name)
        try:
            assert 0.03 < prepare(stack, ULTRASOUND).quality["head_share"] < 0.9
        except Refusal:
            refused += 1
    assert refused <= 0.05 * len(names)


@pytest.mark.data
def test_the_slices_of_a_real_volume_pass_through_its_ventricles(data_dir):
    volume = sorted((data_dir / "mri").glob("*/srr.nii.gz"))[0]
    stack = read(volume, modality="mri", file_name=volume.name)
    found = prepare(stack, MRI)
    assert found.tensor.shape == (5, 1, 64, 64)
    assert all(0.4 < frame / stack.pixels.shape[0] < 0.8 for frame in found.frames)
    assert "48%" in found.frame_rule


@pytest.mark.parametrize(("look", "recipe"), [("ultrasound", ULTRASOUND), ("mri", MRI)])
def test_nothing_outside_the_head_reaches_the_network(look, recipe):
    found = prepare(phantom(look, 3).stack(), recipe)
    head = resample(found.head[0], found.grid_to_scan[0], recipe.size) > 0
    assert 0.2 < (~head).mean() < 0.7
    assert not found.tensor[0, 0][~head].any()
    assert found.tensor[0, 0][head].std() > 0.3


def test_gain_hardly_moves_the_head():
    stack = phantom("ultrasound", 5).stack()
    dimmed = replace(stack, pixels=(stack.pixels * 0.6).astype(np.uint8))
    first, second = (prepare(s, ULTRASOUND).head[0] for s in (stack, dimmed))
    assert (first & second).sum() / (first | second).sum() > 0.9


def test_preparing_twice_gives_the_same_bytes_and_hash():
    stack = phantom("mri", 6).stack()
    first, second = prepare(stack, MRI), prepare(stack, MRI)
    assert first.tensor.tobytes() == second.tensor.tobytes()
    assert first.sha256 == second.sha256


def test_a_blank_frame_is_refused_with_its_reason():
    assert refusal_of(picture(np.full((256, 256), 40, np.uint8))) == "blank"


@pytest.mark.parametrize("level", [0, 9])
def test_a_volume_in_which_nothing_is_bright_is_refused_with_its_reason(level):
    blank = picture(np.full((12, 64, 64), level, np.uint16), "mri")
    with pytest.raises(Refusal) as refused:
        prepare(replace(blank, slice_spacing=3.0), RECIPES["mri-stack-128"])
    assert refused.value.code == "blank"


def test_a_frame_without_contrast_is_refused_with_its_reason():
    flat = np.full((256, 256), 200, np.uint8)
    flat[::7, ::5] = 202
    assert refusal_of(picture(flat)) == "no_contrast"


def test_a_tiny_picture_is_refused_with_its_reason():
    assert refusal_of(picture(np.arange(32 * 32, dtype=np.uint16).reshape(32, 32))) == "too_small"


def test_noise_is_no_head():
    noise = np.random.default_rng(1).integers(0, 255, (256, 256)).astype(np.uint8)
    assert refusal_of(picture(noise)) == "no_head"


def test_a_frame_that_does_not_exist_is_refused_with_its_reason():
    assert refusal_of(phantom("ultrasound", 1).stack(), frames=[1]) == "no_such_frame"


def test_a_person_may_choose_the_frames():
    loop = picture(np.concatenate([phantom("ultrasound", seed).pixels[None] for seed in (1, 2, 3)]))
    found = prepare(loop, ULTRASOUND, frames=[2, 0])
    assert found.frames == (0, 2)
    assert "person" in found.frame_rule


def test_a_loop_is_read_at_evenly_spread_frames_and_blank_ones_are_left_out():
    frame = phantom("ultrasound", 1).pixels
    loop = np.repeat(frame[None], 30, axis=0)
    loop[0] = 0
    found = prepare(picture(loop), ULTRASOUND)
    assert len(found.frames) == 7
    assert found.frames[-1] == 29
    assert "spread evenly" in found.frame_rule


def test_every_number_of_a_recipe_is_in_its_hash():
    changed = replace(MRI, steps=(*MRI.steps[:-1], ("hide", {"centre": 0.4, "spread": 0.26})))
    assert changed.sha256 != MRI.sha256
    assert len({recipe.sha256 for recipe in RECIPES.values()}) == len(RECIPES)
