"""The case page is one screen: the picture takes its height, and the read stays where it can be filed."""

import answers
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cases.models import Case, ReadingRules
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


@pytest.fixture
def answered(department, case, alice, add_scan, tmp_path) -> Case:
    """A case of a department that reads first: two networks call its phantom what it is, and show where."""
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    for network in ("cnn", "modified_cnn"):
        answers.active_version(tmp_path, network=network)
    spec = sample_spec(np.random.default_rng(12), label="ventriculomegaly", gestational_age_days=26 * 7)
    scan = add_scan(case, alice, content=render(spec, "ultrasound", seed=12).png())
    for job in Job.objects.filter(image=scan.image, kind=Job.Kind.PREDICT):
        said = answers.answer(job)
        for method in ("gradcam", "lime"):
            answers.explanation(said, method=method)
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


def test_the_picture_stays_in_view_from_the_blind_read_to_the_final_one(answered, alice, log_in, page):
    log_in(alice)
    page.goto(answered.get_absolute_url())
    look(page)
    for button in ("File blind read", "File final read"):
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            expect(page.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
        page.locator("#desk").get_by_label("Ventriculomegaly", exact=True).check()
        page.get_by_role("button", name=button).click()
        look(page)


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
