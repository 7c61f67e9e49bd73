"""Training: groups are never split, figures are right, and a run gives the same weights twice."""

import csv
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from inference.engine.records import WeightsRecord
from inference.engine.weights import load
from inference.phantom import render, sample_spec
from inference.training.atlas import narrowed, widest_mm
from inference.training.calibrate import fit_temperature, threshold_for_sensitivity
from inference.training.command import main
from inference.training.figures import (
    at_threshold,
    auc,
    bootstrap,
    calibration_error,
    predictive_values,
    wilson,
)
from inference.training.groups import GroupLeak, check_groups, grouped_folds, refuse_leak


def test_a_group_on_both_sides_of_a_split_is_refused():
    with pytest.raises(GroupLeak, match="patient-2"):
        refuse_leak(np.array(["patient-1", "patient-2"]), np.array(["patient-2", "patient-3"]))


def test_a_picture_without_a_group_is_refused():
    with pytest.raises(GroupLeak, match=r"b\.png has no group"):
        check_groups(["patient-1", ""], ["a.png", "b.png"])


def test_a_picture_in_two_groups_is_refused():
    with pytest.raises(GroupLeak, match="patient-1 and patient-2"):
        check_groups(["patient-1", "patient-2"], ["a.png", "a.png"])


def test_folds_keep_groups_whole_and_hold_every_picture_out_once():
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 30, 200)
    labels, groups = (patients % 3 == 0).astype(np.int64), np.array([f"p{n}" for n in patients])
    folds = grouped_folds(labels, groups, 4, seed=1)
    assert (np.sum(folds, axis=0) == 1).all()
    for held_out in folds:
        assert not set(groups[held_out]) & set(groups[~held_out])
        assert set(labels[held_out]) == {0, 1}
        assert 0.1 < held_out.mean() < 0.4


def test_auc_counts_ties_as_half():
    assert auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.9])) == pytest.approx(0.875)


def test_wilsons_interval_matches_the_published_example():
    found = wilson(15, 50)
    assert (found.low, found.high) == pytest.approx((0.191, 0.438), abs=0.001)


def test_whole_groups_are_drawn_so_repeated_pictures_do_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 10)
    scores = rng.normal(truth, 1.0)
    groups = np.array([f"g{n}" for n in range(20)])
    once = bootstrap(auc, truth, scores, groups)
    copies = bootstrap(auc, np.repeat(truth, 9), np.repeat(scores, 9), np.repeat(groups, 9))
    assert once.low < once.value < once.high
    assert copies.high - copies.low == pytest.approx(once.high - once.low, abs=0.02)


def test_a_good_test_is_worth_little_where_the_disease_is_rare():
    values = predictive_values(0.97, 0.97, 0.01)
    assert values["positive_predictive_value"] == pytest.approx(0.246, abs=0.001)
    assert values["negative_predictive_value"] > 0.999


def test_the_operating_point_counts_what_it_should():
    found = at_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.7, 0.2]), 0.5)
    assert [found[n].value for n in ("sensitivity", "specificity", "accuracy")] == [0.5, 0.5, 0.5]


def test_overconfident_logits_get_a_temperature_that_calibrates_them():
    rng = np.random.default_rng(0)
    score = rng.normal(0, 2, 4000)
    truth = (rng.random(4000) < 1 / (1 + np.exp(-score))).astype(np.int64)
    logits = np.stack([np.zeros(4000), 3 * score], axis=1)
    temperature = fit_temperature(logits, truth)
    assert temperature == pytest.approx(3, rel=0.15)
    chances = 1 / (1 + np.exp(-3 * score / temperature))
    assert calibration_error(truth, chances) < 0.03 < calibration_error(truth, 1 / (1 + np.exp(-3 * score)))


def test_the_threshold_is_the_highest_that_reaches_its_sensitivity():
    truth, chances = np.array([1] * 10 + [0] * 3), np.append(np.arange(10) / 10, [0.05, 0.5, 0.95])
    threshold = threshold_for_sensitivity(chances, truth, 0.9)
    assert (chances[truth == 1] >= threshold).mean() == 0.9
    assert threshold == pytest.approx(0.1)


def test_drawn_in_ventricles_have_the_width_that_was_asked_for():
    rows, columns = np.mgrid[:120, :120]
    ventricles = ((rows - 60) / 30) ** 2 + ((columns - 60) / 11) ** 2 < 1
    picture = np.where(ventricles, 1000.0, 400.0).astype(np.float32)
    assert widest_mm(ventricles) > 15
    narrow = narrowed(picture, ventricles, 7.0)
    assert widest_mm(narrow > 700) == pytest.approx(7.0, abs=1.7)
    assert (narrow[~ventricles & (np.abs(columns - 60) > 20)] == 400).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Eight patients, a phantom picture of each, in the layout a hospital would bring."""
    folder = tmp_path_factory.mktemp("pictures")
    rows = []
    for patient in range(8):
        label = ("normal", "ventriculomegaly")[patient % 2]
        spec = sample_spec(np.random.default_rng(patient), label=label)
        name = f"{patient}.png"
        (folder / name).write_bytes(render(spec, "ultrasound", seed=patient).png())
        rows.append({"file": name, "label": label, "group": f"patient-{patient}"})
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "label", "group"])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def trained(folder: Path, out: Path) -> WeightsRecord:
    small = ["--phantoms", "5", "--phantom-epochs", "1", "--epochs", "1", "--steps", "1", "--folds", "2"]
    said = StringIO()
    base = ["--network", "modified_cnn", "--modality", "ultrasound", "--data", str(folder)]
    assert main([*base, "--out", str(out), "--cache", str(out.parent / "cache"), *small], said) == 0
    assert "held-out AUC" in said.getvalue()
    return WeightsRecord.from_json((out / "modified_cnn-ultrasound-1.0.json").read_text())


def test_a_training_run_writes_loadable_weights_with_an_honest_card_and_repeats_to_the_byte(folder, tmp_path):
    record, again = trained(folder, tmp_path / "first"), trained(folder, tmp_path / "second")
    content = (tmp_path / "first" / "modified_cnn-ultrasound-1.0.safetensors").read_bytes()
    assert load(record, content).record == record
    assert record.weights_sha256 == again.weights_sha256
    assert record.card["counts"]["groups"] == 8
    assert record.card["held_out"]["auc"]["count"] == 8
    assert {"auc_border_only", "auc_border_removed"} <= set(record.card["confound"])
    assert str(folder) not in record.to_json().decode()
    assert "NaN" not in record.to_json().decode()
    page = (tmp_path / "first" / "modified_cnn-ultrasound-1.0.md").read_text()
    assert "Not a cleared device" in page
    assert record.weights_sha256 in page
