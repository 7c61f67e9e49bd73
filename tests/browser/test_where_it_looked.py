"""Known pieces, the cover over what was not used, two pictures side by side, and the sheet of keys."""

import re

import answers
import numpy as np
import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Page, expect

from cases import intake
from cases.models import Case
from cases.viewer import shortcuts
from inference.models import Job
from inference.phantom import sample_spec, volume

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PIXELS = """([selector, row, column]) => { const canvas = document.querySelector(selector);
    const [r, c] = [Math.floor(row * canvas.height), Math.floor(column * canvas.width)];
    return [...canvas.getContext("2d").getImageData(c, r, 1, 1).data]; }"""
WHOLE = """(selector) => { const canvas = document.querySelector(selector);
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0; for (const value of data) sum = (sum * 31 + value) % 1000000007; return sum; }"""
TRANSFORMS = """[...document.querySelectorAll(".scan-layer, .heat-layer, .used-layer, .outlines")].map(
    (layer) => new DOMMatrix(layer.style.transform).a.toFixed(4))"""
DRAWN = """[...document.querySelectorAll("#piece-outlines g path")].map((path) =>
    [path.getAttribute("class").trim(), path.getAttribute("fill"), getComputedStyle(path).strokeDasharray])"""
SCAN, HEAT, USED = "#scan-canvas", "#heat-canvas", "#used-canvas"
LEFT, RIGHT = (0.5, 0.3), (0.5, 0.7)


def settled(page: Page) -> None:
    """Wait until what was asked for has been drawn."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixel(page: Page, selector: str, place: tuple[float, float]) -> list[int]:
    """Red, green, blue and alpha at a share of the height and width."""
    return page.evaluate(PIXELS, [selector, *place])


def over(page: Page, place: tuple[float, float]) -> tuple[float, float]:
    """Where on the screen a share of the picture's height and width is."""
    box = page.locator("#marks").bounding_box()
    size = page.evaluate(
        "[document.querySelector('#scan-canvas').width, document.querySelector('#scan-canvas').height]"
    )
    fit = min(box["width"] / size[0], box["height"] / size[1])
    left, top = box["x"] + (box["width"] - size[0] * fit) / 2, box["y"] + (box["height"] - size[1] * fit) / 2
    return left + place[1] * size[0] * fit, top + place[0] * size[1] * fit


def answered(case: Case, by, content: bytes, *, folder, modality: str = "ultrasound") -> Case:
    """One scan that two models have answered: Grad-CAM grows downwards, LIME has a left and a right piece."""
    for network in ("cnn", "modified_cnn"):
        answers.active_version(folder, network=network, version=network, modality=modality)
    file_name = "head.nii" if modality == "mri" else "scan.png"
    intake.receive(case, ContentFile(content), modality=modality, by=by, file_name=file_name)
    waiting = Job.objects.filter(kind=Job.Kind.PREDICT).order_by("-priority", "created_at")
    for prediction in [answers.answer(job) for job in waiting]:
        for method in ("gradcam", "lime"):
            answers.explanation(prediction, method=method)
    return case


@pytest.fixture
def looked_at(case, alice, phantom_png, log_in, page, tmp_path) -> Case:
    """Alice looks at her case, whose pieces are known."""
    answered(case, alice, phantom_png(), folder=tmp_path)
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    return case


def test_pieces_show_their_sign_by_colour_and_by_line_and_hatching(looked_at, page, keep):
    page.keyboard.press("l")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    expect(page.locator("#piece-outlines g path")).to_have_count(0)
    page.keyboard.press("o")
    page.wait_for_selector("#piece-outlines g path.for")
    drawn = page.evaluate(DRAWN)
    assert drawn == [["for", "none", "none"], ["against", "url(#hatch)", "4px, 3px"]]
    red, _, blue, alpha = pixel(page, HEAT, RIGHT)
    assert alpha > 50
    assert red > blue, "orange speaks for the class"
    red, _, blue, alpha = pixel(page, HEAT, LEFT)
    assert alpha > 50
    assert blue > red, "blue speaks against it"
    keep("viewer-pieces")
    page.keyboard.press("o")
    expect(page.locator("#piece-outlines g path")).to_have_count(0)


def test_a_piece_under_the_pointer_tells_its_weight_and_rank_and_a_tap_keeps_it(looked_at, page):
    page.keyboard.press("l")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.locator("#pieces").wait_for()
    said = page.locator("#piece-said")
    page.mouse.move(*over(page, LEFT))
    expect(said).to_have_text("Piece 2 of 2: −0.250, speaks against ventriculomegaly")
    expect(page.locator("#piece-outlines text")).to_have_text("−0.250")
    page.mouse.click(*over(page, RIGHT))
    page.mouse.move(5, 5)
    expect(said).to_have_text("Piece 1 of 2: +0.500, speaks for ventriculomegaly")
    expect(page.locator("#piece-list [aria-pressed=true]")).to_have_text("+0.500")
    page.keyboard.press("g")
    expect(page.locator("#pieces")).to_be_hidden()
    expect(page.locator("#piece-outlines text")).to_have_count(0)


def test_pieces_by_keyboard_alone(looked_at, page):
    page.keyboard.press("l")
    page.locator("#pieces").wait_for()
    said = page.locator("#piece-said")
    for text in ("Piece 1 of 2", "Piece 2 of 2", ""):
        page.keyboard.press("p")
        expect(said).to_have_text(re.compile(f"^{text}.*" if text else "^$"))
    page.keyboard.press("P")
    expect(said).to_contain_text("Piece 2 of 2")
    page.locator("#hold").focus()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("data-rank", "1")
    expect(said).to_contain_text("Piece 1 of 2")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("aria-pressed", "true")


def test_only_what_the_model_used_covers_the_rest_and_never_the_picture_itself(looked_at, page, keep):
    page.keyboard.press("l")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    before = page.evaluate(WHOLE, SCAN)
    page.keyboard.press("u")
    page.wait_for_selector("#used-canvas[data-overlay]")
    settled(page)
    expect(page.locator("#screen .used-mark")).to_have_text(
        "Not the picture: only the pieces that LIME of cnn counts for ventriculomegaly"
    )
    assert pixel(page, USED, LEFT)[3] > 220, "the piece that speaks against is covered"
    assert pixel(page, USED, RIGHT)[3] == 0, "the piece that speaks for the class is bare"
    assert pixel(page, HEAT, RIGHT)[3] == 0, "no colour lies over it"
    assert page.evaluate(WHOLE, SCAN) == before, "the picture is what it was"
    keep("viewer-used-pieces")
    page.keyboard.down("h")
    settled(page)
    assert pixel(page, USED, LEFT)[3] == 0, "held, the key shows the picture"
    page.keyboard.up("h")
    page.wait_for_selector("#used-canvas[data-overlay]")
    page.keyboard.press("g")
    settled(page)
    expect(page.locator("#screen .used-mark")).to_be_hidden()
    expect(page.locator("#used")).to_have_attribute("aria-pressed", "false")


def test_what_a_heat_map_leaves_follows_the_threshold(looked_at, page, keep):
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.locator("#used").click()
    page.wait_for_selector("#used-canvas[data-overlay]")
    page.locator("#threshold").fill("50")
    settled(page)
    above, below = pixel(page, USED, (0.2, 0.5))[3], pixel(page, USED, (0.8, 0.5))[3]
    assert above > 220
    assert below == 0
    keep("viewer-used-heat")
    page.locator("#threshold").fill("95")
    settled(page)
    assert pixel(page, USED, (0.8, 0.5))[3] > 220


def test_nobody_measures_on_what_a_model_has_left_of_the_picture(looked_at, page):
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.keyboard.press("u")
    page.wait_for_selector("#used-canvas[data-overlay]")
    page.keyboard.press("2")
    expect(page.locator("#screen .used-mark")).to_be_hidden()
    settled(page)
    assert pixel(page, USED, (0.05, 0.5))[3] == 0


def test_two_pictures_side_by_side_move_together(looked_at, page, keep):
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.keyboard.press("s")
    page.wait_for_selector("#twin .heat-layer[data-overlay]")
    expect(page.locator("#twin-name")).to_contain_text("LIME of cnn")
    page.keyboard.press("+")
    page.keyboard.press("i")
    settled(page)
    assert len(set(page.evaluate(TRANSFORMS))) == 1
    assert page.evaluate(WHOLE, "#twin .scan-layer") == page.evaluate(WHOLE, SCAN)
    assert page.evaluate(WHOLE, "#twin .heat-layer") != page.evaluate(WHOLE, HEAT)
    inverted = page.evaluate(WHOLE, SCAN)
    x, y, width, height = page.locator("#twin").bounding_box().values()
    page.mouse.move(x + width / 2, y + height / 2)
    page.mouse.down()
    page.mouse.move(x + width / 2, y + height / 2 + 80, steps=4)
    page.mouse.up()
    settled(page)
    assert page.evaluate(WHOLE, SCAN) != inverted, "a drag on either picture changes both"
    assert page.evaluate(WHOLE, "#twin .scan-layer") == page.evaluate(WHOLE, SCAN)
    keep("viewer-beside")
    page.set_viewport_size({"width": 1024, "height": 768})
    main, twin = (page.locator(box).bounding_box() for box in ("#screen", "#twin"))
    assert main["y"] == twin["y"]
    assert main["width"] == twin["width"]
    assert main["x"] + main["width"] < twin["x"]
    page.set_viewport_size({"width": 390, "height": 844})
    main, twin = (page.locator(box).bounding_box() for box in ("#screen", "#twin"))
    assert main["x"] == twin["x"]
    assert main["y"] + main["height"] < twin["y"]
    page.keyboard.press("s")
    expect(page.locator("#twin")).to_be_hidden()


def test_the_frame_is_the_same_on_both_sides(case, alice, log_in, page, tmp_path):
    heads = volume(sample_spec(np.random.default_rng(3), label="ventriculomegaly"), seed=3)
    answered(case, alice, heads.nifti(), folder=tmp_path, modality="mri")
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.keyboard.press("u")
    page.keyboard.press("s")
    page.wait_for_selector("#twin .heat-layer[data-overlay]")
    first = page.evaluate(WHOLE, SCAN)
    for _ in range(2):
        page.keyboard.press("]")
    expect(page.locator("#scan-canvas")).to_have_attribute("data-frame", "2")
    settled(page)
    assert page.evaluate(WHOLE, SCAN) != first
    assert page.evaluate(WHOLE, "#twin .scan-layer") == page.evaluate(WHOLE, SCAN)
    expect(page.locator("#twin-name")).to_contain_text("did not read this frame")
    expect(page.locator("#screen .used-mark")).to_be_hidden()


def listed(page: Page) -> set[tuple[str, str]]:
    """What the open sheet says: scope, and keys as a browser names them."""
    rows = page.locator("#shortcuts [data-does]")
    return {
        (row.evaluate("(row) => row.closest('section').dataset.scope"), row.get_attribute("data-keys"))
        for row in rows.all()
    }


def test_the_sheet_lists_the_keys_of_the_page_and_gives_the_focus_back(looked_at, page, keep):
    page.locator("#invert").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    scopes = {scope for scope, _ in listed(page)}
    assert scopes == set(shortcuts.GROUPS) - {
        "worklist",
        "field",
        "frames",
        "volume",
        "cut",
        "calibrating",
    }, "one frame has no keys for frames, and a file that states its scale none for calibrating"
    before = page.locator("#methods [aria-pressed=true]").text_content()
    page.keyboard.press("g")
    assert page.locator("#methods [aria-pressed=true]").text_content() == before, "the page behind waits"
    keep("keys-case")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#invert")).to_be_focused()
    page.goto("/")
    page.get_by_role("button", name="Show the keys of this page").click()
    assert {scope for scope, _ in listed(page)} == {"page", *shortcuts.WORKLIST}
    keep("keys-worklist")


def test_single_keys_can_be_switched_off_in_the_sheet(looked_at, page):
    page.keyboard.press("?")
    page.get_by_label("Single letters").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    settled(page)
    expect(page.locator("#methods [aria-pressed=true]")).to_have_text("None")
    page.locator("#show-shortcuts").click()
    page.get_by_label("Single letters").check()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page.locator("#methods [aria-pressed=true]")).to_have_text("Grad-CAM")


def test_who_may_not_measure_is_told_of_no_keys_for_it(looked_at, auditor, page, log_in):
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    log_in(auditor)
    page.goto(looked_at.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.keyboard.press("?")
    assert not {"tools", "measuring", "review"} & {scope for scope, _ in listed(page)}


def test_the_space_bar_flips_between_two_methods_and_each_stands_under_its_own_name(looked_at, page):
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    settled(page)
    gradcam = page.evaluate(WHOLE, HEAT)
    page.locator("#scan-canvas").focus()
    page.keyboard.press("Space")
    expect(page.locator("#trust")).to_contain_text("LIME of")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    settled(page)
    assert page.evaluate(WHOLE, HEAT) != gradcam
    page.keyboard.press("Space")
    expect(page.locator("#trust")).to_contain_text("Grad-CAM of")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    settled(page)
    assert page.evaluate(WHOLE, HEAT) == gradcam
    page.locator("#used").focus()
    page.keyboard.press("Space")
    expect(page.locator("#used")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#trust")).to_contain_text("Grad-CAM of")
