"""Stored answers without running a network: for tests about who may read them, not about what they say."""

import hashlib
import uuid
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F

from accounts.models import User
from cases import calibrations, intake
from cases.models import Advice, Calibration, Case, Scan
from cases.review.measurements import Points
from inference.engine.records import Answer, NotAnalysable, WeightsRecord
from inference.engine.records import Explanation as ExplanationRecord
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.models import Explanation, Image, Job, ModelVersion, Prediction, Repetition
from inference.registry import service as registry
from inference.results import store as results

PREPROCESSING = {"preprocessing": "head-crop-1", "preprocessing_sha256": "b" * 64}
INPUT = "a" * 64


def advice(case: Case) -> Advice:
    """An advice with one suggestion, as if given; each call another one."""
    suggestion = {
        "action": "repeat_plane",
        "says": "Repeat the transventricular plane",
        "seconds": 20,
        "scan": 1,
        "expected_bits": 0.1,
        "must": False,
        "why": [],
    }
    return Advice.objects.create(
        case=case,
        state_sha256=uuid.uuid4().hex,
        is_informed=True,
        suggestions=[suggestion],
        rules_version="1.0",
        rules_sha256="0" * 64,
        values_sha256="0" * 64,
    )


def version(
    folder: Path,
    *,
    version: str = "0",
    network: str = "cnn",
    modality: str = "ultrasound",
    card: dict | None = None,
    content: bytes | None = None,
) -> ModelVersion:
    """A version that is registered. Its weights are no weights: nothing here loads them."""
    weights = folder / f"weights-{version}"
    weights.write_bytes(content or f"weights of {network} {modality} {version}".encode())
    record = WeightsRecord(
        network=network,
        version=version,
        modality=modality,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        threshold=0.5,
        threshold_target="a test",
        temperature=1.0,
        card={"purpose": "a test"} if card is None else card,
        **PREPROCESSING,
    )
    return registry.register(record, weights.read_bytes, by=None)


def active_version(folder: Path, **stated) -> ModelVersion:
    """A version that answers, whatever else does and whatever its card says to the rule for use."""
    found = version(folder, **stated)
    with transaction.atomic():
        registry._take_seat(found, by=None, reason="a test")
    return found


def answer(
    job: Job,
    *,
    label: str = "ventriculomegaly",
    refusal: NotAnalysable | None = None,
    quality: dict[str, float] | None = None,
    measurement: dict | None = None,
    doubt: float | None = None,
) -> Prediction:
    """Finish the job as a worker would, with the label at 75 % or with the refusal."""
    version = job.model_version
    said = Answer(
        analysable=refusal is None,
        refusal=refusal,
        label=None if refusal else label,
        probability=None if refusal else 0.75 if label == "ventriculomegaly" else 0.25,
        threshold=version.threshold,
        logits=None if refusal else (-0.5, 0.6),
        frame_logits=() if refusal else ((-0.5, 0.6),),
        frames=(0,),
        frame_rule="the only frame",
        network=version.network,
        version=version.version,
        modality=version.modality,
        weights_sha256=version.weights_sha256,
        input_sha256=INPUT,
        quality=quality or {"contrast": 0.4},
        seconds=0.1,
        backend="none",
        device="none",
        versions={"numpy": np.__version__},
        measurement=measurement,
        doubt=doubt,
        **PREPROCESSING,
    )
    lease.finish(_claimed(job))
    return results.create_prediction(job, said)


def calipers(*ends: tuple[list[float], list[float]], mm: float | None = 0.2, source: str = "file") -> dict:
    """What a version that measures stores: inner and outer end of each atrium, (x, y)."""
    known = (
        {} if mm is None else {"error_mm": 0.6, "estimated": source == "gestational_age", "probability": 0.2}
    )
    atria = []
    for number, (inner, outer) in enumerate(ends):
        width = float(np.hypot(*np.subtract(inner, outer)))
        one = {"side": ("far", "near")[number], "inner": inner, "outer": outer, "chance": 0.9}
        one |= {"width_px": width, "error_px": 1.0, "over_bpd": 0.12, **known}
        atria.append(one | ({} if mm is None else {"width_mm": width * mm}))
    scale = None if mm is None else {"mm_per_pixel": mm, "relative_error": 0.0, "source": source}
    probability = None if mm is None else 0.2
    said = {"frame": 0, "measurable": bool(atria), "chance": 0.9, "scale": scale, "probability": probability}
    return said | {"atria": atria}


def explanation(prediction: Prediction, *, method: str = "lime") -> Explanation:
    """An explanation with a heatmap of the scan's shape; if it is LIME's, of two superpixels side by side."""
    image = prediction.image
    shape = (1, image.rows, image.columns)
    smooth = np.linspace(0, 1, num=shape[1] * shape[2]).reshape(shape).astype(np.float16)
    segments = np.broadcast_to(np.arange(shape[2]) >= shape[2] // 2, shape).astype(np.int32)
    said = ExplanationRecord(
        method=method,
        class_label="ventriculomegaly",
        heatmap=np.array([-0.25, 0.5], np.float16)[segments] if method == "lime" else smooth,
        signed=method == "lime",
        unit="share of the maximum",
        frames=(0,),
        parameters={},
        seed=0,
        metrics={"r2": 0.9},
        seconds=0.2,
        input_sha256=prediction.input_sha256,
        weights_sha256=prediction.weights_sha256,
        segments=segments if method == "lime" else None,
        **PREPROCESSING,
    )
    job = jobs.submit(
        Job.Kind.EXPLAIN,
        image=image,
        model_version=prediction.model_version,
        prediction=prediction,
        requested_by=None,
        thread=prediction.job.thread,
        parameters={"method": method},
    )
    lease.finish(_claimed(job))
    return results.create_explanation(job, prediction, results.put_arrays(said))


def repetition(job: Job) -> Repetition:
    """Finish the job that runs an answer again as a worker would: nothing differed."""
    lease.finish(_claimed(job))
    verdicts = [{"subject": "answer", "verdict": "identical", "first": ""}]
    return Repetition.objects.create(prediction=job.prediction, job=job, verdicts=verdicts, machine="a test")


def _claimed(job: Job) -> lease.Claim:
    """This job and no other, however many wait before it."""
    running = {"state": Job.State.RUNNING, "token": F("token") + 1, "attempts": F("attempts") + 1}
    Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(**running)
    return lease.Claim(job, job.token + 1)


def explained_scan(case: Case, by: User, png: bytes, folder: Path) -> Explanation:
    """Upload the picture to the case, answer it and explain the answer: one of everything."""
    active_version(folder)
    upload = ContentFile(png)
    scan, _ = intake.receive(case, upload, modality="ultrasound", by=by, file_name="scan.png")
    return explanation(answer(scan.image.jobs.get()))


def damage(sha256: str, content: bytes | None = b"not what it was") -> None:
    """Replace a stored file behind the store's back; content None: it is gone."""
    storage = storages["blobs"]
    name = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    storage.delete(name)
    if content is not None:
        storage.save(name, ContentFile(content))


def calibration(scan: Scan, by: User) -> Calibration:
    """Calibrated by hand, as if the scan's file stated no scale."""
    unscaled = {"row_spacing": None, "column_spacing": None, "pixel_spacing_source": ""}
    Image.objects.filter(pk=scan.image_id).update(**unscaled)
    scan.image.refresh_from_db()
    return calibrations.calibrate(scan, Points(0, (10.0, 10.0), (10.0, 60.0)), by=by, length_mm=20)
