"""Every page, in both themes: axe finds nothing, nothing is wider than the screen, the keyboard is enough."""

from dataclasses import replace

import pytest
from accessibility import complaints
from playwright.sync_api import expect

from accounts.models import Membership, Role
from cases import services
from inference.engine import catalogue
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.models import Job, ModelVersion
from inference.registry import service as registry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

THEMES = ["dark", "light"]
ASKED = {"network": "cnn", "version": "3.0", "data": {"ultrasound": "phantoms"}, "numbers": {"epochs": 4}}
POINTS = [
    {"done": n, "stage": f"folds, epoch {n}", "held-out loss": 0.7 - n / 10, "ultrasound held-out AUC": n / 4}
    for n in (1, 2)
]


@pytest.fixture
def everything(case, alice, department, add_scan, run_jobs):
    """One read case, one urgent case without a scan, one failed job and one that waits."""
    Membership.objects.bulk_create(
        Membership(user=alice, department=department, role=role)
        for role in (Role.AUDITOR, Role.MODEL_MANAGER)
    )
    shipped = catalogue.newest("cnn", "ultrasound")
    candidate = registry.register(replace(shipped.record, version="9.9"), shipped.content, by=None)
    registry.start_shadow(candidate, by=None, reason="a test")
    scan = add_scan(case, alice)
    run_jobs()
    services.open_case(by=alice, department=department, patient_id="P-2", priority=20, is_demo=True)
    first, _ = services.submit_scan(scan, by=alice)
    lease.fail(lease.claim(first.pk)[0], "worker_lost", "The worker that held the job stopped answering.")
    training = jobs.submit(Job.Kind.TRAIN, requested_by=alice, parameters=ASKED)
    (held,) = lease.claim(training.pk)
    lease.heartbeat([held], "folds, epoch 2 of 4", progress={"done": 4, "total": 9, "points": POINTS})
    return case


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_and_nothing_overflows(theme, everything, alice, log_in, page, keep):
    candidate = ModelVersion.objects.get(version="9.9")
    model = ModelVersion.objects.get(modality="ultrasound", network="cnn", state="active")
    page.goto("/account/login/")
    assert complaints(page) == []
    keep("login")
    log_in(alice)
    addresses = {
        "worklist": "/",
        "worklist-filtered": "/?q=nothing",
        "open-case": "/cases/new/",
        "department": "/department/",
        "case": everything.get_absolute_url(),
        "models": "/models/",
        "model-card": f"/models/{model.pk}/",
        "model-retire": f"/models/{model.pk}/retire/",
        "models-upload": "/models/upload/",
        "models-train": "/models/train/",
        "models-work": "/models/work/",
        "model-candidate": f"/models/{candidate.pk}/",
        "model-compare": f"/models/{candidate.pk}/compare/",
        "model-stop-shadow": f"/models/{candidate.pk}/stop-shadow/",
        "training": f"/models/work/{Job.objects.get(kind=Job.Kind.TRAIN).pk}/",
        "models-then": "/models/at/?at=2026-01-01T14:02",
        "queue": "/queue/",
        "audit": "/audit/",
        "tokens": "/account/tokens/",
        "password": "/account/password/change/",
        "log-out": "/account/logout/",
    }
    found = {}
    for name, address in addresses.items():
        page.goto(address)
        if name == "case":
            page.locator(".show-overlay").first.click()
            page.wait_for_selector("#heat-canvas[data-overlay]")
        found[name] = complaints(page)
        keep(name)
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_that_is_not_there_looks_like_ours(theme, alice, log_in, page, keep, forgiven):
    forgiven.append("404 (Not Found)")
    log_in(alice)
    page.goto("/nowhere/")
    assert complaints(page) == []
    keep("not-found")


def test_the_theme_is_remembered_and_drawn_at_once(alice, log_in, page):
    log_in(alice)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    assert dark == "rgb(13, 16, 19)", "a reading room is dark, whatever the system asks for"
    page.get_by_role("button", name="Switch between dark and light").click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "light", "the server draws it, no script"
    assert page.evaluate(ground) == light


def test_the_worklist_by_keyboard_alone(alice, department, log_in, page):
    opened = [
        services.open_case(by=alice, department=department, patient_id=name)[0]
        for name in ("A-1", "A-2", "B-1")
    ]
    log_in(alice)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(":focus")).to_have_text(opened[1].number)
    page.keyboard.press("/")
    page.keyboard.type("b-1")
    page.keyboard.press("Enter")
    expect(page.locator("#worklist .w-case a")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{opened[2].pk}/")


def test_the_queue_page_follows_the_queue_by_itself(case, alice, bob, add_scan, run_jobs, log_in, page):
    add_scan(case, alice)
    log_in(bob)
    page.goto("/queue/")
    expect(page.get_by_role("region", name="Waiting")).to_be_visible()
    Job.objects.filter(state="queued").update(state="cancelled")
    expect(page.locator("#queue")).to_contain_text("Nothing waits", timeout=8_000)


def test_log_out_ends_it(alice, log_in, page):
    log_in(alice)
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/account/login/")
    page.goto("/")
    page.wait_for_url("**/account/login/?next=/")
