"""Phantoms: what is stated about a synthetic head must be what its picture shows."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

from inference.formats.stack import MODALITIES, Modality
from inference.phantom import Caliper, HeadSpec, Phantom, render, sample_spec, volume
from inference.phantom.anatomy import biparietal_mm, occipitofrontal_mm

REPOSITORY = Path(__file__).parents[2]


def head(seed: int = 1, **choices: object) -> HeadSpec:
    return sample_spec(np.random.default_rng(seed), **choices)  # type: ignore[arg-type]


def width_on_mask(phantom: Phantom, caliper: Caliper) -> float:
    """Millimetres of unbroken ventricle along the caliper's line, walked well past both its ends."""
    inner, outer = np.array(caliper.inner), np.array(caliper.outer)
    length = float(np.hypot(*((outer - inner) * phantom.pixel_spacing)))
    share = np.linspace(-0.6, 1.6, 2201)
    line = inner[:, np.newaxis] + (outer - inner)[:, np.newaxis] * share
    inside = map_coordinates(phantom.ventricles.astype(np.float32), line, order=1) > 0.5
    middle = int(np.argmin(np.abs(share - 0.5)))
    assert inside[middle], "the caliper's middle must lie in the ventricle"
    first = middle - int(np.argmin(inside[middle::-1]))
    last = middle + int(np.argmin(inside[middle:]))
    return float((share[last] - share[first]) * length)


def in_picture(phantom: Phantom, caliper: Caliper) -> bool:
    ends = np.array([caliper.inner, caliper.outer])
    return bool((ends > 4).all() and (ends < phantom.pixels.shape[0] - 5).all())


@pytest.mark.parametrize("look", MODALITIES)
def test_the_same_arguments_give_the_same_bytes(look: Modality) -> None:
    first, second = (render(head(), look, seed=5).png() for _ in range(2))
    assert first == second
    assert render(head(), look, seed=6).png() != first


@pytest.mark.parametrize("look", MODALITIES)
def test_another_seed_is_another_acquisition_of_the_same_head(look: Modality) -> None:
    first, second = render(head(), look, seed=1), render(head(), look, seed=2)
    assert first.spec == second.spec
    assert first.atrial_width_mm == second.atrial_width_mm
    assert not np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("look", MODALITIES)
@pytest.mark.parametrize("size", [128, 256])
def test_the_stated_atrial_width_is_found_on_the_mask_to_within_one_pixel(look: Modality, size: int) -> None:
    checked = 0
    for seed in range(24):
        label = ("normal", "ventriculomegaly")[seed % 2]
        phantom = render(
            head(seed, label=label, gestational_age_days=130 + 5 * seed), look, seed=seed, size=size
        )
        for caliper, stated in zip(phantom.calipers, phantom.atrial_width_mm, strict=True):
            if in_picture(phantom, caliper):
                assert abs(width_on_mask(phantom, caliper) - stated) <= max(phantom.pixel_spacing)
                checked += 1
    assert checked > 30


@pytest.mark.parametrize("look", MODALITIES)
def test_choroid_lies_in_the_ventricles_and_ventricles_in_the_head(look: Modality) -> None:
    for seed in range(12):
        phantom = render(head(seed), look, seed=seed, size=128)
        assert phantom.ventricles.any()
        assert not (phantom.ventricles & ~phantom.head).any()
        assert not (phantom.choroid & ~phantom.ventricles).any()


def test_the_label_follows_the_wider_atrium() -> None:
    for seed in range(200):
        spec = head(seed)
        assert spec.label == ("ventriculomegaly" if max(spec.atrial_width_mm) >= 10.0 else "normal")


@pytest.mark.parametrize("label", ["normal", "ventriculomegaly"])
@pytest.mark.parametrize("days", [126, 160, 200, 252])
def test_a_head_of_the_wanted_label_and_age_is_drawn(label: str, days: int) -> None:
    for seed in range(20):
        spec = head(seed, label=label, gestational_age_days=days)
        assert (spec.label, spec.gestational_age_days) == (label, days)


def test_normal_atria_measure_six_and_a_half_millimetres_on_average() -> None:
    widths = [width for seed in range(400) for width in head(seed, label="normal").atrial_width_mm]
    assert np.mean(widths) == pytest.approx(6.5, abs=0.2)
    assert np.std(widths) == pytest.approx(1.3, abs=0.25)


@pytest.mark.parametrize("look", MODALITIES)
def test_one_seed_with_either_label_is_one_head_with_other_ventricles(look: Modality) -> None:
    normal, dilated = (
        render(head(4, label=label), look, seed=4, size=128) for label in ("normal", "ventriculomegaly")
    )
    assert normal.gestational_age_days == dilated.gestational_age_days
    assert normal.pixel_spacing == dilated.pixel_spacing
    assert np.array_equal(normal.head, dilated.head)
    assert normal.ventricles.sum() < dilated.ventricles.sum()


def test_heads_grow_as_the_published_curves() -> None:
    # INTERGROWTH-21st medians at 20 and 30 weeks, mm
    assert biparietal_mm(20) == pytest.approx(48.4, abs=0.2)
    assert biparietal_mm(30) == pytest.approx(78.9, abs=0.3)
    assert occipitofrontal_mm(20) == pytest.approx(60.7, abs=0.2)


def test_an_age_outside_the_curves_is_refused() -> None:
    with pytest.raises(ValueError, match="gestational age"):
        head(gestational_age_days=90)


@pytest.mark.parametrize("look", MODALITIES)
def test_the_png_says_that_it_is_synthetic_and_holds_no_answer(look: Modality) -> None:
    phantom = render(head(), look, seed=3, size=128)
    with Image.open(io.BytesIO(phantom.png())) as picture:
        marks = json.loads(picture.text["ventra-phantom"])  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(picture), phantom.pixels)
    assert marks == {
        "synthetic": True,
        "look": look,
        "seed": 3,
        "pixel_spacing": list(phantom.pixel_spacing),
    }


def test_the_stack_is_one_frame_with_the_phantoms_spacing() -> None:
    phantom = render(head(), "ultrasound", seed=3, size=128)
    stack = phantom.stack()
    assert stack.pixels.shape == (1, 128, 128)
    assert stack.pixel_spacing == phantom.pixel_spacing
    assert (stack.modality, stack.pixel_spacing_source) == ("ultrasound", "phantom")


def test_a_volume_shows_the_ventricles_around_its_ventricular_slice() -> None:
    scan = volume(head(label="ventriculomegaly"), seed=1, size=96)
    areas = scan.ventricles.sum(axis=(1, 2))
    assert scan.stack().pixels.shape == scan.head.shape == scan.ventricles.shape
    assert areas[scan.ventricular_slice] == areas.max()
    assert areas[0] == areas[-1] == 0
    assert not (scan.ventricles & ~scan.head).any()


def test_a_volume_becomes_a_nifti_file_in_patient_space() -> None:
    import nibabel

    scan = volume(head(), seed=1, size=64)
    file = nibabel.Nifti1Image.from_bytes(scan.nifti())
    assert file.shape == scan.pixels.shape[::-1]
    assert nibabel.aff2axcodes(file.affine) == ("L", "P", "S")
    assert file.header.get_zooms() == pytest.approx((*scan.pixel_spacing[::-1], scan.slice_spacing))
    stored: NDArray[np.uint8] = np.asarray(file.dataobj)
    assert np.array_equal(stored.transpose(2, 1, 0), scan.pixels)


def test_the_command_writes_pictures_and_their_truth(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "inference.phantom", "--look", "ultrasound", "--seed", "7"]
    choices = ["--label", "ventriculomegaly", "--size", "64", "--count", "2", "--out-dir", str(tmp_path)]
    subprocess.run([*command, *choices], check=True, capture_output=True, cwd=REPOSITORY)
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 2
    for picture in pictures:
        truth = json.loads(picture.with_suffix(".json").read_text())
        assert truth["synthetic"] is True
        assert max(truth["atrial_width_mm"]) >= 10.0
