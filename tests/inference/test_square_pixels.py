"""Pixels that are not square: heads are read in true proportions, maps lie on the scan's own pixels."""

import csv
from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from corpus import dicoms
from PIL import Image

from inference.engine import catalogue
from inference.engine.explain.explainers import explain
from inference.engine.predict import calibrated, frame_logits, predict
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.preprocessing.prepared_cache import prepared_once
from inference.engine.quality import check
from inference.engine.weights.loaded_model import LoadedModel, load
from inference.formats import read
from inference.formats.stack import PictureStack
from inference.phantom import render, sample_spec
from refusals import Refusal

OLD, NEW = RECIPES["ultrasound-head-128"], RECIPES["ultrasound-square-128"]
SQUEEZES = (1.25, 1.5, 2.0)


@cache
def model() -> LoadedModel:
    """A shipped network, told to square pixels first."""
    shipped = catalogue.newest("cnn", "ultrasound")
    record = replace(shipped.record, preprocessing=NEW.id, preprocessing_sha256=NEW.sha256)
    return load(record, shipped.content(), backend="torch")


def probability(stack: PictureStack) -> float:
    """What the network says, past the gate and without its other views: they take most of the time."""
    logits = frame_logits(model(), prepare(stack, NEW, scope=False).tensor).mean(axis=0)
    return float(calibrated(logits, model().record.temperature)[1])


def phantom(seed: int, spacing: float = 0.2) -> PictureStack:
    drawn = render(sample_spec(np.random.default_rng(seed)), "ultrasound", seed=seed, size=320)
    rows, columns = drawn.pixel_spacing
    return as_square(drawn.pixels, rows / columns, spacing)


def as_square(pixels: np.ndarray, aspect: float, spacing: float) -> PictureStack:
    size = (pixels.shape[1], round(pixels.shape[0] * aspect))
    even = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    return PictureStack(even[None], "ultrasound", "0" * 64, "png", pixel_spacing=(spacing, spacing))


def squeezed(stack: PictureStack, factor: float, *, across: bool = True) -> PictureStack:
    """Every pixel `factor` times as wide (or as high) as before, with the spacing that says so."""
    rows, columns = stack.pixels.shape[1:]
    size = (round(columns / factor), rows) if across else (columns, round(rows / factor))
    small = np.asarray(Image.fromarray(stack.pixels[0]).resize(size, Image.Resampling.BOX))
    down, over = stack.pixel_spacing
    spacing = (down, over * columns / size[0]) if across else (down * rows / size[1], over)
    return replace(stack, pixels=small[None], pixel_spacing=spacing)


@pytest.mark.parametrize("factor", SQUEEZES)
@pytest.mark.parametrize("across", [True, False])
def test_a_squeezed_picture_gets_the_answer_of_the_square_one(factor, across):
    for seed in (0, 1):
        whole = phantom(seed)
        assert probability(squeezed(whole, factor, across=across)) == pytest.approx(
            probability(whole), abs=0.03
        )


def test_without_a_stated_spacing_or_with_a_square_one_the_input_is_what_it_was_to_the_byte():
    stack = phantom(3)
    for same in (stack, replace(stack, pixel_spacing=None), replace(stack, pixel_spacing=(0.2, 0.201))):
        old, new = prepare(same, OLD), prepare(same, NEW)
        assert old.sha256 == new.sha256
        assert (old.head == new.head).all()
        assert (old.grid_to_scan[0] == new.grid_to_scan[0]).all()


def test_the_old_preprocessing_still_gives_the_old_input():
    stack = squeezed(phantom(3), 1.5)
    assert prepare(stack, OLD).sha256 == prepare(replace(stack, pixel_spacing=None), OLD).sha256
    assert prepare(stack, NEW).sha256 != prepare(stack, OLD).sha256


def test_head_and_heat_lie_on_the_scans_own_pixels():
    whole = phantom(4)
    stack = squeezed(whole, 2.0)
    (answer,) = predict(model(), [stack])
    heat = explain("gradcam", model(), stack, answer, check=False).heatmap[0]
    assert heat.shape == stack.pixels.shape[1:]
    wide, narrow = prepare(whole, NEW).head[0], prepare(stack, NEW).head[0]
    again = np.asarray(Image.fromarray(narrow).resize(wide.shape[::-1]))
    assert (again & wide).sum() / (again | wide).sum() > 0.95
    (first,) = predict(model(), [whole])
    even = explain("gradcam", model(), whole, first, check=False).heatmap[0].astype(np.float32)
    drawn_out = np.asarray(Image.fromarray(heat.astype(np.float32)).resize(even.shape[::-1]))
    assert np.corrcoef(drawn_out.ravel(), even.ravel())[0, 1] > 0.9


def test_what_could_be_better_is_measured_in_true_proportions_and_shown_in_the_scans_pixels():
    whole = phantom(5)
    plain = {one.name: one for one in check(whole, [0])}
    other = {one.name: one for one in check(squeezed(whole, 1.5), [0])}
    assert plain["cut_off"].value == pytest.approx(other["cut_off"].value, abs=0.05)
    assert plain["saturation"].value == pytest.approx(other["saturation"].value, abs=0.05)


def test_two_scales_are_two_scans_even_when_their_pixels_are_the_same():
    one = squeezed(phantom(6), 1.5)
    seen = [prepared_once(stack, NEW) for stack in (one, replace(one, pixel_spacing=None))]
    assert seen[0].sha256 != seen[1].sha256


@pytest.mark.parametrize(
    ("stated", "aspect"), [([3, 2], 1.5), ([1, 1], 1.0), ([0, 1], None), ([100, 1], None), (None, None)]
)
def test_a_dicom_files_pixel_aspect_is_read_where_it_states_no_spacing(stated, aspect, tmp_path):
    more = {"PixelAspectRatio": stated} if stated else {}
    path = tmp_path / "a.dcm"
    path.write_bytes(dicoms.file(np.zeros((1, 40, 40), np.uint8), modality="US", **more))
    stack = read(path, modality="ultrasound", file_name="a.dcm")
    assert stack.pixel_aspect == aspect
    assert stack.pixel_spacing is None


def test_an_aspect_alone_squares_the_pixels():
    stack = squeezed(phantom(7), 1.5)
    down, over = stack.pixel_spacing
    known = prepare(stack, NEW)
    bare = prepare(replace(stack, pixel_spacing=None, pixel_aspect=down / over), NEW)
    assert np.abs(known.tensor - bare.tensor).max() < 1e-3


@pytest.mark.data
def test_real_pictures_squeezed_keep_their_answer(data_dir):
    with (data_dir / "ultrasound" / "labels.csv").open() as file:
        names = [row["file"] for row in csv.DictReader(file)][::12]
    gaps = []
    for name in names:
        whole = read(data_dir / "ultrasound" / name, modality="ultrasound", file_name=name)
        whole = replace(whole, pixel_spacing=(0.5, 0.5))
        with suppress(Refusal):
            gaps.append(abs(probability(whole) - probability(squeezed(whole, 1.5))))
    assert len(gaps) >= 10
    assert np.mean(np.array(gaps) < 0.03) > 0.6
    assert np.mean(gaps) < 0.05


@pytest.mark.data
def test_pictures_that_come_squeezed_keep_their_call(data_dir):
    folder = data_dir.parent / "inputs" / "squeezed_ultrasound"
    if not folder.is_dir():
        pytest.skip("there are no squeezed pictures beside the real scans")
    found = {
        path.stem: probability(read(path, modality="ultrasound", file_name=path.name))
        for path in sorted(folder.glob("*.dcm"))
    }
    squeezes = {name: name.split("_")[0] + "_1" for name in found if not name.endswith("_1")}
    threshold = model().record.threshold
    assert len(squeezes) >= 20
    assert all((found[name] >= threshold) == (found[whole] >= threshold) for name, whole in squeezes.items())
    gaps = np.array([abs(found[name] - found[whole]) for name, whole in squeezes.items()])
    assert np.mean(gaps) < 0.03
    assert np.mean(gaps < 0.03) > 0.8


def test_a_blank_picture_is_refused_whatever_its_pixels_are():
    blank = PictureStack(np.full((1, 90, 90), 7, np.uint8), "ultrasound", "", "png", pixel_spacing=(1.0, 2.0))
    with pytest.raises(Refusal):
        prepare(blank, NEW)
