"""kill -9 and an orderly stop of a real trainer in the middle of a training: the next one goes on."""

from pathlib import Path

import numpy as np
import pytest
from patience import until

from inference.models import Job, ModelVersion
from inference.phantom import render, sample_spec
from inference.registry import trainings
from launcher import services
from launcher.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
TINY = {
    "phantoms": 5,
    "variants": 1,
    "phantom_epochs": 40,
    "epochs": 1,
    "folds": 2,
    "steps": 1,
    "explained": 0,
}


@pytest.fixture
def pictures(tmp_path) -> Path:
    for patient in range(6):
        label = ("normal", "ventriculomegaly")[patient % 2]
        path = tmp_path / "learn-from" / "phantoms" / label / f"patient-{patient}" / "axial.png"
        path.parent.mkdir(parents=True)
        spec = sample_spec(np.random.default_rng(patient), label=label)
        path.write_bytes(render(spec, "ultrasound", seed=patient).png())
    return tmp_path / "learn-from"


@pytest.fixture(autouse=True)
def learn_from(settings, pictures) -> None:
    settings.TRAINING_DATA_DIR = str(pictures)


def test_a_training_whose_trainers_are_killed_and_stopped_is_finished_by_the_next(
    learn_from, work_with_prepared_pictures, maintenance, queue, environment, settings, tmp_path, manager
):
    job = trainings.submit("cnn", "3.0", ["phantoms"], by=manager, about="phantoms", **TINY)

    patient = environment | {"JOB_LEASE_SECONDS": "8"}  # a trainer that shares its core is slow, not lost

    def trainer(name: str) -> Process:
        log = tmp_path / f"{name}.log"
        return Process(services.trainer(patient, log, queue=settings.TRAINING_QUEUE))

    def done() -> int:
        return Job.objects.values_list("progress", flat=True).get(pk=job.pk).get("done", 0)

    with maintenance():
        with trainer("first") as first:
            until(lambda: done() >= 3, seconds=180)
            first.kill()
        with trainer("second"):
            until(lambda: done() >= 6, seconds=180)
        with trainer("third"):
            until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists(), seconds=180)

    job.refresh_from_db()
    stages = [point["stage"] for point in job.progress["points"]]
    assert (job.state, job.attempts, job.model_version) == ("succeeded", 2, ModelVersion.objects.get())
    assert job.faults == {"crash": 1, "restart": 1}, "a stop in order, as of a deploy, spends no attempt"
    assert sum(stage == "phantoms, epoch 1 of 40" for stage in stages) == 1
