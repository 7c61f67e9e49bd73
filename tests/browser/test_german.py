"""Ventra in German in a real browser: axe finds nothing, nothing overflows, and the caliper measures."""

import re
from datetime import timedelta

import numpy as np
import pytest
from accessibility import complaints
from conftest import PASSWORD
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from accounts.models import Membership, Role, User
from cases import services
from cases.models import Case, Measurement
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.models import Job, ModelVersion, Worker
from inference.phantom import render, sample_spec
from webhooks import services as webhooks
from webhooks.catalogue import EVENTS
from webhooks.models import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FARTHEST_MM = 0.3
ASKED = {
    "network": "cnn",
    "version": "3.0",
    "data": {"ultrasound": "phantoms"},
    "numbers": {"phantom_epochs": 4},
}
PLACE = """([row, column]) => {
    const box = document.getElementById("marks").getBoundingClientRect();
    const canvas = document.getElementById("scan-canvas");
    const fit = Math.min(box.width / canvas.width, box.height / canvas.height);
    const left = box.left + (box.width - canvas.width * fit) / 2;
    const top = box.top + (box.height - canvas.height * fit) / 2;
    return [left + (column + 0.5) * fit, top + (row + 0.5) * fit]; }"""


@pytest.fixture
def phantom():
    spec = sample_spec(np.random.default_rng(12), label="ventriculomegaly", gestational_age_days=26 * 7)
    return render(spec, "ultrasound", seed=12)


@pytest.fixture
def everything(case, alice, department, add_scan, run_jobs, phantom) -> Case:
    """An answered case, an urgent one without a scan, a failed job, one that waits, a training."""
    Membership.objects.bulk_create(
        Membership(user=alice, department=department, role=role)
        for role in (Role.AUDITOR, Role.MODEL_MANAGER, Role.ADMINISTRATOR)
    )
    scan = add_scan(case, alice, content=phantom.png())
    run_jobs()
    services.open_case(by=alice, department=department, patient_id="P-2", priority=20, is_demo=True)
    first, _ = services.submit_scan(scan, by=alice)
    lease.fail(lease.claim(first.pk)[0], "worker_lost", "The worker that held the job stopped answering.")
    training = jobs.submit(Job.Kind.TRAIN, requested_by=alice, parameters=ASKED)
    (held,) = lease.claim(training.pk)
    lease.heartbeat([held], "folds, epoch 2 of at most 4", progress={"done": 4, "total": 9})
    Worker.objects.create(name="host:1", queues="jobs", lease_until=Now() + timedelta(minutes=5))
    Worker.objects.create(name="host:2", queues="jobs", lease_until=Now() - timedelta(minutes=5))
    hook, _ = webhooks.create(
        by=alice, department=department, name="archive", address="https://archive.test/", events=EVENTS
    )
    webhooks.send_test(hook, by=alice)
    return case


def choose_german(page: Page) -> None:
    """At the foot of the sign-in page, by keyboard."""
    page.goto("/account/login/")
    page.get_by_role("button", name="Deutsch").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def log_in(page: Page, user: User) -> None:
    page.get_by_label("Benutzername").fill(user.username)
    page.get_by_label("Kennwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.wait_for_url("**/")


def test_the_pages_in_german(everything, alice, page, keep):
    choose_german(page)
    assert complaints(page) == []
    keep("de-login")
    log_in(page, alice)
    model = ModelVersion.objects.get(modality="ultrasound", network="cnn", state="active")
    addresses = {
        "worklist": "/",
        "worklist-filtered": "/?q=nothing",
        "open-case": "/cases/new/",
        "department": "/department/",
        "case": everything.get_absolute_url(),
        "report": f"/cases/{everything.pk}/report/",
        "models": "/models/",
        "model-card": f"/models/{model.pk}/",
        "model-retire": f"/models/{model.pk}/retire/",
        "models-upload": "/models/upload/",
        "models-work": "/models/work/",
        "training": f"/models/work/{Job.objects.get(kind=Job.Kind.TRAIN).pk}/",
        "models-then": "/models/at/?at=2026-01-01T14:02",
        "queue": "/queue/",
        "audit": "/audit/",
        "notices": "/notices/",
        "webhooks": "/webhooks/",
        "webhook": f"/webhooks/{Endpoint.objects.get().pk}/",
        "webhook-add": "/webhooks/new/",
        "webhook-secret": f"/webhooks/{Endpoint.objects.get().pk}/rotate/",
        "tokens": "/account/tokens/",
        "password": "/account/password/change/",
    }
    found = {}
    for name, address in addresses.items():
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        if name == "case":
            page.locator(".show-overlay").first.click()
            page.wait_for_selector("#heat-canvas[data-overlay]")
        found[name] = complaints(page)
        if name == "worklist":
            frame = page.locator(".scroller")
            assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth"), "all columns at once"
        keep(f"de-{name}")
    assert {name: said for name, said in found.items() if said} == {}


def test_the_caliper_measures_on_a_german_page_and_numbers_have_commas(
    everything, alice, phantom, page, keep
):
    User.objects.filter(pk=alice.pk).update(language="de")
    page.goto("/account/login/")
    choose_german(page)
    log_in(page, alice)
    page.goto(everything.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.locator("#nearer").click()
    caliper, truth = phantom.calipers[0], phantom.atrial_width_mm[0]
    page.get_by_role("button", name="Atriumweite").click()
    for move, point in ((page.mouse.down, caliper.inner), (page.mouse.up, caliper.outer)):
        x, y = page.evaluate(PLACE, list(point))
        page.mouse.move(x, y)
        move()
    form = page.locator("#caliper")
    form.get_by_role("button", name="Als links speichern").click()
    expect(form).to_be_hidden()
    stored = Measurement.objects.get()
    assert stored.length_mm == pytest.approx(truth, abs=FARTHEST_MM)
    assert (stored.side, stored.tool) == ("left", "atrial_width")
    length = f"{stored.length_mm:.1f} mm".replace(".", ",")
    provisional = f"{length}, vorläufig"  # no point of the plane is confirmed
    expect(page.locator("#findings")).to_contain_text(f"{provisional} Atriumweite, links")
    expect(page.locator("#marks title").first).to_have_text(f"Atriumweite, links: {provisional}")
    expect(page.locator("#readout")).to_contain_text("mm je Pixel")
    keep("de-measured")
    page.locator("#desk").get_by_label("Ventrikulomegalie", exact=True).check()
    page.get_by_role("button", name="Endbefund abgeben").click()
    expect(page.get_by_label("Ihr Kennwort")).to_be_visible()
    keep("de-sign")
    page.get_by_label("Ihr Kennwort").fill(PASSWORD)
    page.get_by_role("button", name="Als alice signieren").click()
    expect(page.locator("#desk")).to_contain_text("Signiert von alice")
    keep("de-signed")


def test_pieces_two_pictures_and_the_sheet_of_keys_in_german(everything, alice, page, keep):
    choose_german(page)
    log_in(page, alice)
    page.goto(everything.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.keyboard.press("l")
    page.locator("#pieces").wait_for()
    page.keyboard.press("o")
    page.keyboard.press("p")
    expect(page.locator("#piece-said")).to_have_text(
        re.compile(r"^Bildteil 1 von \d+: [+−]\d,\d{3}, spricht (für|gegen) Ventrikulomegalie$")
    )
    expect(page.locator("#piece-list")).not_to_contain_text(".")
    assert complaints(page) == []
    keep("de-pieces")
    page.keyboard.press("u")
    expect(page.locator("#screen .used-mark")).to_contain_text("nur die Bildteile, die LIME von")
    page.keyboard.press("u")
    page.keyboard.press("s")
    expect(page.locator("#twin-name")).to_contain_text(", für Ventrikulomegalie")
    page.wait_for_selector("#twin .heat-layer[data-overlay]")
    keep("de-beside")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Wohin die Modelle sahen")
    assert complaints(page) == []
    keep("de-keys")


def test_a_file_is_uploaded_in_german(case, alice, models, phantom, page, tmp_path):
    choose_german(page)
    log_in(page, alice)
    page.goto(case.get_absolute_url())
    (tmp_path / "scan.png").write_bytes(phantom.png())
    page.locator("#folder").evaluate("folder => folder.dispatchEvent(new Event('change'))")
    expect(page.locator("#upload-problem")).to_have_text(
        "Geben Sie zuerst an, ob es Ultraschall- oder MRT-Aufnahmen sind, und laden Sie dann hoch."
    )
    page.get_by_label("Ultraschall").check()
    page.locator("#id_scans").set_input_files(tmp_path / "scan.png")
    page.get_by_role("button", name="Hochladen").click()
    page.wait_for_url("**/?scan=1")
    expect(page.get_by_role("heading", name="Aufnahmen")).to_be_visible()
