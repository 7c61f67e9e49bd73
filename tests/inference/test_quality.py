"""What could be better about a scan: every check grows with its fault, and says where it stands."""

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from scipy import ndimage

from inference.engine.quality import CHECKS, check
from inference.formats.stack import PictureStack
from inference.phantom import Defects, render, sample_spec, volume

SPEC = sample_spec(np.random.default_rng(4), label="ventriculomegaly")
FAULTS = [
    ("ultrasound", "blur", "blur"),
    ("ultrasound", "motion", "smear"),
    ("ultrasound", "noise", "noise"),
    ("ultrasound", "gain", "saturation"),
    ("ultrasound", "crop", "cut_off"),
    ("mri", "blur", "blur"),
    ("mri", "noise", "noise"),
    ("mri", "gain", "saturation"),
    ("mri", "shadow", "signal_void"),
    ("mri", "crop", "cut_off"),
]


def values(look: str, seed: int, **defects: float) -> dict[str, float]:
    stack = render(SPEC, look, seed=seed, defects=Defects(**defects)).stack()
    return {one.name: one.value for one in check(stack, [0])}


@pytest.mark.parametrize(("look", "fault", "name"), FAULTS)
def test_a_check_grows_with_its_fault(look, fault, name):
    clean, bad, worst = (
        median(values(look, seed, **{fault: grade})[name] for seed in (2, 5, 7)) for grade in (0.0, 0.6, 1.0)
    )
    assert clean < bad
    assert clean < worst


@pytest.mark.parametrize("seed", [2, 5])
def test_a_picture_that_is_smooth_already_is_told_from_one_that_is_blurred_further(seed):
    sharp = render(SPEC, "mri", seed=seed).stack()
    found = []
    for sigma in (1.5, 1.8, 2.2, 3.0):
        smooth = ndimage.gaussian_filter(sharp.pixels[0].astype(np.float32), sigma)
        found.append(value_of(replace(sharp, pixels=smooth.astype(np.uint16)[None]), "blur"))
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.03


@pytest.mark.parametrize("seed", [2, 5])
def test_noise_is_seen_in_a_large_picture_as_in_a_small_one(seed):
    small = render(SPEC, "ultrasound", seed=seed).stack()
    large = np.kron(small.pixels[0], np.ones((3, 3), np.uint8)).astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 12, large.shape)
    clean, noisy = (
        value_of(replace(small, pixels=np.clip(picture, 0, 255).astype(np.uint8)[None]), "noise")
        for picture in (ndimage.gaussian_filter(large, 2), ndimage.gaussian_filter(large, 2) + grain)
    )
    assert noisy > clean + 0.03


def value_of(stack: PictureStack, name: str) -> float:
    return next(one.value for one in check(stack, [0]) if one.name == name)


def test_the_same_scan_gives_the_same_checks_and_is_left_as_it_was():
    stack = render(SPEC, "ultrasound", seed=2).stack()
    before = stack.pixels.copy()
    assert check(stack, [0]) == check(stack, [0])
    assert np.array_equal(stack.pixels, before)


def test_a_dark_patch_is_shown_where_it_lies():
    stack = render(SPEC, "mri", seed=2, defects=Defects(shadow=1.0)).stack()
    found = next(one for one in check(stack, [0]) if one.name == "signal_void")
    (top, left), (bottom, right) = found.where
    rows = slice(*sorted((max(int(top), 0), int(bottom))))
    columns = slice(*sorted((max(int(left), 0), int(right))))
    clean = render(SPEC, "mri", seed=2).pixels.astype(float)
    lost = clean - stack.pixels[0]
    assert lost[rows, columns].mean() > 2 * lost[clean > 40].mean()


def test_of_several_frames_the_worst_is_named():
    clean = render(SPEC, "ultrasound", seed=2).stack()
    bad = render(SPEC, "ultrasound", seed=2, defects=Defects(blur=1.0)).stack()
    loop = replace(clean, pixels=np.concatenate([clean.pixels, bad.pixels]))
    assert next(one for one in check(loop, [0, 1]) if one.name == "blur").frame == 1


def test_slices_that_jumped_are_noticed():
    still, moved = (
        volume(SPEC, seed=3, defects=Defects(motion=grade), size=96, slice_spacing=5.0).stack()
        for grade in (0.0, 1.0)
    )
    jumps = [
        next(one.value for one in check(stack, [len(stack.pixels) // 2]) if one.name == "slice_jumps")
        for stack in (still, moved)
    ]
    assert jumps[1] > 3 * jumps[0]


@pytest.mark.parametrize("modality", list(CHECKS))
def test_a_blank_frame_has_no_checks(modality):
    blank = replace(render(SPEC, modality, seed=2).stack(), pixels=np.zeros((1, 80, 80), np.uint8))
    assert check(blank, [0]) == ()


def cut_off(pixels: np.ndarray) -> float:
    stack = replace(render(SPEC, "ultrasound", seed=2).stack(), pixels=pixels[None])
    return next(one.value for one in check(stack, [0]) if one.name == "cut_off")


def test_a_head_that_runs_off_a_lit_edge_is_cut_and_one_beside_a_dark_margin_is_not():
    whole = render(SPEC, "ultrasound", seed=2)
    columns = np.flatnonzero(whole.head.any(axis=0))
    left, right = int(columns[0]), int(columns[-1])
    half = left + (right - left) * 6 // 10
    assert cut_off(whole.pixels[:, :half]) > cut_off(whole.pixels) + 0.1
    margin = whole.pixels.copy()
    margin[:, : max(left - 3, 0)] = 0
    margin[:, right + 3 :] = 0
    assert cut_off(np.ascontiguousarray(margin[:, max(left - 6, 0) : right + 6])) < 0.27
