"""Training as a job: asked for on a page, followed there, taken up after a kill, never in use by itself."""

import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from inference.jobs import lease, worker
from inference.jobs import state as jobs
from inference.jobs import sweep as sweeper
from inference.models import Activation, Job, ModelVersion
from inference.phantom import render, sample_spec
from inference.registry import service as registry
from inference.registry import trainings
from refusals import Refusal

pytestmark = [
    pytest.mark.training,
    pytest.mark.django_db,
    pytest.mark.usefixtures("work_with_prepared_pictures"),
]
TINY = {
    "phantoms": 5,
    "variants": 1,
    "phantom_epochs": 2,
    "epochs": 1,
    "folds": 2,
    "steps": 1,
    "explained": 0,
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A folder of labelled phantoms, and one beside it that holds nothing."""
    root = tmp_path_factory.mktemp("learn-from")
    (root / "nothing").mkdir()
    for patient in range(6):
        label = ("normal", "ventriculomegaly")[patient % 2]
        path = root / "phantoms" / label / f"patient-{patient}" / "axial.png"
        path.parent.mkdir(parents=True)
        spec = sample_spec(np.random.default_rng(patient), label=label)
        path.write_bytes(render(spec, "ultrasound", seed=patient).png())
    return root


@pytest.fixture(autouse=True)
def learn_from(settings, pictures) -> None:
    settings.TRAINING_DATA_DIR = str(pictures)


def asked(manager, **changes) -> Job:
    said = {"network": "cnn", "version": "3.0", "names": ["phantoms"], "about": "phantoms"} | TINY | changes
    return trainings.submit(by=manager, **said)


def test_only_folders_with_something_to_learn_from_are_offered():
    assert [(found.name, found.modality) for found in trainings.data_sets()] == [("phantoms", "ultrasound")]


def test_a_training_becomes_a_measured_version_that_answers_nobody(manager, run_jobs):
    job = asked(manager)
    assert job.queue == "training"
    run_jobs()
    job.refresh_from_db()
    version = ModelVersion.objects.get()
    assert (job.state, job.model_version, version.training) == ("succeeded", version, job)
    assert version.state == "evaluated"
    assert version.card["training"]["phantom_epochs"] == 2
    assert "phantoms" in version.card["data"]
    assert not Activation.objects.exists()
    assert [point["stage"] for point in job.progress["points"]][:3] == [
        "preparing pictures", "phantoms, epoch 1 of 2", "phantoms, epoch 2 of 2",
    ]  # fmt: skip
    assert not (Path(settings.WORK_ROOT) / "trainings" / str(job.pk)).exists()
    registry.activate(version, by=manager, reason="Better on the grouped split.")


class Killed(BaseException):
    """The worker's end, in the middle of an epoch."""


def test_a_training_whose_worker_was_killed_goes_on_where_it_was(manager, run_jobs, monkeypatch):
    job = asked(manager)
    beats = lease.heartbeat

    def until_the_folds(held, stage=None, **more):
        beats(held, stage, **more)
        if stage and stage.startswith("folds"):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(lease, "heartbeat", until_the_folds)
        with pytest.raises(Killed):
            worker.work(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))
    sweeper.sweep()
    Job.objects.filter(pk=job.pk).update(not_before=Now())
    run_jobs()
    job.refresh_from_db()
    stages = [point["stage"] for point in job.progress["points"]]
    assert (job.state, job.attempts) == ("succeeded", 2)
    assert sum(stage == "phantoms, epoch 1 of 2" for stage in stages) == 1
    assert stages[-1].startswith("final weights")


def test_a_cancelled_training_stops_after_its_epoch(manager, run_jobs, monkeypatch):
    job = asked(manager)
    beats = lease.heartbeat

    def cancelled_meanwhile(held, stage=None, **more):
        beats(held, stage, **more)
        if stage == "phantoms, epoch 1 of 2":
            jobs.cancel(job, by=manager)

    monkeypatch.setattr(lease, "heartbeat", cancelled_meanwhile)
    run_jobs()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert [point["stage"] for point in job.progress["points"]][-1] == "phantoms, epoch 1 of 2"
    assert not ModelVersion.objects.exists()


def test_data_that_cannot_be_learnt_from_ends_in_a_sentence(manager, run_jobs, pictures, settings, tmp_path):
    root = tmp_path / "others"
    shutil.copytree(pictures, root)
    (root / "phantoms" / "labels.csv").write_text("file,label,group\nnormal/patient-0/axial.png,normal,\n")
    settings.TRAINING_DATA_DIR = str(root)
    job = asked(manager)
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("failed", "training_refused")
    assert "has no group" in job.failure_detail


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"names": ["nothing"]}, "no_such_data"),
        ({"names": ["../.."]}, "no_such_data"),
        ({"names": []}, "no_such_data"),
        ({"names": ["phantoms", "phantoms"]}, "two_of_a_kind"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_is_queued(changes, code, manager):
    with pytest.raises(Refusal) as refused:
        asked(manager, **changes)
    assert refused.value.code == code
    assert not Job.objects.exists()


def test_the_command_trains_and_registers(pictures, tmp_path, prepared_pictures):
    said = StringIO()
    made = ["--phantoms=5", "--variants=1", "--explained=1"]
    numbers = [*made, "--phantom-epochs=1", "--epochs=1", "--folds=2", "--steps=1"]
    out = ["--network=cnn", "--version=3.2", "--out", str(tmp_path / "out")]
    data = ["--data", str(pictures / "phantoms"), "--cache", str(prepared_pictures)]
    call_command("train", *out, *data, *numbers, "--register", stdout=said)
    assert ModelVersion.objects.get().version == "3.2"
    assert "is registered" in said.getvalue()
    with pytest.raises(CommandError, match="Nothing in"):
        call_command("train", *out, "--data", str(pictures / "nothing"))


def form(**changes) -> dict:
    numbers = {"phantoms": 5, "phantom_epochs": 1, "epochs": 1, "folds": 2, "explained": 1, "seed": 1}
    return (
        {"network": "cnn", "version": "3.1", "folders": ["phantoms"], "about": "phantoms"} | numbers | changes
    )


def test_a_model_manager_trains_on_a_page_and_follows_it_there(manager, alice, client_of, run_jobs):
    page = client_of(manager)
    assert "phantoms (ultrasound)" in page.get("/models/train/").content.decode()
    waits = page.post("/models/train/", form(), follow=True)
    address = waits.redirect_chain[0][0]
    assert "queue <code>training</code>" in waits.content.decode()
    run_jobs()
    done = client_of(alice).get(address).content.decode()
    assert "is registered, evaluated" in done
    assert "<svg" in done
    version = ModelVersion.objects.get(version="3.1")
    assert version.card["explanations"]["gradcam"]["points_at_ventricles"]["count"] == 1
    assert address in page.get(f"/models/{version.pk}/").content.decode()
    again = page.post("/models/train/", form())
    assert again.status_code == 422
    assert "choose another number" in again.content.decode()


def test_a_running_training_shows_how_far_it_is(manager, client_of):
    job = asked(manager)
    (held,) = lease.claim(job.pk)
    points = [{"done": 3, "stage": "folds", "held-out loss": 0.6, "seconds left": 4000.0, "memory MiB": 900}]
    lease.heartbeat([held], "folds, epoch 1 of 4", progress={"done": 3, "total": 9, "points": points})
    shown = client_of(manager).get(f"/models/work/{job.pk}/").content.decode()
    assert "Folds, epoch 1 of 4" in shown
    assert '<progress value="3" max="9"' in shown
    assert "1 h 7 min" in shown
    queue = client_of(manager).get("/queue/").content.decode()
    assert "cnn 3.0" in queue
    assert "Train" in queue


def test_without_a_folder_to_learn_from_the_page_says_so(manager, client_of, settings):
    settings.TRAINING_DATA_DIR = ""
    assert "There is nothing to learn from" in client_of(manager).get("/models/train/").content.decode()


@pytest.mark.parametrize("who", ["alice", "bob", "auditor", "administrator"])
def test_only_a_model_manager_trains(who, client_of, request):
    assert client_of(request.getfixturevalue(who)).post("/models/train/", form()).status_code == 403
    assert not Job.objects.exists()
