"""Proposed calipers in a real browser: seen on the scan, moved, confirmed, signed; and refused in words."""

import csv
from pathlib import Path

import numpy as np
import pytest
from conftest import PASSWORD, seat_shipped
from corpus.dicoms import file
from dragging import PLACE
from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import Department, User
from cases import services
from cases.models import Case, Measurement, ReadingRules, SignOff
from cases.review.proposals import origin_of

pytestmark = [pytest.mark.browser, pytest.mark.data, pytest.mark.django_db(transaction=True)]
FARTHER = 6.0
"""Pixels of the scan by which the outer end is moved."""


@pytest.fixture
def real(data_dir) -> Path:
    if not (data_dir / "hc18").is_dir() or not (data_dir / "fetal_planes").is_dir():
        pytest.skip("The folder of real scans has no heads with a scale, or no other planes.")
    return data_dir


def head(folder: Path, least_mm: float) -> tuple[Path, float]:
    """The first head of at least this circumference, with its mm a pixel."""
    with (folder / "hc18" / "labels.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if float(row["head_circumference_mm"]) >= least_mm]
    row = min(rows, key=lambda one: float(one["head_circumference_mm"]))
    return folder / "hc18" / row["file"], float(row["pixel_mm"])


def dicom(picture: Path, mm: float | None) -> bytes:
    """As a scanner would send it, with its PixelSpacing."""
    pixels = np.asarray(Image.open(picture).convert("L"))
    spacing = {} if mm is None else {"PixelSpacing": [mm, mm]}
    return file(pixels, modality="US", **spacing)


def upload(page: Page, case: Case, content: bytes, folder: Path, run_jobs) -> None:
    (folder / "scan.dcm").write_bytes(content)
    page.goto(case.get_absolute_url())
    page.get_by_role("radio", name="Ultrasound").check()
    page.get_by_label("Drop files here").set_input_files(folder / "scan.dcm")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**?scan=1", timeout=60_000)
    run_jobs()


def opened(by: User, department: Department, days: int | None) -> Case:
    found, _ = services.open_case(
        by=by, department=department, patient_id=f"P-{days}", gestational_age_days=days
    )
    return found


@pytest.fixture
def reader_first(department) -> None:
    """One reader reads blind, and again, and signs."""
    rules = {"mode": ReadingRules.Mode.READER_FIRST, "second_reader": ReadingRules.SecondReader.NEVER}
    ReadingRules.objects.filter(department=department).update(**rules)


@pytest.mark.usefixtures("reader_first")
def test_a_head_with_its_scale_is_measured_moved_confirmed_and_signed(
    real, case, alice, run_jobs, log_in, page, keep, tmp_path
):
    seat_shipped({"atrium"})
    log_in(alice)
    upload(page, case, dicom(*head(real, 225)), tmp_path, run_jobs)
    page.reload()
    page.wait_for_selector("#scan-canvas[data-frame]")
    expect(page.locator("#live")).to_contain_text("Hidden until your read is filed")
    expect(page.locator("#marks .proposal")).to_have_count(0)
    assert "± " not in page.content()
    read(page, "File blind read")

    expect(page.locator("#biometry")).to_contain_text("Head circumference")
    expect(page.locator("#biometry")).to_contain_text("by Hadlock et al. 1984")
    answer = page.locator(".answer[data-network=atrium]")
    expect(answer).to_contain_text("scale: stated by the file")
    expect(answer).to_contain_text("proposed, not confirmed")
    expect(page.locator("#marks .proposal text").first).to_contain_text("mm, proposed, not confirmed")
    keep("calipers-proposed")

    first = answer.locator(".proposed").first
    first.get_by_role("button", name="Check").click()
    form = page.locator("#caliper")
    expect(form).to_be_visible()
    expect(page.locator("#caliper-words")).to_contain_text("Proposed: drag an end")
    move_outer_end(page)
    form.get_by_role("button", name="Plane confirmed").click()
    keep("calipers-checked")
    form.get_by_role("button", name="Store as left").click()
    expect(page.locator("#findings")).to_contain_text("Confirmed from a proposal of atrium")
    expect(first).to_contain_text("confirmed")
    expect(first.get_by_role("button", name="Check")).to_have_count(0)
    one = Measurement.objects.get()
    origin = origin_of(one)
    assert origin.moved_px == pytest.approx(FARTHER, abs=1.5)
    assert one.length_mm is not None

    read(page, "File final read")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Sign as").click()
    expect(page.locator("#desk")).to_contain_text("Signed by alice")
    (kept,) = SignOff.objects.get().content["scans"][0]["measurements"]
    assert kept["proposal"]["moved_mm"] == pytest.approx(origin.moved_mm)
    page.goto(f"{case.get_absolute_url()}report/")
    expect(page.locator(".report")).to_contain_text("Confirmed from a proposal of atrium")
    keep("calipers-report")


def read(page: Page, button: str) -> None:
    page.locator("#desk").get_by_label("Normal", exact=True).check()
    page.locator("#desk").get_by_role("button", name=button).click()
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("#scan-canvas[data-frame]")


def move_outer_end(page: Page) -> None:
    """Take the end of the caliper that is being checked, and draw it out along its own line."""
    drawn = page.locator("#marks .pending line")
    x1, y1, x2, y2 = (float(drawn.get_attribute(name) or "nan") - 0.5 for name in ("x1", "y1", "x2", "y2"))
    length = float(np.hypot(x2 - x1, y2 - y1))
    there = (y2 + FARTHER * (y2 - y1) / length, x2 + FARTHER * (x2 - x1) / length)
    for move, place in ((page.mouse.down, (y2, x2)), (page.mouse.up, there)):
        page.mouse.move(*page.evaluate(PLACE, list(place)))
        move()


def test_an_abdomen_and_a_head_of_14_weeks_are_refused_in_words(
    real, department, alice, run_jobs, log_in, page, keep, tmp_path
):
    seat_shipped({"atrium"})
    log_in(alice)
    abdomen = sorted((real / "fetal_planes" / "abdomen").glob("*.jpg"))[0]
    upload(page, opened(alice, department, 154), dicom(abdomen, None), tmp_path, run_jobs)
    page.reload()
    expect(page.locator(".answer")).to_contain_text("This does not look like a fetal head")
    expect(page.locator(".proposed")).to_have_count(0)
    keep("calipers-abdomen")
    upload(page, opened(alice, department, 98), dicom(*head(real, 95)), tmp_path, run_jobs)
    page.reload()
    expect(page.locator(".answer")).to_contain_text("younger than 18 weeks")
    expect(page.locator(".answer")).to_contain_text("too_early")
    keep("calipers-too-early")
