"""Who is told how work ended: other software by webhooks, people by notices; in its transaction."""

import re
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from accounts.roles import MANAGE_ACCOUNTS, MANAGE_MODELS
from inference.models import About, Explanation, Job, ModelVersion, Prediction
from language.stored import english
from notices.telling import tell, withdraw
from webhooks.outbox import announce

FAILED = {
    Job.Kind.PREDICT: "answer.failed",
    Job.Kind.EXPLAIN: "explanation.failed",
    Job.Kind.REPEAT: "repetition.failed",
    Job.Kind.TRAIN: "training.failed",
    Job.Kind.CHECK: "check.failed",
}
_OPEN = (Job.State.QUEUED, Job.State.RUNNING)
_STORAGE = "storage"
_SETTLING = 0x5CA7
"""Advisory locks of this kind: one for each image."""


def answered(job: Job, prediction: Prediction, *, digest: str) -> None:
    """A model has answered about a scan, or refused to."""
    if job.about is None:
        return
    _announce(
        "answer.ready",
        job.about,
        job=str(job.pk),
        prediction=str(prediction.pk),
        analysable=prediction.analysable,
        refusal=prediction.refusal_code,
        digest=digest,
        **_version(job.scan[1]),
    )
    scan_settled(job)


def explained(job: Job, explanation: Explanation, *, digest: str) -> None:
    """An answer was explained."""
    if job.about is None:
        return
    _announce(
        "explanation.ready",
        job.about,
        job=str(job.pk),
        prediction=str(explanation.prediction_id),
        explanation=str(explanation.pk),
        method=explanation.method,
        digest=digest,
        **_version(job.scan[1]),
    )


def failed(job: Job, code: str) -> None:
    """Work was given up. Of a candidate's unseen work nobody is told."""
    if job.kind in {Job.Kind.TRAIN, Job.Kind.CHECK}:
        _tell_maker(FAILED[Job.Kind(job.kind)], job)
    elif job.about:
        version = _version(job.scan[1])
        _announce("job.failed", job.about, job=str(job.pk), kind=job.kind, code=code[:40], **version)
        _tell_asker(FAILED[Job.Kind(job.kind)], job, job.about)
        scan_settled(job)


def scan_settled(job: Job) -> None:
    """Tell whoever asked once no model is still at work on the scan, and at least one has answered.

    Workers that end a scan's last jobs at the same moment come here one after the other.
    """
    if job.kind != Job.Kind.PREDICT or job.about is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_SETTLING, str(job.image_id)])
    asked = Job.objects.filter(image=job.image_id, kind=Job.Kind.PREDICT)
    if asked.filter(state__in=_OPEN).exists():
        return
    answers = asked.filter(answer__isnull=False).values_list("answer__analysable", flat=True)
    if answers:
        _tell_asker("scan.answered" if any(answers) else "scan.not_analysable", job, job.about)


def trained(job: Job) -> None:
    """A training has ended with new versions."""
    _tell_maker("training.finished", job)


def activated(version: ModelVersion, *, experimental: bool) -> None:
    """A version answers from now on. experimental: it does not meet the rule for use."""
    announce("model.activated", department=None, experimental=experimental, **_version(version))


def quarantined(version: ModelVersion) -> None:
    """A version was taken out of use; whoever manages models must know."""
    announce("model.quarantined", department=None, **_version(version))
    _tell_managers("model.quarantined", version)


def unfit(version: ModelVersion) -> None:
    """A version in use does not meet the rule for use; whoever manages models must know."""
    _tell_managers("model.unfit", version)


def fit(version: ModelVersion) -> None:
    """It does now, or answers nobody: nobody need look any more."""
    withdraw(["model.unfit"], subject=f"model:{version.pk}")


def readmitted(version: ModelVersion) -> None:
    """A quarantined version was taken back: nobody need look any more."""
    withdraw(["model.quarantined"], subject=f"model:{version.pk}")


def storage_missed() -> None:
    """Work waits for a file that cannot be read or written; whoever runs the place must know."""
    tell("storage.missed", _operators(), subject=_STORAGE)


def file_lost(detail: str) -> None:
    """A file is missing for so long that it is lost: whoever runs the place may have a copy of it.

    detail: of the fault, which names the file by its hash.
    """
    name = re.search("[0-9a-f]{64}", detail)
    blob = name.group() if name else "?"
    tell("file.lost", _operators(), subject=blob, blob=blob)


def storage_found() -> None:
    """No work waits for a file any more."""
    withdraw(["storage.missed"], subject=_STORAGE)


def _operators() -> QuerySet[Any, int]:
    operators = User.objects.filter(memberships__role__in=MANAGE_MODELS | MANAGE_ACCOUNTS)
    return operators.values_list("pk", flat=True)


def _tell_managers(code: str, version: ModelVersion) -> None:
    managers = User.objects.filter(memberships__role__in=MANAGE_MODELS)
    tell(
        code,
        managers.values_list("pk", flat=True),
        subject=f"model:{version.pk}",
        model=str(version.pk),
        model_version=_name(version),
    )


def _announce(event: str, about: About, **data: Any) -> None:
    announce(event, department=about.department_id, **about.names, **data)


def _tell_asker(code: str, job: Job, about: About) -> None:
    if job.requested_by_id:
        subject = f"{about.names['case']}:{about.names['scan_number']}"
        tell(code, [job.requested_by_id], subject=subject, department=about.department_id, **about.names)


def _tell_maker(code: str, job: Job) -> None:
    if job.requested_by_id:
        named: dict[str, Any] = {name: str(job.parameters.get(name, "")) for name in ("network", "version")}
        tell(code, [job.requested_by_id], subject=f"job:{job.pk}", job=str(job.pk), **named)


def _version(version: ModelVersion) -> dict[str, str]:
    return {
        "model": str(version.pk),
        "model_version": _name(version),
        "weights_sha256": version.weights_sha256,
    }


def _name(version: ModelVersion) -> str:
    """In English, whatever language the person at work has chosen: it is kept, and sent to programs."""
    with english():
        return str(version)
