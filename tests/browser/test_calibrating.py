"""A depth scale that is found in the picture is proposed, checked by a person, and only then a scale."""

import numpy as np
import pytest
from accessibility import complaints
from playwright.sync_api import Page, expect

from blobs import store
from cases import services
from cases.models import Calibration
from inference.formats.stack import PictureStack

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SPACINGS = (24, 20)  # rows from mark to mark, of the first frame and of the second


@pytest.fixture
def opened(case, alice, log_in, page) -> Page:
    pixels = np.random.default_rng(5).integers(0, 12, (2, 300, 200)).astype(np.uint8)
    for frame, spacing in zip(pixels, SPACINGS, strict=True):
        frame[6::spacing, 10:15] = 230
    original = store.put(pixels.tobytes())
    stack = PictureStack(pixels, "ultrasound", original.sha256, "png")
    services.add_scan(case, stack, by=alice, original=original, file_name="marked.png")
    log_in(alice)
    page.goto(f"{case.get_absolute_url()}?scan=1")
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.locator("#frame").evaluate(
        "(slider) => { slider.value = 1; slider.dispatchEvent(new Event('input')); }"
    )
    page.wait_for_selector("#scan-canvas[data-frame='0']")
    return page


def test_a_proposed_scale_is_shown_checked_and_stored_with_what_it_rests_on(opened, keep):
    opened.keyboard.press("4")
    words = opened.locator("#depth-marks-words")
    expect(words).to_contain_text("Proposed: 13 marks of a depth scale, 24.0 pixels apart")
    assert not Calibration.objects.exists(), "nothing is applied by itself"
    assert complaints(opened) == []
    keep("calibrating")
    opened.get_by_role("button", name="10 mm: 12.5 cm deep").click()
    assert opened.locator("#calibration [name=length_mm]").input_value() == "120.0"
    opened.locator("#calibration button.primary").click()
    expect(opened.locator("body")).to_contain_text("along 12 spacings of 10 mm")
    row = Calibration.objects.get()
    assert row.column_spacing == pytest.approx(10 / 24, rel=0.001)
    expect(opened.locator("#readout")).to_contain_text("0.42 mm a pixel")


def test_the_frame_that_is_turned_to_is_looked_at_anew(opened):
    opened.keyboard.press("4")
    words = opened.locator("#depth-marks-words")
    expect(words).to_contain_text("24.0 pixels apart")
    opened.keyboard.press("]")
    expect(words).to_contain_text("Proposed: 15 marks of a depth scale, 20.0 pixels apart")


def test_a_line_that_somebody_moves_is_no_longer_the_proposed_one(opened):
    opened.keyboard.press("4")
    expect(opened.locator("#depth-marks")).to_be_visible()
    opened.get_by_role("button", name="10 mm: 12.5 cm deep").click()
    box = opened.locator("#marks").bounding_box() or {}
    ends = opened.locator("#marks .pending line").bounding_box() or {}
    opened.mouse.move(ends["x"] + ends["width"] / 2, ends["y"] + ends["height"])
    opened.mouse.down()
    opened.mouse.move(ends["x"] + ends["width"] / 2, ends["y"] + ends["height"] - box["height"] / 6)
    opened.mouse.up()
    expect(opened.locator("#depth-marks")).to_be_hidden()
    assert opened.locator("#calibration [name=length_mm]").input_value() == ""
