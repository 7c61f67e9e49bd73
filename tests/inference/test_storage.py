"""A file that is missing says nothing of what it was: work waits. Only changed bytes are corruption."""

import shutil
from datetime import timedelta
from pathlib import Path

import answers
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.db.models.functions import Now

from blobs import store
from blobs.store import BlobUnavailable
from cases import services
from inference.jobs import loaded_models, worker
from inference.jobs import state as jobs
from inference.models import Image, Job, ModelVersion, Prediction
from inference.registry import weights_upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder() -> Path:
    return Path(storages["blobs"].location)


def missing(path: Path) -> None:
    path.unlink()


def unreadable(path: Path) -> None:
    path.unlink()
    path.mkdir()  # read() fails for everybody, root too


def put_back(path: Path, content: bytes) -> None:
    if path.is_dir():
        path.rmdir()
    path.write_bytes(content)


def file_of(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256[2:4] / sha256


def due() -> None:
    Job.objects.filter(state="queued").update(not_before=Now())


@pytest.mark.parametrize("harm", [missing, unreadable])
def test_work_waits_for_weights_that_cannot_be_read(harm, folder, case, alice, add_scan, run_jobs):
    add_scan(case, alice)
    version = ModelVersion.objects.get(network="cnn", modality="ultrasound")
    whole, path = store.read(version.weights_sha256), file_of(folder, version.weights_sha256)
    harm(path)
    for _ in range(4):  # more often than a job may fail
        due()
        run_jobs(lime=False)
    job = Job.objects.get(model_version=version)
    assert (job.state, job.failure_code, job.attempts) == ("queued", "storage_unavailable", 0)
    assert ModelVersion.objects.get(pk=version.pk).state == "active"
    put_back(path, whole)
    due()
    run_jobs(lime=False)
    assert (state := Job.objects.get(pk=job.pk)).state == "succeeded"
    assert (state.failure_code, state.attempts) == ("", 1)


@pytest.mark.parametrize(
    ("harm", "ends"),
    [
        (missing, ("queued", "storage_unavailable")),
        (lambda path: path.write_bytes(b"?"), ("failed", "input_corrupt")),
    ],
)
def test_one_scan_that_cannot_be_read_keeps_no_other_of_its_batch_waiting(
    harm, ends, folder, case, alice, add_scan, run_jobs
):
    scans = [add_scan(case, alice, seed=seed) for seed in (1, 2, 3)]
    harm(file_of(folder, scans[1].image.pixels_id))
    [queued, *_] = Job.objects.filter(model_version__network="cnn")
    worker.work(queued.pk)
    jobs_of = Job.objects.filter(model_version__network="cnn", kind="predict")
    assert {jobs_of.get(image=scan.image).state for scan in (scans[0], scans[2])} == {"succeeded"}
    harmed = jobs_of.get(image=scans[1].image)
    assert (harmed.state, harmed.failure_code) == ends
    loaded_models.forget_models()


def test_an_answer_whose_map_cannot_be_stored_waits_for_its_map(folder, case, alice, add_scan, run_jobs):
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    prediction = Prediction.objects.filter(image=scan.image).first()
    job = jobs.submit(
        Job.Kind.EXPLAIN,
        image=scan.image,
        model_version=prediction.model_version,
        prediction=prediction,
        requested_by=alice,
        parameters={"method": "gradcam"},
    )
    away = folder.rename(folder.with_name("away"))
    worker.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("queued", "storage_unavailable")
    away.rename(folder)
    due()
    run_jobs(lime=False)
    job.refresh_from_db()
    assert job.state == "succeeded"


def test_nothing_is_stored_where_the_folder_is_away(folder):
    store.put(b"one")
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(BlobUnavailable, match="cannot be read"):
        store.put(b"two")
    assert not folder.exists()
    folder.mkdir()
    with pytest.raises(BlobUnavailable, match="empty"):
        store.put(b"two")
    folder.rmdir()
    away.rename(folder)
    assert store.read(store.put(b"two").sha256) == b"two"
    assert store.fault() == ""


def test_the_queue_page_and_the_probe_say_that_the_store_is_away(
    folder, case, alice, administrator, add_scan, client, client_of, run_jobs
):
    add_scan(case, alice)
    shutil.move(folder, folder.with_name("away"))
    run_jobs(lime=False)
    page = client_of(administrator).get("/queue/").content.decode()
    assert "2 jobs wait for stored files that cannot be reached" in page
    assert "The folder of stored files cannot be read" in page
    notices = client_of(administrator).get("/notices/").content.decode()
    assert "Stored files cannot be read or written" in notices
    probe = client.get("/readyz", headers={"host": "10.9.8.7"})
    assert (probe.status_code, "stored files" in probe.content.decode()) == (503, True)


def test_an_upload_while_the_store_is_away_keeps_nothing_and_says_so(
    folder, case, alice, add_scan, api, client_of, phantom_png
):
    add_scan(case, alice)
    folder.rename(folder.with_name("away"))
    sent = {"modality": "ultrasound", "file": SimpleUploadedFile("two.png", phantom_png(seed=2))}
    refused = api(alice).post(f"/api/v1/cases/{case.pk}/scans/", sent)
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert refused["Retry-After"]
    page = {"modality": "ultrasound", "scans": SimpleUploadedFile("two.png", phantom_png(seed=2))}
    shown = client_of(alice).post(f"/cases/{case.pk}/scans/", page)
    assert shown.status_code == 503
    assert "Nothing was changed." in shown.content.decode()
    page["scans"] = SimpleUploadedFile("two.png", phantom_png(seed=2))
    told = client_of(alice).post(f"/cases/{case.pk}/scans/", page, headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (503, "storage_unavailable")
    assert Image.objects.count() == 1


def test_the_same_scan_uploaded_again_heals_the_files_of_it_that_have_changed(
    case, alice, add_scan, run_jobs
):
    scan = add_scan(case, alice)
    for sha256 in (scan.original_sha256, scan.image.pixels_id):
        answers.damage(sha256)
    run_jobs(lime=False)
    assert set(Job.objects.values_list("failure_code", flat=True)) == {"input_corrupt"}
    assert add_scan(case, alice) == scan
    assert list(store.corrupt()) == []
    jobs.ask_again(Job.objects.filter(state="failed").first(), by=alice)
    run_jobs(lime=False)
    assert Prediction.objects.count() == 1


def test_a_check_of_uploaded_weights_waits_for_the_upload_while_the_store_is_away(
    folder, manager, models, settings, run_jobs
):
    settings.WORK_ROOT = str(folder / "work")
    content = store.read(ModelVersion.objects.get(network="cnn", modality="ultrasound").weights_sha256)
    job = weights_upload.submit("cnn", "ultrasound", "9.0", content, b"", by=manager)
    away = folder.rename(folder.with_name("away"))
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("queued", "storage_unavailable")
    with pytest.raises(BlobUnavailable):
        weights_upload.submit("cnn", "ultrasound", "9.1", content, b"", by=manager)
    assert not folder.exists()
    away.rename(folder)
    due()
    run_jobs()
    job.refresh_from_db()
    assert job.state == "succeeded"


def hours_pass(hours: int) -> None:
    """As if the job had been waiting for that long."""
    waiting = Job.objects.filter(missing_since__isnull=False)
    waiting.update(missing_since=F("missing_since") - timedelta(hours=hours))
    due()


def test_a_file_that_is_lost_for_good_fails_its_work_and_the_operators_see_it(
    folder, case, alice, administrator, add_scan, run_jobs, client_of, settings
):
    scan = add_scan(case, alice)
    whole, path = store.read(scan.image.pixels_id), file_of(folder, scan.image.pixels_id)
    missing(path)
    run_jobs(lime=False)
    hours_pass(settings.JOB_LOST_FILE_HOURS - 1)
    run_jobs(lime=False)
    assert set(Job.objects.values_list("state", "failure_code")) == {("queued", "storage_unavailable")}
    hours_pass(2)
    run_jobs(lime=False)
    found = set(Job.objects.values_list("state", "failure_code", "attempts", "missing_since"))
    assert found == {("failed", "file_lost", 0, None)}
    told = client_of(administrator).get("/notices/").content.decode()
    assert f"The stored file {scan.image.pixels_id} is missing for good" in told
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "is missing for good" in page
    put_back(path, whole)
    services.try_again(scan, by=alice)
    run_jobs(lime=False)
    assert Prediction.objects.filter(image=scan.image).exists()


def test_a_store_that_is_away_for_days_loses_nothing(folder, case, alice, add_scan, run_jobs, settings):
    add_scan(case, alice)
    away = folder.rename(folder.with_name("away"))
    for _ in range(3):
        run_jobs(lime=False)
        Job.objects.filter(missing_since__isnull=False).update(missing_since=Now() - timedelta(days=9))
        due()
    waiting = set(Job.objects.values_list("state", "failure_code", "attempts", "missing_since"))
    assert waiting == {("queued", "storage_unavailable", 0, None)}
    away.rename(folder)
    run_jobs(lime=False)
    assert Job.objects.filter(kind="predict", state="succeeded").exists()
