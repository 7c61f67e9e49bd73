"""From upload to a signed report: blind read, reveal, calipers, override, second reader, sign, addendum."""

import io

import numpy as np
import pytest
from accessibility import complaints
from conftest import PASSWORD
from dragging import drag
from earlier_cases import add_width, earlier_case
from PIL import Image
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from cases.case_page.presence import be_there
from cases.models import Case, Measurement, Read, ReadingRules, SignOff
from cases.review.measurements import pixel_sides
from inference.phantom import render, sample_spec

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FARTHEST_MM = 0.3


@pytest.fixture
def reader_first(department) -> None:
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)


@pytest.fixture
def phantom():
    spec = sample_spec(np.random.default_rng(12), label="ventriculomegaly", gestational_age_days=26 * 7)
    return render(spec, "ultrasound", seed=12)


def measure(page: Page, start: tuple[float, float], end: tuple[float, float], side: str) -> None:
    page.get_by_role("button", name="Atrial width").click()
    drag(page, start, end)
    form = page.locator("#caliper")
    form.get_by_role("button", name="Plane confirmed").click()
    form.get_by_role("button", name=f"Store as {side}").click()
    expect(form).to_be_hidden()


def file(page: Page, finding: str, button: str, *, reason: str = "") -> None:
    panel = page.locator("#desk")
    panel.get_by_label(finding, exact=True).check()
    if reason:
        panel.get_by_label("You differ from the models: why?").fill(reason)
    panel.get_by_role("button", name=button).click()
    page.wait_for_load_state("networkidle")


@pytest.fixture
def answered(reader_first, case, alice, add_scan, run_jobs, phantom) -> Case:
    """A case with one phantom of known width, answered and explained."""
    add_scan(case, alice, content=phantom.png())
    run_jobs()
    return case


def test_the_whole_journey(answered, alice, bob, phantom, log_in, page, keep):
    log_in(alice)
    page.goto(answered.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    expect(page.locator("#live")).to_contain_text("Hidden until your read is filed")
    expect(page.locator("#methods button")).to_have_count(1)
    keep("reading-blind")
    measure_both(page, phantom)
    keep("reading-measured")

    file(page, "Ventriculomegaly", "File blind read")
    expect(page.locator("#live")).to_contain_text("Ventriculomegaly")
    page.locator(".show-overlay").first.click()
    page.wait_for_selector("#heat-canvas[data-overlay]")
    keep("reading-revealed")
    file(page, "Normal", "File final read", reason="Asymmetry within the normal range.")
    expect(page.locator("#desk")).to_contain_text("Another reader files the second read.")
    log_out(page)

    log_in(bob)
    page.goto(answered.get_absolute_url())
    expect(page.locator("#desk")).to_contain_text("shown after yours")
    file(page, "Normal", "File second read")
    assert list(Read.objects.values_list("kind", flat=True)) == ["blind", "final", "second"]
    log_out(page)

    log_in(alice)
    page.goto(answered.get_absolute_url())
    sign(page, keep)
    amend(page, "Seen again at 30 weeks: unchanged.")
    expect(page.locator("#readout")).to_contain_text("mm a pixel")
    keep("reading-signed")
    take_the_report(page)
    page.goto(f"/cases/{answered.pk}/report/")
    keep("report")


def measure_both(page: Page, phantom) -> None:
    """Both atria, enlarged; what is stored lies within FARTHEST_MM of the truth."""
    page.locator("#nearer").click()
    page.locator("#nearer").click()
    sides = zip(phantom.calipers, ("left", "right"), phantom.atrial_width_mm, strict=True)
    for caliper, side, truth in sides:
        measure(page, caliper.inner, caliper.outer, side)
        stored = Measurement.objects.latest("created_at")
        assert stored.length_mm == pytest.approx(truth, abs=FARTHEST_MM)
        assert (stored.side, stored.pixel_spacing_source) == (side, "phantom")
        assert all(stored.checklist.values())
    expect(page.locator("#findings")).to_contain_text("Checklist complete")


def sign(page: Page, keep) -> None:
    page.get_by_label("Your password").fill(PASSWORD)
    keep("reading-sign")
    page.get_by_role("button", name="Sign as").click()
    expect(page.locator("#desk")).to_contain_text("Signed by alice")


def amend(page: Page, text: str) -> None:
    page.get_by_role("link", name="Add an addendum").click()
    page.get_by_label("Addendum").fill(text)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Add and sign").click()
    expect(page.locator("#desk")).to_contain_text(text)


def take_the_report(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    text = " ".join(sheet.extract_text() for sheet in PdfReader(download.value.path()).pages)
    assert "Signed by" in text
    assert SignOff.objects.get().content_sha256[:20] in text


def log_out(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/account/login/")


def test_with_the_keyboard_alone_from_the_worklist_to_the_signature(answered, alice, log_in, page):
    log_in(alice)
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#scan-canvas[data-frame]")
    assert Case.objects.get().assignee == alice

    page.keyboard.press("2")
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#store").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#findings")).to_contain_text("mm")
    stored = Measurement.objects.get()
    across = pixel_sides(stored.scan.image.aspect)[1]
    assert stored.length_px == pytest.approx(30.0 * across)

    page.keyboard.press("v")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    for button in ("File blind read", "File final read"):
        expect(page.get_by_role("button", name=button)).to_be_visible()
        page.keyboard.press("v")
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
        page.wait_for_selector("#scan-canvas[data-frame]")
    findings = set(Read.objects.values_list("finding", flat=True))
    assert findings == {"ventriculomegaly"}
    page.keyboard.press("v")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_contain_text("Signed by", timeout=20_000)


def test_a_measurement_in_pixels_says_so_and_is_withdrawn_with_a_reason(
    case, alice, add_scan, phantom_png, log_in, page
):
    without_scale = io.BytesIO()
    Image.fromarray(np.asarray(Image.open(io.BytesIO(phantom_png())))).save(without_scale, format="PNG")
    add_scan(case, alice, content=without_scale.getvalue())
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.get_by_role("button", name="Caliper").click()
    drag(page, (60, 60), (60, 100))
    expect(page.locator("#caliper-length")).to_contain_text("pixels (no scale known)")
    page.locator("#caliper").get_by_role("button", name="Store").click()
    expect(page.locator("#findings")).to_contain_text("pixels (no scale known)")
    page.locator(".withdraw summary").click()
    page.locator(".withdraw").get_by_label("Why?").fill("Not the atrium.")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.locator("#findings")).to_contain_text("Withdrawn: Not the atrium.")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_patients_earlier_cases_stand_beside_the_picture(
    theme, case, alice, department, log_in, page, keep
):
    earlier_case(department, alice, width=6.5, age=122, days=49)
    earlier_case(department, alice, width=8.5)
    earlier_case(department, alice, age=200, days=20)
    add_width(case, alice, 10.5)
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.locator("#priors").scroll_into_view_if_needed()
    expect(page.locator("#priors circle")).to_have_count(3)
    assert complaints(page) == []
    keep("priors")


def test_a_reader_sees_who_else_has_the_case_open(case, alice, bob, add_scan, log_in, page):
    add_scan(case, alice)
    be_there(case, bob)
    log_in(alice)
    page.goto(case.get_absolute_url())
    expect(page.get_by_role("status").get_by_text("bob has this case open")).to_be_visible()
    assert be_there(case, bob) == [alice], "and bob is told of alice"
    assert complaints(page) == []
