"""Every real scan at hand goes in through the page, and gets an answer or a reasoned refusal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from playwright.sync_api import expect

from cases import services
from cases.models import Case
from inference import jobs, worker
from inference.models import Job, Prediction

pytestmark = [pytest.mark.data]

IN_THE_BROWSER = 3  # ultrasound pictures, one of each kind; the rest goes through the test client


def ultrasound(folder: Path) -> list[Path]:
    return sorted((folder / "ultrasound").rglob("*.jpg"))


def volumes(folder: Path) -> list[Path]:
    return sorted((folder / "mri").rglob("srr.nii.gz"))


def answer_all(by) -> None:
    """Answer every waiting scan; explaining each of them would take an hour."""
    while job := Job.objects.filter(state=Job.State.QUEUED, kind=Job.Kind.PREDICT).first():
        worker.work(job.pk)
        for explain in Job.objects.filter(state=Job.State.QUEUED, kind=Job.Kind.EXPLAIN):
            jobs.cancel(explain, by=by)
    worker.forget_models()


def refused_or_answered(predictions) -> Iterator[str]:
    """What is wrong with any answer."""
    for said in predictions:
        if said.analysable and not 0 <= said.probability <= 1:
            yield f"{said.image}: {said.probability}"
        if not said.analysable and not said.refusal_reason.endswith("."):
            yield f"{said.image}: refused without a reason"


@pytest.mark.django_db
def test_every_real_scan_is_answered_or_refused_with_its_reason(
    data_dir, models, alice, department, client_of
):
    client = client_of(alice)
    files = [(path, "ultrasound") for path in ultrasound(data_dir)]
    files += [(path, "mri") for path in volumes(data_dir)]
    assert files
    for path, modality in files:
        case, _ = services.open_case(by=alice, department=department, patient_id=str(path)[-64:])
        upload = SimpleUploadedFile(path.name, path.read_bytes())
        response = client.post(f"/cases/{case.pk}/scans/", {"modality": modality, "scans": [upload]})
        assert response.status_code in {302, 413, 415, 422}, path
    answer_all(alice)
    assert not Job.objects.filter(state=Job.State.FAILED).exists()
    assert list(refused_or_answered(Prediction.objects.select_related("image"))) == []
    for case in Case.objects.filter(scans__isnull=False):
        page = client.get(case.get_absolute_url()).content.decode()
        assert "Ventriculomegaly " in page or "Not analysable" in page, case.patient


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_handful_of_them_in_the_browser(data_dir, models, case, alice, run_jobs, log_in, page, keep):
    kinds = sorted({path.parent for path in ultrasound(data_dir)})
    chosen = [(sorted(kind.glob("*.jpg"))[0], "Ultrasound") for kind in kinds[:IN_THE_BROWSER]]
    chosen.append((volumes(data_dir)[0], "MRI"))
    log_in(alice)
    for number, (path, modality) in enumerate(chosen, start=1):
        page.goto(case.get_absolute_url())
        if number > 1:
            page.get_by_text("Add scans").click()
        page.get_by_role("radio", name=modality).check()
        page.get_by_label("Drop files here").set_input_files(path)
        page.get_by_role("button", name="Upload").click()
        page.wait_for_url(f"**?scan={number}", timeout=60_000)
        run_jobs()
        expect(page.locator("#live[data-over]")).to_be_visible(timeout=20_000)
        if page.locator(".show-overlay").count():
            page.locator("#methods").get_by_role("button", name="Grad-CAM").click()
            page.wait_for_selector("#heat-canvas[data-overlay]")
        else:
            expect(page.locator("#live")).to_contain_text("Not analysable")
        keep(f"real-{modality.lower()}-{number}")
