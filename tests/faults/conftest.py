"""Real workers that join a test: its database, its blobs, queues of their own."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import answers
import pytest
from django.core.files.base import ContentFile

from cases import intake
from inference.models import Job
from launcher import services
from launcher.processes import Process


@pytest.fixture
def queue(settings, tmp_path) -> str:
    """A queue that no earlier test's wake-ups are in."""
    settings.JOB_QUEUE = f"test-{tmp_path.name}"
    settings.TRAINING_QUEUE = f"training-{tmp_path.name}"
    settings.WEBHOOK_QUEUE = f"webhooks-{tmp_path.name}"
    return settings.JOB_QUEUE


class Engine:
    """What the stand-in for the networks does in the workers of `environment`, from its next look on."""

    def __init__(self, folder: Path) -> None:
        self._behaviour = folder / "behaviour"
        self.does("answer")

    def does(self, behaviour: str) -> None:
        """One of those in `engine/stand_in.py`: answer, spin, hold."""
        fresh = self._behaviour.with_suffix(".new")
        fresh.write_text(behaviour)
        fresh.replace(self._behaviour)

    def is_at(self, behaviour: str) -> bool:
        """Whether that is what a worker has begun last."""
        seen = self._behaviour.with_suffix(".seen")
        return seen.exists() and seen.read_text() == behaviour


@pytest.fixture
def engine(environment, tmp_path) -> Engine:
    """Workers that start after this have the stand-in, which imports no torch, instead of the networks."""
    here = str(Path(__file__).with_name("engine"))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    environment["STAND_IN"] = str(tmp_path / "behaviour")
    return Engine(tmp_path)


@pytest.fixture
def submit(case, alice, phantom_png, tmp_path) -> Callable[[], Job]:
    """Upload another scan that one version is to answer: its job."""
    answers.active_version(tmp_path)
    seeds = itertools.count()

    def one() -> Job:
        content = ContentFile(phantom_png(seed=next(seeds)), name="scan.png")
        scan, _ = intake.receive(case, content, modality="ultrasound", by=alice, file_name="scan.png")
        return Job.objects.get(image=scan.image)

    return one


@pytest.fixture
def maintenance(queue, environment, tmp_path) -> Callable[[], Process]:
    """Start what sweeps and wakes the workers."""
    return lambda: Process(services.maintenance(environment, tmp_path / "maintenance.log"))


@pytest.fixture
def worker(queue, environment, tmp_path) -> Callable[..., Process]:
    """Start a worker of one process: worker(name, SETTING="value")."""

    def start(name: str = "worker", **settings: str) -> Process:
        log = tmp_path / f"{name}.log"
        return Process(services.worker(environment | settings, log, queue=queue, processes=1))

    return start
