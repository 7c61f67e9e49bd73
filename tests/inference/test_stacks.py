"""MRI stacks of thick slices in any plane: read as the volume itself, or refused with what to acquire."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from conftest import source_of

from digests import sha256_hex
from inference.engine import catalogue
from inference.engine.predict import calibrated, frame_logits
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import SLICES_ACROSS
from inference.engine.uncertainty.undecided import SURE_ACROSS
from inference.engine.weights.loaded_model import LoadedModel, load
from inference.formats import read
from inference.formats.stack import PictureStack
from inference.phantom import sample_spec
from inference.phantom.volume import volume
from inference.training.cli import renew
from refusals import Refusal

BEFORE, NOW = RECIPES["mri-anatomy-128"], RECIPES["mri-stack-128"]
ROWS, COLUMNS = 1, 2
"""Thick along rows is coronal, along columns sagittal."""


def thick(stack: PictureStack, axis: int, gap: float) -> PictureStack:
    """The volume as slices of another plane show it, `gap` mm apart: each the mean of what it covers."""
    spacing = list(stack.pixel_spacing)
    count = round(gap / spacing[axis - 1])
    kept = stack.pixels.shape[axis] // count * count
    pixels = np.moveaxis(stack.pixels.astype(np.float32), axis, 0)[:kept]
    pixels = pixels.reshape(-1, count, *pixels.shape[1:]).mean(axis=1)
    spacing[axis - 1] *= count
    return replace(
        stack,
        pixels=np.ascontiguousarray(np.moveaxis(pixels, 0, axis)).round().astype(stack.pixels.dtype),
        pixel_spacing=tuple(spacing),
    )


def fine(seed: int, label: str) -> PictureStack:
    return volume(sample_spec(np.random.default_rng(seed), label=label), seed=seed, size=256).stack()


def of_half_the_size(stack: PictureStack) -> PictureStack:
    spacing = tuple(mm / 2 for mm in stack.pixel_spacing)
    return replace(stack, pixel_spacing=spacing, slice_spacing=stack.slice_spacing / 2)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    shipped = catalogue.newest("cnn", "mri")
    return load(shipped.record, shipped.content(), backend="torch")


def chance(model: LoadedModel, stack: PictureStack) -> float:
    """What a network says, past the gate, which knows few phantoms."""
    logits = frame_logits(model, prepare(stack, NOW, scope=False).tensor).mean(axis=0)
    return float(calibrated(logits, model.record.temperature)[1])


def refusal_of(stack: PictureStack, recipe=NOW):
    with pytest.raises(Refusal) as refused:
        prepare(stack, recipe, scope=False)
    return refused.value


@pytest.mark.parametrize("label", ["normal", "ventriculomegaly"])
def test_thick_slices_of_any_plane_are_read_as_the_volume_itself(model, label):
    whole = fine(3, label)
    said = chance(model, whole)
    for axis, gap in ((ROWS, 2.5), (ROWS, 4.0), (COLUMNS, 2.5), (COLUMNS, 4.0)):
        stack = thick(whole, axis, gap)
        assert chance(model, stack) == pytest.approx(said, abs=0.1), (axis, gap)


@pytest.mark.data
def test_stacks_made_of_a_real_volume_keep_its_label_and_its_probability(model, data_dir):
    file = source_of(data_dir, "mri") / "fetal_SB_atlas_GA34_operated" / "srr.nii.gz"
    whole = read(file, modality="mri")
    said = chance(model, whole)
    for axis in (ROWS, COLUMNS):
        for gap in (1.6, 3.2, 4.0):
            assert chance(model, thick(whole, axis, gap)) == pytest.approx(said, abs=0.1), (axis, gap)


@pytest.mark.parametrize(("axis", "plane"), [(ROWS, "coronal"), (COLUMNS, "sagittal")])
def test_slices_too_far_apart_are_refused_with_what_to_acquire(axis, plane):
    refusal = refusal_of(thick(fine(3, "normal"), axis, 6.0))
    assert refusal.code == "coarse_slices"
    assert f"The {plane} slices lie 6" in refusal.detail
    assert f"acquire axial slices, or {plane} ones at most 4." in refusal.detail


def test_a_small_head_asks_for_thinner_slices():
    small = of_half_the_size(fine(3, "normal"))
    assert refusal_of(thick(small, COLUMNS, 4.0)).code == "coarse_slices"
    assert prepare(thick(small, COLUMNS, 1.0), NOW, scope=False).frames


def test_a_stack_of_another_plane_says_how_many_of_its_slices_the_head_spans():
    whole = of_half_the_size(fine(3, "normal"))
    few, many = (
        prepare(thick(whole, ROWS, gap), NOW, scope=False).quality[SLICES_ACROSS] for gap in (3.0, 1.5)
    )
    assert few < SURE_ACROSS < many
    assert many == pytest.approx(2 * few, rel=0.1)
    assert SLICES_ACROSS not in prepare(whole, NOW, scope=False).quality


def test_what_was_refused_before_is_refused_again_by_its_own_preparation():
    stack = thick(fine(3, "normal"), ROWS, 4.0)
    assert min(stack.pixels.shape[1:]) < 64
    assert refusal_of(stack, BEFORE).code == "too_small"


def test_volumes_of_square_pixels_are_prepared_to_the_same_bytes_as_before():
    for label in ("normal", "ventriculomegaly"):
        before, now = (prepare(fine(5, label), recipe, scope=False) for recipe in (BEFORE, NOW))
        assert before.sha256 == now.sha256
        assert before.quality == now.quality


def test_a_version_is_renewed_with_its_weights_and_figures(tmp_path):
    out = StringIO()
    assert renew.main(["cnn-mri-2.3", "ensemble-mri-1.4", "--out", str(tmp_path)], out) == 0
    alone = catalogue.named("cnn-mri-2.3").record
    again = type(alone).from_json((tmp_path / "cnn-mri-2.4.json").read_text())
    assert again == replace(alone, version="2.4")
    members = type(alone).from_json((tmp_path / "ensemble-mri-1.5.json").read_text())
    assert members.members[0] == "cnn-mri-2.4"
    assert "cnn 2.4" in members.card["data"]
    assert renew.main(["nothing-mri-1.0", "--out", str(tmp_path)], out) == 2


def test_every_version_for_mri_comes_under_the_newest_preparation():
    for one in catalogue.all_shipped():
        if one.record.modality == "mri":
            assert one.record.preprocessing_sha256 == NOW.sha256, one.record.name
            assert sha256_hex(one.content()) == one.record.weights_sha256, one.record.name
