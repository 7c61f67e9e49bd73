"""A person logs in, opens a case, uploads a scan, and sees what the networks say and where they looked."""

import io

import numpy as np
import pytest
from django.core.files.base import ContentFile
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from audit.models import Event
from cases import intake
from cases.models import Case, Scan
from inference.models import Explanation
from inference.phantom import sample_spec, volume

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OPAQUE = """(id) => { const canvas = document.getElementById(id);
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0; for (let i = 3; i < data.length; i += 4) count += data[i] > 0; return count; }"""
HOLD_FETCHES = """() => { const [fetch, held] = [window.fetch, []];
    window.held = held;
    window.fetch = (...asked) => new Promise((come) => held.push(() => come(fetch(...asked))));
    window.letGo = () => { window.fetch = fetch; for (const go of held) go(); }; }"""
BRIGHTNESS = """() => { const canvas = document.getElementById("scan-canvas");
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0; for (let i = 0; i < data.length; i += 4) sum += data[i]; return sum / (data.length / 4); }"""


def grey_png() -> bytes:
    """A picture in which there is nothing to see."""
    file = io.BytesIO()
    Pillow.new("L", (200, 160), 90).save(file, format="PNG")
    return file.getvalue()


def settled(page: Page) -> None:
    """Wait until what was asked for has been drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture
def read_case(case, alice, add_scan, run_jobs, log_in, page) -> Case:
    """Alice looks at her case, whose one phantom has been read."""
    add_scan(case, alice)
    run_jobs()
    log_in(alice)
    page.goto(case.get_absolute_url())
    return case


def test_from_log_in_to_answer_and_heatmap(
    models, alice, phantom_png, run_jobs, log_in, page, keep, tmp_path
):
    (tmp_path / "head.png").write_bytes(phantom_png())
    log_in(alice)
    expect(page.get_by_role("heading", name="No case yet")).to_be_visible()
    keep("worklist-empty")
    page.get_by_role("link", name="Open a case").first.click()
    page.get_by_label("Patient ID").fill("P-17")
    page.get_by_label("Weeks").fill("24")
    page.get_by_label("Urgent").check()
    page.get_by_role("button", name="Open the case").click()

    page.get_by_label("Ultrasound").check()
    page.get_by_label("Drop files here").set_input_files(tmp_path / "head.png")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**?scan=1")
    expect(page.locator("#live")).to_contain_text("1st in queue")
    keep("case-waiting")
    page.evaluate("window.notReloaded = true")

    run_jobs()
    expect(page.locator("#live[data-over]")).to_be_visible(timeout=15_000)
    expect(page.locator("#live .verdict").first).to_contain_text("Ventriculomegaly")
    expect(page.locator("#scan-state-1")).to_contain_text("Answered")
    expect(page.locator("#timeline")).to_contain_text("published an explanation")
    for method in ("Grad-CAM", "LIME"):
        page.locator(".answer").first.get_by_role("button", name=method).click()
        page.wait_for_selector("#heat-canvas[data-overlay]")
        settled(page)
        assert page.evaluate(OPAQUE, "heat-canvas") > 50
        expect(page.locator("#trust")).to_contain_text("eliable")
        keep(f"case-{method.lower()}")
    assert page.evaluate("window.notReloaded"), "the page must not have been loaded again"
    assert Event.objects.filter(verb="scan.viewed").count() == 1
    assert Event.objects.filter(verb="explanation.viewed").count() == 2


def test_each_dropped_file_has_its_own_outcome(case, alice, phantom_png, log_in, page, keep):
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.get_by_label("Ultrasound").check()
    files = {"good.png": phantom_png().hex(), "bad.png": b"words".hex()}
    page.evaluate(
        """(files) => { const carried = new DataTransfer();
        for (const [name, hex] of Object.entries(files)) {
            const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
            carried.items.add(new File([bytes], name));
        }
        document.getElementById("drop").dispatchEvent(
            new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })); }""",
        files,
    )
    page.wait_for_url("**/uploads/**")
    expect(page.get_by_role("row", name="good.png")).to_contain_text("One scan")
    expect(page.get_by_role("row", name="bad.png")).to_contain_text("Left out")
    keep("upload-outcomes")
    assert not Scan.objects.exists()
    page.get_by_role("button", name="Add to the case").click()
    page.wait_for_url("**?scan=1")
    assert Scan.objects.count() == 1


def test_an_upload_that_breaks_can_be_tried_again_without_a_duplicate(
    case, alice, phantom_png, log_in, page, tmp_path, forgiven
):
    (tmp_path / "head.png").write_bytes(phantom_png())
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.get_by_label("Ultrasound").check()
    page.get_by_label("Drop files here").set_input_files(tmp_path / "head.png")
    forgiven.append("net::ERR_FAILED")
    page.route("**/scans/", lambda route: route.abort())
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#outcomes")).to_contain_text("The connection broke")
    page.unroute("**/scans/")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**?scan=1")
    assert Scan.objects.count() == 1


def test_window_level_invert_and_reset(read_case, page):
    page.wait_for_selector("#scan-canvas[data-frame]")
    settled(page)
    plain = page.evaluate(BRIGHTNESS)
    page.get_by_role("button", name="Invert").click()
    settled(page)
    assert page.evaluate(BRIGHTNESS) == pytest.approx(255 - plain, abs=1)
    page.get_by_role("button", name="Reset").click()
    box = page.locator("#scan-canvas").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 320, steps=6)
    page.mouse.up()
    settled(page)
    assert page.evaluate(BRIGHTNESS) > plain + 20, "a lower level is a brighter picture"
    page.locator("#scan-canvas").dblclick()
    settled(page)
    assert page.evaluate(BRIGHTNESS) == pytest.approx(plain, abs=0.5)


def test_the_overlay_hides_while_the_key_is_held_and_fades_with_its_sliders(read_case, page):
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    settled(page)
    shown = page.evaluate(OPAQUE, "heat-canvas")
    page.keyboard.down("h")
    settled(page)
    assert page.evaluate(OPAQUE, "heat-canvas") == 0
    page.keyboard.up("h")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.locator("#threshold").fill("80")
    settled(page)
    assert 0 < page.evaluate(OPAQUE, "heat-canvas") < shown
    page.keyboard.press("g")
    expect(page.locator("#colour-bar")).to_be_hidden()


def test_the_pieces_of_a_real_explanation_are_those_it_was_made_with(read_case, page, keep):
    page.keyboard.press("l")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.keyboard.press("o")
    page.wait_for_selector("#piece-outlines g path")
    pieces = int(Explanation.objects.filter(method="lime").first().parameters["superpixels"])
    expect(page.locator("#piece-outlines g path")).to_have_count(pieces)
    page.keyboard.press("p")
    expect(page.locator("#piece-said")).to_contain_text(f"Piece 1 of {pieces}")
    expect(page.locator("#piece-list button")).to_have_count(8)
    keep("case-lime-pieces")
    page.keyboard.press("u")
    page.wait_for_selector("#used-canvas[data-overlay]")
    keep("case-lime-used")


def test_one_methods_heat_never_stands_under_another_methods_name(read_case, page):
    page.keyboard.press("g")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    page.evaluate(HOLD_FETCHES)
    page.keyboard.press("l")
    expect(page.locator("#trust")).to_contain_text("LIME")
    settled(page)
    assert page.evaluate("held.length") > 0, "LIME's heat is on its way"
    assert page.evaluate(OPAQUE, "heat-canvas") == 0, "Grad-CAM is gone before LIME has come"
    expect(page.locator("#colour-bar")).to_be_hidden()
    page.evaluate("letGo()")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    expect(page.locator("#bar-unit")).to_contain_text("change in the probability")


def test_a_volume_opens_at_a_frame_that_was_read_and_shows_which_were(
    models, case, alice, run_jobs, log_in, page, keep
):
    heads = volume(sample_spec(np.random.default_rng(3), label="ventriculomegaly"), seed=3)
    intake.receive(case, ContentFile(heads.nifti()), modality="mri", by=alice, file_name="head.nii")
    run_jobs()
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    read = page.evaluate("JSON.parse(document.getElementById('frames-read').textContent)")
    assert int(page.locator("#scan-canvas").get_attribute("data-frame")) in read
    assert page.locator("#frame-marks rect").count() == len(read)
    page.keyboard.press("l")
    page.wait_for_selector("#heat-canvas[data-overlay]")
    expect(page.locator("#bar-unit")).to_contain_text("change in the probability")
    keep("case-volume")
    page.locator("#frame").fill("1")
    expect(page.locator("#readout")).to_contain_text("LIME did not read this frame")
    page.get_by_text("Ask the models about other frames").click()
    page.get_by_role("button", name="Add the frame shown").click()
    expect(page.get_by_label("Frames, from 1")).to_have_value("1")


def test_a_scan_that_is_not_analysable_says_why(case, alice, models, run_jobs, log_in, page, keep):
    intake.receive(case, ContentFile(grey_png()), modality="ultrasound", by=alice, file_name="grey.png")
    run_jobs()
    log_in(alice)
    page.goto(case.get_absolute_url())
    expect(page.locator("#live")).to_contain_text("Not analysable")
    expect(page.locator("#live .notice:not(#call, .experimental)").first).to_contain_text("blank")
    keep("case-refused")


def test_without_scripts_the_form_still_uploads(
    case, alice, phantom_png, chromium, site, log_in, page, tmp_path
):
    (tmp_path / "head.png").write_bytes(phantom_png())
    log_in(alice)
    context = chromium.new_context(
        base_url=site, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(case.get_absolute_url())
    plain.get_by_label("Ultrasound").check()
    plain.get_by_label("Drop files here").set_input_files(tmp_path / "head.png")
    plain.get_by_role("button", name="Upload").click()
    plain.wait_for_url("**?scan=1")
    context.close()
    assert case.scans.count() == 1


def test_a_whole_folder_of_pictures_is_shown_before_it_is_added(
    case, alice, phantom_png, log_in, page, tmp_path
):
    (tmp_path / "series" / "inner").mkdir(parents=True)
    for name, seed in (("series/a.png", 1), ("series/inner/b.png", 2)):
        (tmp_path / name).write_bytes(phantom_png(seed=seed))
    (tmp_path / "series" / "notes.txt").write_text("no picture")
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.get_by_label("Ultrasound").check()
    page.get_by_label("or a whole folder").set_input_files(tmp_path / "series")
    expect(page.locator("#understood")).to_contain_text("notes.txt")
    assert page.locator("#understood strong").all_inner_texts() == ["One scan", "One scan", "Left out"]
    page.get_by_role("button", name="Add to the case").click()
    page.wait_for_url("**?scan=1")
    assert Scan.objects.count() == 2


def test_two_maps_are_compared_by_a_split(read_case, page, keep):
    page.locator(".answer").first.get_by_role("button", name="Grad-CAM").click()
    page.wait_for_selector("#heat-canvas[data-overlay]")
    halves = """(side) => { const canvas = document.getElementById("heat-canvas");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let sum = 0; for (let i = 0; i < data.length; i += 4) {
            const isLeft = (i / 4) % canvas.width < canvas.width / 2 - 2;
            if (isLeft === (side === "left")) sum += data[i] + 3 * data[i + 1] + 7 * data[i + 2]; }
        return sum; }"""
    before = [page.evaluate(halves, side) for side in ("left", "right")]
    page.get_by_label("Compare with").select_option(index=2)
    page.wait_for_function("document.getElementById('split-field').hidden === false")
    page.wait_for_function(f"before => ({halves})('right') !== before", arg=before[1])
    assert page.evaluate(halves, "left") == before[0]
    keep("case-compared")


def test_presets_change_the_greys_and_reset_brings_them_back(read_case, page):
    page.wait_for_selector("#scan-canvas[data-frame]")
    own = page.evaluate(BRIGHTNESS)
    page.get_by_label("Greys").select_option("fluid")
    settled(page)
    assert page.evaluate(BRIGHTNESS) != own
    page.get_by_role("button", name="Reset").click()
    settled(page)
    assert page.evaluate(BRIGHTNESS) == own
