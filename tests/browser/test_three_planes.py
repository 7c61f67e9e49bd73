"""A volume in three planes, in a real browser: one place in all of them, in true proportions."""

import io

import numpy as np
import pytest
from accessibility import complaints
from corpus.discs import roundness
from django.core.files.base import ContentFile
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from cases import intake
from inference.phantom.export import nifti_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHAPE, SPACING, STEP = (30, 60, 90), (1.2, 0.8), 2.4
MIDDLE = (14, 30, 45)
RADIUS = 22.0  # mm
BARE = """(shown) => { for (const part of document.querySelectorAll(".screen > :not(.scan-layer)"))
    part.style.visibility = shown ? "" : "hidden"; }"""


def ball() -> np.ndarray:
    """A bright ball whose patient's left is brighter, with nothing of the head that could hide a mistake."""
    steps = (STEP, *SPACING)
    axes = [(np.arange(n) - m) * mm for n, m, mm in zip(SHAPE, MIDDLE, steps, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    inside = np.hypot(np.hypot(x, y), z) <= RADIUS
    return np.where(inside, 200, 20).astype(np.uint8)


@pytest.fixture
def opened(case, alice, log_in, page) -> Page:
    file = ContentFile(nifti_bytes(ball(), SPACING, STEP))
    intake.receive(case, file, modality="mri", by=alice, file_name="ball.nii")
    log_in(alice)
    page.goto(f"{case.get_absolute_url()}?scan=1")
    page.wait_for_selector("#scan-canvas[data-frame]")
    return page


def numbers(page: Page) -> list[int]:
    """What each of the three panes shows: its frame, its row, its column."""
    panes = ("#scan-canvas", "#cut-rows canvas", "#cut-columns canvas")
    return [int(page.locator(pane).get_attribute("data-frame") or -1) for pane in panes]


def grey_of(pane: Locator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(pane.screenshot())).convert("L"))


def test_a_ball_is_round_in_all_three_planes_and_the_letters_say_where_the_head_is(opened, keep):
    opened.keyboard.press("t")
    expect(opened.get_by_role("button", name="Three planes")).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("#cut-rows .pane-name")).to_have_text("coronal 31 of 60")
    expect(opened.locator("#cut-columns .pane-name")).to_have_text("sagittal 46 of 90")
    letters = {
        pane: opened.locator(f"#{pane} .letter").all_inner_texts()
        for pane in ("screen", "cut-rows", "cut-columns")
    }
    assert letters == {"screen": list("ALPR"), "cut-rows": list("HLFR"), "cut-columns": list("HPFA")}
    assert complaints(opened) == []
    keep("three-planes")
    opened.evaluate(BARE, False)
    for pane in ("#screen", "#cut-rows", "#cut-columns"):
        assert roundness(grey_of(opened.locator(pane))) == pytest.approx(1.0, rel=0.04), pane


def test_one_place_is_shown_by_all_three_planes_wherever_it_is_chosen(opened):
    opened.keyboard.press("t")
    expect(opened.locator("#cut-columns output")).to_have_text("46 of 90")
    coronal = opened.locator("#cut-rows canvas")
    coronal.focus()
    for key, times in (("ArrowUp", 3), ("ArrowRight", 5), ("PageDown", 4)):
        for _ in range(times):
            opened.keyboard.press(key)
    expect(opened.locator("#cut-rows output")).to_have_text("35 of 60")
    expect(opened.locator("#cut-columns output")).to_have_text("51 of 90")
    began = opened.evaluate("JSON.parse(document.getElementById('picture').textContent).first")
    expect(opened.locator("#frame-number")).to_have_text(f"{began + 4} / 30")
    # The middle of the frame is the middle of the other two.
    box = opened.locator("#scan-canvas").bounding_box() or {}
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(opened.locator("#cut-columns output")).to_have_text("46 of 90")
    expect(opened.locator("#cut-rows output")).to_have_text("31 of 60")
    opened.locator("#cut-columns").hover()
    opened.mouse.wheel(0, 100)
    expect(opened.locator("#cut-columns output")).to_have_text("47 of 90")
    opened.keyboard.press("t")
    expect(opened.locator("#cut-rows")).to_be_hidden()
    assert opened.locator("#screen .cross-lines line").count() == 0


def test_what_a_person_scrolls_through_comes_ahead_of_them(opened):
    opened.locator("#screen").hover()
    with opened.expect_response(lambda answer: answer.url.split("?")[0].endswith("/frames/29")):
        opened.mouse.wheel(0, 100)


def drawn(page: Page, pane: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A line between two places of a pane, as shares of it."""
    box = page.locator(pane).bounding_box() or {}
    for (x, y), press in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        press()


def test_the_ball_measures_the_same_in_every_plane_and_its_line_stays_on_its_cut(opened):
    opened.keyboard.press("t")
    expect(opened.locator("#cut-columns output")).to_have_text("46 of 90")
    opened.keyboard.press("2")
    lengths = []
    for pane in ("#cut-rows", "#cut-columns"):
        box = opened.locator(pane).bounding_box() or {}
        grey = grey_of(opened.locator(pane)) > 120
        across = np.flatnonzero(grey[grey.shape[0] // 3])
        rows = np.flatnonzero(grey[:, int((across.min() + across.max()) / 2)])
        columns = np.flatnonzero(grey.sum(axis=0) > 20)
        middle = (rows.min() + rows.max()) / 2 / grey.shape[0]
        drawn(opened, pane, (columns.min() / box["width"], middle), (columns.max() / box["width"], middle))
        lengths.append(float(opened.locator("#caliper-length").inner_text().split()[0]))
    assert lengths == [pytest.approx(2 * RADIUS, abs=1.5)] * 2
    opened.get_by_role("button", name="Store", exact=True).click()
    expect(opened.locator("#findings")).to_contain_text("sagittal 46")
    stored = opened.locator("#cut-columns .marks g line")
    expect(stored).to_have_count(1)
    opened.locator("#cut-columns canvas").hover()
    opened.mouse.wheel(0, 100)
    expect(opened.locator("#cut-columns output")).to_have_text("47 of 90")
    expect(stored).to_have_count(0)
    assert opened.locator("#marks g line").count() == 0


def test_an_atrial_width_is_measured_on_the_frames_and_a_press_on_a_cut_moves_the_place(opened):
    opened.keyboard.press("t")
    expect(opened.locator("#cut-columns output")).to_have_text("46 of 90")
    opened.keyboard.press("3")
    drawn(opened, "#cut-rows", (0.5, 0.5), (0.62, 0.5))
    expect(opened.locator("#cut-columns output")).not_to_have_text("46 of 90")
    expect(opened.locator("#caliper")).to_be_hidden()
    drawn(opened, "#scan-canvas", (0.45, 0.5), (0.55, 0.5))
    expect(opened.locator("#caliper")).to_be_visible()
