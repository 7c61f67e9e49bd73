"""Training: groups are never split, figures are right, and a run gives the same weights twice."""

import csv
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from inference.engine.head.ellipse import Ellipse
from inference.engine.networks import NETWORKS
from inference.engine.records import WeightsRecord
from inference.engine.weights.loaded_model import load
from inference.phantom import render, sample_spec
from inference.training.cli.train import main
from inference.training.data.cache import contents_sha256
from inference.training.data.examples import picture_stack
from inference.training.data.fold_data import filled
from inference.training.data.groups import GroupLeak, check_groups, grouped_folds, refuse_leak
from inference.training.data.material import Making, material
from inference.training.evaluation.calibrate import Target, cross_fitted_calls, fit_temperature, threshold_for
from inference.training.evaluation.figures import (
    at_threshold,
    auc,
    bootstrap,
    calibration_error,
    wilson,
)
from inference.training.fitting.loop import learner
from inference.training.fitting.plan import Plan
from inference.training.fitting.session import NOTHING_KEPT, Course
from inference.training.synthesis.atlas import VENTRICLES, moved, widest_mm
from inference.training.synthesis.border import head_of, headless_sources
from inference.training.synthesis.synthetic_ventricles import graft, grafted_sources

pytestmark = pytest.mark.training


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


ANSWERS = np.array([1] * 10 + [0] * 3), np.append(np.arange(10) / 10, [0.05, 0.5, 0.95])


def test_the_threshold_is_the_highest_that_reaches_its_sensitivity():
    truth, chances = ANSWERS
    threshold = threshold_for(chances, truth, Target("sensitivity", 0.9))
    assert (chances[truth == 1] >= threshold).mean() == 0.9
    assert threshold == pytest.approx(0.1)


def test_the_threshold_is_the_lowest_that_reaches_its_specificity():
    truth, chances = ANSWERS
    threshold = threshold_for(chances, truth, Target("specificity", 0.66))
    assert (chances[truth == 0] < threshold).mean() == pytest.approx(2 / 3)
    assert 0.5 < threshold < 0.6


def test_an_answer_is_called_by_a_threshold_that_was_chosen_without_it():
    truth, chances = np.array([1, 0, 1, 0]), np.array([0.9, 0.1, 0.2, 0.05])
    folds = [np.array([True, True, False, False]), np.array([False, False, True, True])]
    called = cross_fitted_calls(chances, truth, folds, Target("sensitivity", 1.0))
    assert called.tolist() == [1, 0, 0, 0], "0.2 is below what the other fold's positive asks for"


@pytest.mark.parametrize("width", [7.0, 11.0, 20.0])
def test_moved_ventricle_walls_give_the_width_that_was_asked_for(width):
    rows, columns = np.mgrid[:120, :120]
    ventricles = ((rows - 60) / 30) ** 2 + ((columns - 60) / 10) ** 2 < 1
    picture = np.where(ventricles, 1000.0, 400.0).astype(np.float32)
    assert widest_mm(ventricles) == pytest.approx(16, abs=1)
    shown, labels = moved(picture, np.where(ventricles, VENTRICLES, 1).astype(np.int16), width)
    assert widest_mm(labels == VENTRICLES) == pytest.approx(width, abs=1.7)
    assert widest_mm(shown > 700) == pytest.approx(width, abs=1.7)
    assert (shown[np.hypot(rows - 60, columns - 60) > 55] == 400).all(), "the skull stays where it is"


HEAD = Ellipse(100.0, 100.0, 80.0, 62.0, 0.4)
BRAIN = np.random.default_rng(0).normal(90, 30, (200, 200)).astype(np.float32).clip(0)


def drawn_into(label: str) -> np.ndarray:
    """How much each pixel of a textured picture changes when ventricles are drawn into its head."""
    spec = sample_spec(np.random.default_rng(5), label=label)
    return np.abs(graft(BRAIN, HEAD, spec, np.random.default_rng(1)) - BRAIN)


def test_ventricles_drawn_into_a_picture_change_the_head_and_nothing_else():
    changed = drawn_into("ventriculomegaly") > 20
    assert 0.03 < changed[HEAD.mask((200, 200))].mean() < 0.6
    assert not changed[~HEAD.grown(1.02).mask((200, 200))].any()


def test_wider_ventricles_change_more_of_the_same_head():
    assert drawn_into("ventriculomegaly").sum() > 1.3 * drawn_into("normal").sum()


def test_every_other_graft_may_be_a_head_on_black_with_the_same_ventricles(tmp_path):
    spec = sample_spec(np.random.default_rng(3), label="normal")
    (tmp_path / "a.png").write_bytes(render(spec, "ultrasound", seed=3).png())
    normals = [("a.png", "normal", "patient", partial(picture_stack, tmp_path / "a.png"))]
    whole, bare = (grafted_sources(normals, 2, seed=1, bare=bare) for bare in (False, True))
    dark = []
    for (name, *_, one), (bare_name, label, group, other) in zip(whole, bare, strict=True):
        with_border, without = one().pixels[0], other().pixels[0]
        kept = without == with_border
        assert (without[~kept] == 0).all()
        assert (kept.all(), bare_name == name) in ((True, True), (False, False))
        assert (label, group) == (name.split("#")[1].split("-")[0], "patient")
        dark.append(not kept.all())
    assert dark == [False, False, True, True], "one of two, of either label"


def test_a_picture_without_its_head_is_learnt_under_both_labels_in_its_patients_group(tmp_path):
    spec = sample_spec(np.random.default_rng(3), label="normal")
    (tmp_path / "a.png").write_bytes(render(spec, "ultrasound", seed=3).png())
    read = partial(picture_stack, tmp_path / "a.png")
    found = headless_sources([("a.png", "normal", "patient", read)])
    assert [source[1:3] for source in found] == [("normal", "patient"), ("ventriculomegaly", "patient")]
    whole = picture_stack(tmp_path / "a.png").pixels[0]
    painted = found[0][3]().pixels[0]
    head = head_of(read())
    assert len(np.unique(painted[head.mask(whole.shape)])) == 1, "one grey where the head was"
    beside = ~head.grown(1.2).mask(whole.shape)
    assert np.array_equal(painted[beside], whole[beside])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, prepared_pictures) -> Path:
    """Six patients, a phantom picture of each, in the layout a hospital would bring; a cache beside it."""
    folder = tmp_path_factory.mktemp("learn-from") / "pictures"
    folder.mkdir()
    (folder.parent / "cache").symlink_to(prepared_pictures)
    rows = []
    for patient in range(6):
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


SMALL = ["--phantoms=5", "--variants=1", "--phantom-epochs=1", "--epochs=1", "--steps=1", "--folds=2"]
UNEXPLAINED = ["--explained=0"]
BOTH_PRECISIONS = {"halved": ["--halved"], "whole": []}


def trained(folder: Path, out: Path, network: str = "modified_cnn", *more: str) -> WeightsRecord:
    said = StringIO()
    base = ["--network", network, "--modality", "ultrasound", "--data", str(folder)]
    cache = ["--out", str(out), "--cache", str(folder.parent / "cache")]
    assert main([*base, *cache, *SMALL, *UNEXPLAINED, *more], said) == 0
    assert "held-out AUC" in said.getvalue()
    return WeightsRecord.from_json((out / f"{network}-ultrasound-1.0.json").read_text())


def test_no_fold_learns_from_anything_made_of_a_group_that_it_holds_out(folder):
    making = Making(phantoms=5, seed=1, variants=1, bare=True, headless=True)
    recipe_id = NETWORKS["cnn"].recipes["ultrasound"]
    found = material("ultrasound", folder, recipe_id, making, cache=folder.parent / "cache")
    course = Course(Plan("cnn", folds=2), NOTHING_KEPT, lambda _: None, None)
    (shelf,) = filled(course, [found], None)
    for number, held_out in enumerate(shelf.folds):
        (taught, seen), (headless, kept), _ = shelf.banks(number)
        for bank, rows in ((taught, seen), (headless, kept)):
            learnt = set(bank.examples.groups[rows])
            assert learnt
            assert not learnt & set(found.labelled.groups[held_out])


def test_a_training_without_heads_says_so_on_its_card_and_in_its_command(folder, tmp_path):
    record = trained(folder, tmp_path, "modified_cnn", "--headless")
    assert "without their heads, each under both labels" in record.card["data"]
    assert " --headless " in record.card["training"]["command"]


def test_a_training_run_writes_loadable_weights_with_an_honest_card_and_repeats_to_the_byte(folder, tmp_path):
    record, again = (
        trained(folder, tmp_path / name, "modified_cnn", "--explained=1") for name in ("first", "second")
    )
    content = (tmp_path / "first" / "modified_cnn-ultrasound-1.0.safetensors").read_bytes()
    assert load(record, content).record == record
    assert record.weights_sha256 == again.weights_sha256
    assert " --explained 1 " in record.card["training"]["command"]
    assert record.card["counts"]["groups"] == 6
    assert record.card["training"]["pictures_sha256"] == contents_sha256(folder)
    assert record.card["held_out"]["auc"]["count"] == 6
    assert {"auc_border_only", "auc_border_removed"} <= set(record.card["confound"])
    assert str(folder) not in record.to_json().decode()
    assert "NaN" not in record.to_json().decode()
    page = (tmp_path / "first" / "modified_cnn-ultrasound-1.0.md").read_text()
    assert record.weights_sha256 in page
    assert f"their names and bytes: SHA-256 `{contents_sha256(folder)}`" in page
    assert "random weights" in page


def test_a_frozen_stem_stays_as_it_was_published_and_only_the_tail_learns(folder, tmp_path):
    torch.manual_seed(3)
    published = NETWORKS["resnet18"].build().state_dict()
    weights = {name.removeprefix("trunk."): tensor for name, tensor in published.items()}
    weights["fc.weight"], weights["fc.bias"] = torch.zeros(1000, 512), torch.zeros(1000)
    (tmp_path / "weights").mkdir()
    safetensors.torch.save_file(weights, tmp_path / "weights" / "resnet18_imagenet.safetensors")
    more = ["--weights-dir", str(tmp_path / "weights"), "--copies", "1"]
    record = trained(folder, tmp_path / "out", "resnet18", *more)
    learnt = safetensors.torch.load_file(tmp_path / "out" / "resnet18-ultrasound-1.0.safetensors")
    stem, tail = "trunk.layer2.0.conv1.weight", "trunk.layer4.0.conv1.weight"
    assert torch.equal(learnt[stem], published[stem].half())
    assert not torch.equal(learnt[tail], published[tail].half())
    assert record.card["training"]["starts_from"].startswith("resnet18_imagenet.safetensors (")


@pytest.mark.long
def test_a_stem_that_phantoms_taught_stays_while_the_tail_goes_on_learning(folder, tmp_path):
    more = ["--from-scratch", "--settle", "--copies", "1"]
    tensors = {}
    for rate in ("1e-4", "1e-2"):
        record = trained(folder, tmp_path / rate, "resnet18", *more, "--rate", rate)
        assert record.card["training"]["stem"] == "phantoms"
        assert " --settle " in record.card["training"]["command"]
        tensors[rate] = safetensors.torch.load_file(tmp_path / rate / "resnet18-ultrasound-1.0.safetensors")
    stem, tail = "trunk.layer3.1.conv2.weight", "trunk.layer4.0.conv1.weight"
    assert torch.equal(tensors["1e-4"][stem], tensors["1e-2"][stem])
    assert not torch.equal(tensors["1e-4"][tail], tensors["1e-2"][tail])


def test_products_in_bfloat16_give_other_weights_and_stand_in_the_cards_command(folder, tmp_path):
    halved, whole = (trained(folder, tmp_path / name, "cnn", *more) for name, more in BOTH_PRECISIONS.items())
    assert " --halved" in halved.card["training"]["command"]
    assert " --halved" not in whole.card["training"]["command"]
    assert halved.weights_sha256 != whole.weights_sha256


def test_a_network_without_a_tail_cannot_let_it_learn_alone(folder, tmp_path):
    said = StringIO()
    base = ["--network", "cnn", "--modality", "ultrasound", "--data", str(folder), "--out", str(tmp_path)]
    assert main([*base, "--settle"], said) == 2
    assert "leave --settle out" in said.getvalue()


def test_a_target_may_be_named_for_each_modality(folder, tmp_path):
    said = StringIO()
    record = trained(folder, tmp_path / "out", "cnn", "--target", "mri:sensitivity=0.7", "specificity=0.6")
    assert record.threshold_target.startswith("specificity 60%")
    base = ["--network", "cnn", "--modality", "ultrasound", "--data", str(folder), "--out", str(tmp_path)]
    assert main([*base, "--target", "mri:sensitivity=0.7"], said) == 2
    assert "ultrasound too" in said.getvalue()


def test_one_network_for_both_modalities_has_one_file_and_two_records(folder, data_dir, tmp_path):
    said = StringIO()
    volume = next((data_dir / "mri").iterdir())
    for number in range(2):
        copy = tmp_path / "mri" / f"volume-{number}"
        copy.mkdir(parents=True)
        for name in ("srr.nii.gz", "parcellation.nii.gz"):
            (copy / name).symlink_to(volume / name)
    data = [f"ultrasound={folder}", f"mri={tmp_path / 'mri'}"]
    kept = ["--out", str(tmp_path / "out"), "--cache", str(folder.parent / "cache")]
    asked = ["--network", "cnn", "--data", *data, *kept]
    assert main([*asked, *SMALL, *UNEXPLAINED], said) == 0
    names = sorted(
        path.name for path in (tmp_path / "out").iterdir() if path.suffix in {".json", ".safetensors"}
    )
    assert names == ["cnn-1.0.safetensors", "cnn-mri-1.0.json", "cnn-ultrasound-1.0.json"]
    records = [WeightsRecord.from_json(path.read_text()) for path in (tmp_path / "out").glob("*.json")]
    assert len({record.weights_sha256 for record in records}) == 1


def test_a_stem_held_still_is_the_same_before_and_after_it_is_averaged():
    module = NETWORKS["vgg16"].build()
    with torch.no_grad():
        module.features[0].weight[0, 0, 0, 0] = -0.0
    still = learner(module, 1e-3, 1, frozen=True).result.features[0].weight
    assert not torch.signbit(still[0, 0, 0, 0]), "or a resumed training ends with other bytes"
