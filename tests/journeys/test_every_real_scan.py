"""Real scans go in through the page and the API, and get an answer or a reasoned refusal.

The suite takes one ultrasound picture in 96 and one of the volumes; `./test --long` takes all of
them, in about ten minutes.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import long
import pytest
from conftest import seat_shipped
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.tokens import issue_token
from cases import services
from cases.models import Case, Scan
from inference.engine.records import NETWORK_NAMES
from inference.jobs import loaded_models, worker
from inference.jobs import state as jobs
from inference.models import Job
from inference.registry import service as registry

pytestmark = [pytest.mark.data, pytest.mark.django_db]


def scans(folder: Path) -> Iterator[tuple[Path, str]]:
    all_of_them = long.is_asked()
    for path in sorted((folder / "ultrasound").rglob("*.jpg"))[:: 1 if all_of_them else 96]:
        yield path, "ultrasound"
    for path in sorted((folder / "mri").rglob("srr.nii.gz"))[:: 1 if all_of_them else 8]:
        yield path, "mri"


def through_the_page(client: Client, case: Case, path: Path, modality: str) -> int:
    upload = SimpleUploadedFile(path.name, path.read_bytes())
    return client.post(f"/cases/{case.pk}/scans/", {"modality": modality, "scans": [upload]}).status_code


def through_the_api(program: Client, case: Case, path: Path, modality: str) -> int:
    upload = SimpleUploadedFile(path.name, path.read_bytes())
    return program.post(f"/api/v1/cases/{case.pk}/scans/", {"modality": modality, "file": upload}).status_code


def answer_all(by) -> None:
    """Answer every waiting scan; explaining each of them is for the other journeys."""
    while job := Job.objects.filter(state=Job.State.QUEUED, kind=Job.Kind.PREDICT).first():
        worker.work(job.pk)
        for explain in Job.objects.filter(state=Job.State.QUEUED, kind=Job.Kind.EXPLAIN):
            jobs.cancel(explain, by=by)
    loaded_models.forget_models()


def said_by_the_api(program: Client, scan: Scan) -> Iterator[dict]:
    """Every answer about a scan, found as a program finds it."""
    for job in program.get(f"/api/v1/scans/{scan.pk}/").json()["jobs"]:
        if job["kind"] == "predict":
            yield program.get(program.get(job["url"]).json()["prediction"]).json()


@pytest.fixture
def every_model(db) -> int:
    """All shipped networks, active; how many read each modality."""
    seat_shipped(set(NETWORK_NAMES))
    return registry.active_versions("mri").count()


def test_every_real_scan_is_answered_or_refused_with_its_reason(
    data_dir, every_model, alice, department, client_of
):
    page = client_of(alice)
    token = issue_token(alice, lifetime=timedelta(hours=1))
    program = Client(headers={"Authorization": f"Token {token}"})
    for number, (path, modality) in enumerate(scans(data_dir)):
        case, _ = services.open_case(by=alice, department=department, patient_id=f"REAL-{number}")
        taken = through_the_page(page, case, path, modality)
        assert taken in {302, 413, 415, 422}, path
        again = through_the_api(program, case, path, modality)
        assert again == 200 if taken == 302 else again == taken, f"{path}: the same file is the same scan"
    answer_all(alice)
    assert not Job.objects.filter(state=Job.State.FAILED).exists()
    for scan in Scan.objects.select_related("case"):
        shown = page.get(scan.case.get_absolute_url()).content.decode()
        assert "entriculomegaly " in shown or "Not analysable" in shown, scan.file_name
        answers = list(said_by_the_api(program, scan))
        assert len(answers) == every_model, scan.file_name
        for said in answers:
            assert said["analysable"] == (said["refusal"] is None)
            assert 0 <= said["probability"] <= 1 if said["analysable"] else said["refusal"]["reason"]
