"""Training as a job: asked for on a page, done by a worker that listens to its own queue.

A worker that is killed loses an epoch at most: the next one goes on from the checkpoints in WORK_ROOT.
"""

import math
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from blobs import store
from blobs.store import BlobUnavailable
from inference import events
from inference.engine import catalogue
from inference.formats.stack import Modality
from inference.jobs import deadlines, lease
from inference.jobs import state as jobs
from inference.jobs.lease import Claim, Fenced
from inference.models import Job, ModelVersion
from inference.registry import service as registry
from inference.training.data.folders import modality_of
from refusals import Refusal

if TYPE_CHECKING:
    from inference.training.fitting.session import Step

POINTS_KEPT = 400


@dataclass(frozen=True)
class DataSet:
    """A folder below TRAINING_DATA_DIR that training can learn from."""

    name: str
    modality: Modality


def data_sets() -> list[DataSet]:
    """What there is to learn from, by name."""
    root = settings.TRAINING_DATA_DIR
    if not root or not Path(root).is_dir():
        return []
    folders = sorted(path for path in Path(root).iterdir() if path.is_dir())
    return [DataSet(path.name, found) for path in folders if (found := modality_of(path))]


def submit(network: str, version: str, names: list[str], *, by: User, about: str = "", **numbers: int) -> Job:
    """Queue a training. numbers: of the plan, by the names of the command's options.

    Raises Refusal for a version that exists, unknown data, or two sets of one modality.
    """
    known = {found.name: found.modality for found in data_sets()}
    modalities = [known[name] for name in names if name in known]
    if len(modalities) < len(names) or not names:
        raise Refusal("no_such_data", "There is no such folder to learn from.")
    if len(set(modalities)) < len(modalities):
        raise Refusal("two_of_a_kind", "Choose one folder for each modality.")
    _refuse_known(network, version, modalities)
    data = dict(zip(modalities, names, strict=True))
    parameters = {"network": network, "version": version, "data": data, "about": about, "numbers": numbers}
    return jobs.submit(Job.Kind.TRAIN, requested_by=by, parameters=parameters)


def carry_out(held: Claim) -> None:
    """Train, register what came of it, and remove what is no longer needed.

    Raises Refusal, Fenced, and BlobUnavailable where the checkpoints cannot be reached.
    """
    if reason := store.fault():
        raise BlobUnavailable(reason)
    if {*held.job.parameters["data"].values()} - {found.name for found in data_sets()}:
        raise BlobUnavailable("The folder that the training learns from cannot be reached.")
    if find_spec("torch") is None:
        raise Refusal("no_torch", "Nothing can be trained here: this installation was made without torch.")
    from inference.jobs import training_parts  # torch is touched in the worker's child only

    out = Path(settings.WORK_ROOT) / "trainings" / str(held.job.pk)
    command = training_parts.train
    options = training_parts.options.parser().parse_args(_arguments(held.job, out))
    try:
        records = command.train(options, lambda step: _tell(held, step))
    except command.REFUSALS as refused:
        raise Refusal("training_refused", str(refused)) from refused
    _register(held, records, out)
    shutil.rmtree(out, ignore_errors=True)


def tidy() -> None:
    """Remove the checkpoints of trainings that are over."""
    folder = Path(settings.WORK_ROOT) / "trainings"
    kept = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    ended = [Job.State.SUCCEEDED, Job.State.FAILED, Job.State.CANCELLED]
    for key in Job.objects.filter(kind=Job.Kind.TRAIN, state__in=ended, pk__in=list(kept)).values_list(
        "pk", flat=True
    ):
        shutil.rmtree(kept[str(key)], ignore_errors=True)


def _register(held: Claim, records: list[Any], out: Path) -> None:
    by = held.job.requested_by
    with transaction.atomic():
        versions = [
            registry.register(record, catalogue.weights_of(record, out).read_bytes, by=by, training=held.job)
            for record in records
        ]
        lease.finish(held, made=versions[0])
        events.trained(held.job)


def _tell(held: Claim, step: "Step") -> None:
    """Progress into the row; a training whose job was taken away or cancelled stops here."""
    if not lease.is_ours(held):
        raise Fenced(f"job {held.job.pk} is no longer ours")
    progress = held.job.progress
    values = {name: value for name, value in step.values.items() if math.isfinite(value)}  # JSON has no nan
    points = [*progress.get("points", []), {"done": step.done, "stage": step.stage, **values}]
    held.job.progress = {"done": step.done, "total": step.total, "points": points[-POINTS_KEPT:]}
    lease.heartbeat([held], step.stage[:60], progress=held.job.progress)
    deadlines.extend(held.job.kind)


def _arguments(job: Job, out: Path) -> list[str]:
    """The options of the training command."""
    asked = job.parameters
    root = Path(settings.TRAINING_DATA_DIR)
    data = [f"{modality}={root / name}" for modality, name in sorted(asked["data"].items())]
    numbers = [word for name, value in asked["numbers"].items() for word in (_option(name), str(value))]
    weights = ["--weights-dir", settings.WEIGHTS_DIR] if settings.WEIGHTS_DIR else ["--from-scratch"]
    fixed = ["--network", asked["network"], "--version", asked["version"], "--out", str(out)]
    cache = ["--cache", str(Path(settings.WORK_ROOT) / "prepared"), "--threads", str(settings.ENGINE_THREADS)]
    about = ["--about", asked["about"]] if asked["about"] else []
    return [*fixed, *cache, *weights, "--data", *data, *numbers, *about]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _refuse_known(network: str, version: str, modalities: list[Modality]) -> None:
    known = ModelVersion.objects.filter(network=network, version=version, modality__in=modalities).first()
    if known:
        raise Refusal("version_exists", f"{known} exists already: choose another number.")
