"""A training that was stopped goes on, and ends with the weights it would have had."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.engine.records import WeightsRecord
from inference.phantom import render, sample_spec
from inference.training.cli.options import parser
from inference.training.cli.train import main, train
from inference.training.data.examples import folder_sources
from inference.training.data.folders import modality_of
from inference.training.fitting.session import Step

pytestmark = pytest.mark.training
REPOSITORY = Path(__file__).parents[2]
COUNTS = ["--phantoms=5", "--variants=1", "--explained=0", "--folds=2"]
SMALL = [*COUNTS, "--phantom-epochs=2", "--epochs=2", "--patience=9", "--steps=1"]
FREE = ["--network", "cnn"]
SETTLED = ["--network", "resnet18", "--from-scratch", "--settle", "--copies", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, prepared_pictures) -> Path:
    """Six patients, a picture of each: folders for classes, in there for patients; a cache beside it."""
    folder = tmp_path_factory.mktemp("learn-from") / "phantoms"
    (folder.parent / "cache").symlink_to(prepared_pictures)
    for patient in range(6):
        label = ("normal", "ventriculomegaly")[patient % 2]
        spec = sample_spec(np.random.default_rng(patient), label=label)
        path = folder / label / f"patient-{patient}" / "axial.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(render(spec, "ultrasound", seed=patient).png())
    return folder


def arguments(folder: Path, out: Path, network: list[str]) -> list[str]:
    fixed = ["--data", str(folder), "--cache", str(folder.parent / "cache"), "--out", str(out)]
    return [*network, *fixed, *SMALL]


def weights_of(out: Path) -> str:
    (path,) = out.glob("*.json")
    return WeightsRecord.from_json(path.read_text()).weights_sha256


@pytest.fixture(scope="module")
def straight(folder, tmp_path_factory) -> Callable[[str], str]:
    """Hash of the weights of a run of a network that nobody stopped."""

    @cache
    def weights(network: str) -> str:
        out = tmp_path_factory.mktemp(network)
        said = StringIO()
        assert main(arguments(folder, out, {"cnn": FREE, "resnet18": SETTLED}[network]), said) == 0
        assert "seconds left" in said.getvalue()
        assert "memory MiB" in said.getvalue()
        assert not list((out / "checkpoints").glob("*"))
        return weights_of(out)

    return weights


@pytest.mark.parametrize(
    ("network", "last"),
    [
        pytest.param(FREE, "phantoms, epoch 1", id="cnn-phantoms"),
        pytest.param(FREE, "folds, epoch 1", id="cnn-folds"),
        pytest.param(FREE, "final weights, epoch 1", id="cnn-final"),
        pytest.param(SETTLED, "folds, epoch 1", id="resnet18-folds", marks=pytest.mark.long),
    ],
)
def test_a_stopped_training_ends_with_the_weights_it_would_have_had(
    network, last, folder, tmp_path, straight
):
    def stop(step: Step) -> None:
        if step.stage.startswith(last):
            raise KeyboardInterrupt

    told: list[Step] = []
    options = parser().parse_args(arguments(folder, tmp_path, network))
    with pytest.raises(KeyboardInterrupt):
        train(options, stop)
    train(options, told.append)
    assert weights_of(tmp_path) == straight(network[1])
    assert not any(step.stage.startswith(last) for step in told), "what was done is not done again"
    assert told[-1].done == told[-1].total


def test_a_training_that_was_killed_goes_on(folder, tmp_path, straight):
    command = [sys.executable, "-m", "inference.training", *arguments(folder, tmp_path, FREE)]
    threads = str(torch.get_num_threads())
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": threads}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as first:
        for line in first.stdout:
            if "folds, epoch 1" in line:
                first.send_signal(signal.SIGKILL)
                break
    assert first.returncode == -signal.SIGKILL
    assert (tmp_path / "checkpoints" / "folds.safetensors").exists()
    again = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "phantoms, epoch" not in again.stdout
    assert weights_of(tmp_path) == straight("cnn")


def test_checkpoints_of_another_plan_are_not_taken_up(folder, tmp_path, straight):
    def stop(step: Step) -> None:
        if step.stage.startswith("folds"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(parser().parse_args([*arguments(folder, tmp_path, FREE), "--seed", "2"]), stop)
    train(parser().parse_args(arguments(folder, tmp_path, FREE)), lambda _step: None)
    assert weights_of(tmp_path) == straight("cnn")


def test_ctrl_c_says_how_to_go_on(folder, tmp_path, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inference.training.cli.train.run", stop)
    said = StringIO()
    assert main(arguments(folder, tmp_path, FREE), said) == 130
    assert "The same command goes on" in said.getvalue()


def test_a_folder_for_each_class_gives_labels_and_groups(folder, tmp_path):
    assert modality_of(folder) == "ultrasound"
    found = [source[:3] for source in folder_sources(folder)]
    assert ("normal/patient-0/axial.png", "normal", "patient-0") in found
    (tmp_path / "normal").mkdir()
    (tmp_path / "normal" / "a.png").write_bytes(b"")
    assert [source[:3] for source in folder_sources(tmp_path)] == [("normal/a.png", "normal", "normal/a.png")]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("file,label\na.png,normal\n", "has no column group"),
        ("file,label,group\na.png,normal,\n", "a.png has no group"),
        ("file,label,group\na.png,normal,p-1\na.png,normal,p-2\n", "stands in the groups p-1 and p-2"),
    ],
)
def test_a_list_that_cannot_be_learnt_from_is_refused_in_a_sentence(listed, said, tmp_path):
    (tmp_path / "labels.csv").write_text(listed)
    out = StringIO()
    assert main(["--network", "cnn", "--data", str(tmp_path), "--out", str(tmp_path / "out")], out) == 2
    assert said in out.getvalue()


def test_a_folder_that_holds_nothing_to_learn_from_is_refused_in_a_sentence(tmp_path):
    out = StringIO()
    command = ["--network", "cnn", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(command, out) == 2
    assert "Nothing in" in out.getvalue()
    (tmp_path / "normal").mkdir()
    assert main(command, out) == 2
    assert "neither labels.csv nor folders" in out.getvalue()


def test_mri_volumes_are_known_by_their_layout(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "srr.nii.gz").write_bytes(b"")
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerow(["file"])
    assert modality_of(tmp_path) == "mri"
