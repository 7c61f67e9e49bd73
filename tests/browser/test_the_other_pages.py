"""Pages that show something only late in a case or when the queue is busy: axe, widths, both themes."""

from datetime import timedelta

import answers
import pages
import pytest
from accessibility import complaints
from conftest import PASSWORD
from django.core.files.base import ContentFile
from django.db.models.functions import Now
from playwright.sync_api import expect

from accounts.models import Membership, Role
from cases import events, intake, services
from cases.advice import service as advice_service
from cases.models import AdviceAnswer, Case
from inference.jobs import lease, presence
from inference.jobs import state as jobs
from inference.models import Job, Worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

THEMES = ["dark", "light"]


def answered(case: Case, by, png: bytes) -> Case:
    """A scan with an answer and its explanations."""
    scan, _ = intake.receive(case, ContentFile(png), modality="ultrasound", by=by, file_name="scan.png")
    prediction = answers.answer(scan.image.jobs.get(kind=Job.Kind.PREDICT))
    for method in ("gradcam", "lime"):
        answers.explanation(prediction, method=method)
    return case


@pytest.fixture
def read_cases(case, alice, department, phantom_png, client_of, tmp_path) -> tuple[Case, Case]:
    """One case that Alice has signed, with advice and an addendum, and one that she can sign now."""
    answers.active_version(tmp_path)
    other, _ = services.open_case(by=alice, department=department, patient_id="P-2")
    client = client_of(alice)
    for one, seed in ((case, 1), (other, 2)):
        answered(one, alice, phantom_png(seed=seed))
        pages.file_read(client, one, kind="final", finding="ventriculomegaly", note="Both sides.")
    given = answers.advice(case)
    advice_service.answer(
        given, 0, by=alice, outcome=AdviceAnswer.Outcome.DECLINED, reason="The examination is over."
    )
    pages.sign(client, case, PASSWORD)
    client.post(f"/cases/{case.pk}/addenda/", {"text": "Seen again at 30 weeks.", "password": PASSWORD})
    return case, other


@pytest.mark.parametrize("theme", THEMES)
def test_the_end_of_a_case(theme, read_cases, alice, department, log_in, page, keep, forgiven):
    forgiven.append("422 (Unprocessable Entity)")  # a wrong password below
    signed, to_sign = read_cases
    Membership.objects.create(user=alice, department=department, role=Role.AUDITOR)
    log_in(alice)
    addresses = {
        "sign": f"/cases/{to_sign.pk}/sign/",
        "addendum": f"/cases/{signed.pk}/addenda/",
        "report-signed": f"/cases/{signed.pk}/report/",
        "report-unsigned": f"/cases/{to_sign.pk}/report/",
        "case-signed": signed.get_absolute_url(),
        "department-filled": "/department/",
        "trail": f"/audit/?thread={signed.thread}",
        "tokens-none": "/account/tokens/",
        "password-change": "/account/password/change/",
    }
    found = {}
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found[name] = complaints(page)
        keep(name)
    page.goto("/department/")
    expect(page.locator(".scroller[aria-labelledby=advice-title] tbody tr")).to_contain_text("1")
    page.goto(f"/cases/{to_sign.pk}/sign/")
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Sign as").click()
    expect(page.get_by_label("Your password")).to_have_attribute("aria-invalid", "true")
    found["sign-refused"] = complaints(page)
    page.goto("/account/tokens/")
    page.get_by_label("What it is for").fill("Nightly statistics")
    page.get_by_label("It may").select_option("read")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Issue").click()
    page.locator("#issued").wait_for()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy it").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#issued").text_content()
    found["token-issued"] = complaints(page)
    keep("token-issued")
    assert {name: said for name, said in found.items() if said} == {}


@pytest.fixture
def busy(case, alice, phantom_png, tmp_path, settings) -> None:
    """Done, failed, running and waiting work; a worker that is alive and one that was lost."""
    settings.JOB_BATCH = 1
    answers.active_version(tmp_path)
    answered(case, alice, phantom_png())
    scan = case.scans.get()
    for number in range(9):
        waiting = jobs.submit(
            Job.Kind.PREDICT, image=scan.image, model_version=Job.objects.first().model_version,
            requested_by=alice, parameters={"frames": [number]}, about=events.about(scan),
        )  # fmt: skip
        (held,) = lease.claim(waiting.pk)
        if number < 5:
            lease.finish(held)
            Job.objects.filter(pk=held.job.pk).update(finished_at=Now() - timedelta(hours=number % 3))
        elif number < 7:
            lease.fail(held, "worker_lost", "The worker that held the job stopped answering.")
    jobs.submit(Job.Kind.TRAIN, requested_by=None, parameters={"network": "cnn", "version": "2"})
    presence.arrive(settings.JOB_QUEUE)
    presence.runs_on("cpu")
    ago = Now() - timedelta(minutes=4)
    Worker.objects.create(name="reading-room-2:77", queues="training", seen_at=ago, lease_until=ago)


@pytest.mark.parametrize("theme", THEMES)
def test_a_busy_queue(theme, busy, bob, log_in, page, keep):
    log_in(bob)
    page.goto("/queue/")
    expect(page.get_by_role("region", name="Workers")).to_contain_text("lost")
    assert complaints(page) == []
    keep("queue-busy")
    page.locator(".chart + figcaption + details summary").click()
    assert complaints(page) == []
    page.get_by_role("button", name="again").first.click()
    expect(page.get_by_text("asked for again, as a new job")).to_be_visible()
    expect(page.get_by_text("asked again", exact=True)).to_have_count(1)


@pytest.mark.parametrize("theme", THEMES)
def test_the_viewers_own_parts(theme, case, alice, phantom_png, log_in, page, keep, tmp_path):
    answers.active_version(tmp_path)
    answered(case, alice, phantom_png())
    log_in(alice)
    page.goto("/")
    page.keyboard.press("?")
    found = {"keys-worklist": complaints(page)}
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    for name, pressed in {"keys": "?", "pieces": "?lop", "used": "u", "beside": "us"}.items():
        for key in pressed:
            page.keyboard.press(key)
        page.wait_for_load_state("networkidle")
        found[name] = complaints(page)
        keep(f"viewer-parts-{name}")
    assert {name: said for name, said in found.items() if said} == {}
