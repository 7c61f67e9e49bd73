"""What a reader types stays: while answers arrive, when a form is refused, and when the session has ended."""

import answers
import pytest
from conftest import PASSWORD
from django.core.files.base import ContentFile
from dragging import drag
from playwright.sync_api import Page, expect

from cases import intake
from cases.models import Case, Draft, Read
from inference.models import Job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOTE = "Slim ventricles on both sides."
REASON = "The plane is oblique."


@pytest.fixture
def waiting(case, alice, phantom_png, tmp_path) -> Case:
    """A concurrent department's case whose one scan is still to be answered."""
    answers.active_version(tmp_path)
    file = ContentFile(phantom_png(), name="scan.png")
    intake.receive(case, file, modality="ultrasound", by=alice, file_name="scan.png")
    return case


def answered(case: Case) -> None:
    """The model says ventriculomegaly, and nothing else is to be done."""
    answers.answer(Job.objects.get(kind="predict"))
    Job.objects.filter(state="queued").update(state="cancelled")


def open_and_type(page: Page, case: Case) -> None:
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.locator("#desk").get_by_label("Normal", exact=True).check()
    page.locator("#id_note").fill(NOTE)


def test_the_why_field_appears_with_the_answers_and_takes_no_word(waiting, alice, log_in, page):
    log_in(alice)
    open_and_type(page, waiting)
    expect(page.locator("#id_reason")).to_be_hidden()
    answered(waiting)
    expect(page.locator("#id_reason")).to_be_visible()
    expect(page.locator("#models-say")).to_contain_text("Ventriculomegaly")
    expect(page.locator("#id_note")).to_have_value(NOTE)
    page.locator("#id_reason").fill(REASON)
    page.get_by_role("button", name="File final read").click()
    expect(page.locator("#desk")).to_contain_text(REASON)
    read = Read.objects.get()
    assert (read.note, read.reason, len(read.seen)) == (NOTE, REASON, 1)
    assert not Draft.objects.exists()


def test_a_refused_read_stands_filled_with_the_cursor_where_the_reason_belongs(
    waiting, alice, log_in, page, forgiven
):
    forgiven.append("422")
    answered(waiting)
    log_in(alice)
    open_and_type(page, waiting)
    page.get_by_role("button", name="File final read").click()
    expect(page.locator("#id_reason")).to_be_focused()
    expect(page.locator("#desk")).to_contain_text("say why")
    expect(page.locator("#id_note")).to_have_value(NOTE)
    expect(page.locator("#desk").get_by_label("Normal", exact=True)).to_be_checked()
    page.keyboard.type(REASON)
    page.get_by_role("button", name="File final read").click()
    expect(page.locator("#desk")).to_contain_text(REASON)


def test_a_session_that_ended_costs_no_word(waiting, alice, log_in, page):
    answered(waiting)
    log_in(alice)
    open_and_type(page, waiting)
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft kept")
    page.context.clear_cookies(name="ventra_session")
    page.locator("#id_reason").fill(REASON)
    expect(page.locator("[data-draft-state]")).to_contain_text("Your session has ended")
    page.get_by_role("button", name="File final read").click()
    page.get_by_label("User name").fill(alice.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{waiting.get_absolute_url()}*")
    expect(page.locator("#id_note")).to_have_value(NOTE)
    expect(page.locator("#id_reason")).to_have_value(REASON)
    page.get_by_role("button", name="File final read").click()
    expect(page.locator("#desk")).to_contain_text(REASON)
    assert Read.objects.get().note == NOTE


def test_what_is_being_typed_survives_a_part_of_the_page_that_is_replaced(waiting, alice, log_in, page):
    answered(waiting)
    log_in(alice)
    open_and_type(page, waiting)
    left = page.locator(".atrium[data-side=left]")
    left.get_by_text("Not seen, because…").click()
    left.get_by_label("In your words").fill("Reverberation of the skull.")
    page.get_by_role("button", name="Caliper", exact=True).click()
    drag(page, (20, 20), (40, 60))
    page.locator("#caliper").get_by_role("button", name="Store").click()
    expect(page.locator(".measurements li")).to_have_count(1)
    expect(left.get_by_label("In your words")).to_have_value("Reverberation of the skull.")
    left.get_by_label("Why?").select_option("shadow")
    left.get_by_role("button", name="Store").click()
    expect(left).to_contain_text("Shadowed by the skull: Reverberation of the skull.")
