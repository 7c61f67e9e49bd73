"""The case page is one screen: the picture takes its height, and the read stays where it can be filed."""

from pathlib import Path

import answers
import numpy as np
import pytest
from accessibility import complaints
from conftest import PASSWORD
from dragging import drag
from playwright.sync_api import Page, expect

from cases.models import Case, Measurement, ReadingRules, SignOff
from cases.review.measurements import CHECKLIST
from inference.models import Job
from inference.phantom import render, sample_spec

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SEEN = """() => { const box = document.getElementById("screen").getBoundingClientRect();
    const high = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
    const wide = Math.min(box.right, innerWidth) - Math.max(box.left, 0);
    return [Math.max(0, high) * Math.max(0, wide) / (box.width * box.height), box.height / innerHeight]; }"""
"""Which share of the picture can be seen, and which share of the height it takes."""
SCROLLS = "document.documentElement.scrollHeight > innerHeight"
SIZES = {(1440, 900): 0.75, (1024, 768): 0.7}
"""Width and height of a window, and the least share of the height that is the picture's."""


PRESSES = "+(sessionStorage.getItem('presses') ?? 0)"
COUNT = f"""addEventListener("pointerdown", (event) => {{
    if (event.isTrusted) sessionStorage.setItem("presses", {PRESSES} + 1); }}, true);"""


@pytest.fixture
def phantom():
    spec = sample_spec(np.random.default_rng(12), label="ventriculomegaly", gestational_age_days=26 * 7)
    return render(spec, "ultrasound", seed=12)


@pytest.fixture
def read_first(department, tmp_path) -> None:
    """Readers read first, and two networks answer."""
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    for network in ("cnn", "modified_cnn"):
        answers.active_version(tmp_path, network=network)


def answer_all() -> None:
    """The networks call every scan ventriculomegaly, and show where they looked."""
    for job in Job.objects.filter(kind=Job.Kind.PREDICT, state=Job.State.QUEUED):
        said = answers.answer(job)
        for method in ("gradcam", "lime"):
            answers.explanation(said, method=method)
    Job.objects.filter(state=Job.State.QUEUED).update(state=Job.State.CANCELLED)


@pytest.fixture
def answered(read_first, case, alice, add_scan, phantom) -> Case:
    """A case with one answered phantom."""
    add_scan(case, alice, content=phantom.png())
    answer_all()
    return case


def look(page: Page) -> None:
    """At either size the picture stands there whole, and nothing but the rail scrolls."""
    page.wait_for_selector("#scan-canvas[data-frame]")
    for (width, height), least in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        seen, share = page.evaluate(SEEN)
        assert seen == pytest.approx(1, abs=0.01)
        assert share >= least, f"{share:.2f} of {width} x {height}"
        assert not page.evaluate(SCROLLS)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_what_files_a_read_stays_in_sight(answered, alice, log_in, page):
    log_in(alice)
    page.goto(answered.get_absolute_url())
    for button in ("File blind read", "File final read"):
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            expect(page.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
        page.locator("#desk").get_by_label("Ventriculomegaly", exact=True).check()
        page.get_by_role("button", name=button).click()


@pytest.fixture
def uploaded(read_first, case, phantom, tmp_path) -> tuple[Case, Path]:
    """A case without a scan, and the file that is to be added."""
    path = tmp_path / "head.png"
    path.write_bytes(phantom.png())
    return case, path


@pytest.mark.parametrize(("measures", "most"), [(False, 8), (True, 12)])
def test_few_presses_lead_from_the_upload_to_the_signature_and_the_picture_is_always_there(
    measures, most, uploaded, alice, phantom, log_in, page
):
    case, path = uploaded
    page.context.add_init_script(COUNT)
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.evaluate("sessionStorage.removeItem('presses')")
    page.get_by_label("Ultrasound").check()
    with page.expect_file_chooser() as chosen:
        page.get_by_label("Drop files here").click()
    chosen.value.set_files(path)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**?scan=1")
    answer_all()
    look(page)
    if measures:
        measure(page, phantom)
    page.locator("#desk").get_by_label("Ventriculomegaly", exact=True).check()
    page.get_by_role("button", name="File blind read").click()
    look(page)
    page.get_by_role("button", name="File final read").click()
    look(page)
    page.get_by_label("Your password").click()
    page.keyboard.type(PASSWORD)
    look(page)
    page.get_by_role("button", name="Sign as").click()
    expect(page.locator("#desk")).to_contain_text("Signed by alice")
    look(page)
    assert page.evaluate(PRESSES) <= most
    assert SignOff.objects.get().case == case
    expect(page.get_by_role("link", name="Next case")).to_be_in_viewport(ratio=1)


def measure(page: Page, phantom) -> None:
    """One width, its plane confirmed: the tool, the line, the plane, the side."""
    page.get_by_role("button", name="Atrial width").click()
    drag(page, phantom.calipers[0].inner, phantom.calipers[0].outer)
    page.get_by_role("button", name="Plane confirmed").click()
    look(page)
    page.get_by_role("button", name="Store as left").click()
    expect(page.locator("#caliper")).to_be_hidden()
    one = Measurement.objects.get()
    assert (one.side, all(one.checklist.values()), len(one.checklist)) == ("left", True, len(CHECKLIST))


def test_what_was_just_measured_is_taken_back_in_one_press_and_stays_on_record(
    answered, alice, phantom, log_in, page
):
    log_in(alice)
    page.goto(answered.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    measure(page, phantom)
    expect(page.locator(".atrium[data-side=left] strong")).to_contain_text("mm")
    page.locator("#undo").click()
    expect(page.locator(".atrium[data-side=left]")).to_contain_text("Not measured")
    expect(page.locator("#marks line")).to_have_count(0)
    assert Measurement.objects.get().withdrawal.reason == "Taken back right after it was stored."


def test_on_a_phone_the_picture_stays_on_top_while_the_page_scrolls(answered, alice, log_in, page):
    log_in(alice)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(answered.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.get_by_role("button", name="File blind read").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    assert page.evaluate(SEEN)[0] == pytest.approx(1, abs=0.01)
    expect(page.get_by_role("button", name="File blind read")).to_be_in_viewport(ratio=1)


def test_what_changes_a_map_shows_only_where_there_is_one(answered, alice, log_in, page):
    log_in(alice)
    page.goto(answered.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    expect(page.locator("#overlay-choice")).to_be_hidden()
    page.locator("#desk").get_by_label("Ventriculomegaly", exact=True).check()
    page.get_by_role("button", name="File blind read").click()
    expect(page.locator("#overlay-choice")).to_be_visible()
    expect(page.locator("#opacity")).to_be_hidden()
    before = page.locator("#screen").bounding_box()
    page.keyboard.press("g")
    expect(page.locator("#opacity")).to_be_visible()
    assert page.locator("#screen").bounding_box() == before, "nothing jumps when a map is laid on"
    assert complaints(page) == []
    page.keyboard.press("g")
    expect(page.locator("#opacity")).to_be_hidden()


def test_the_picture_alone_on_the_whole_screen(answered, alice, log_in, page):
    log_in(alice)
    page.goto(answered.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.id === 'viewer'")
    expect(page.locator("#full-screen")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")
