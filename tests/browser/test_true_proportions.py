"""Pixels that are not square, in a real browser: a disc is round, and 30 mm are 30 mm in every direction."""

import base64
import io
import re

import numpy as np
import pytest
from corpus.discs import DIAMETER, DISC, GROUND, KINDS, roundness
from django.core.files.base import ContentFile
from PIL import Image
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from cases import intake
from cases.models import Measurement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKED_AT = ("PixelSpacing 1:1.25", "PixelSpacing 1:2", "PixelSpacing 1.5:1", "regions", "JPEG density")
ROUND = pytest.approx(1.0, rel=0.015)
SHOW_WORDS = """(shown) => { for (const part of document.querySelectorAll("#screen > :not(canvas)"))
    part.style.visibility = shown ? "" : "hidden"; }"""


def grey_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def screen(page: Page) -> np.ndarray:
    """What the viewer shows, without its words."""
    page.evaluate(SHOW_WORDS, False)
    shot = page.locator("#screen").screenshot()
    page.evaluate(SHOW_WORDS, True)
    return grey_of(shot)


def measured(page: Page, start: tuple[float, float], end: tuple[float, float]) -> float:
    """Draw a caliper between two places of the screen, (x, y), and read its length."""
    page.keyboard.press("2")
    box = page.locator("#screen").bounding_box() or {}
    for (x, y), move in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(box["x"] + x, box["y"] + y)
        move()
    return float(page.locator("#caliper-length").inner_text().split()[0])


def opened(page: Page, case, number: int) -> None:
    page.goto(f"{case.get_absolute_url()}?scan={number}")
    page.wait_for_selector("#scan-canvas[data-frame]")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture
def discs(case, alice):
    """One scan of each kind, in the order of LOOKED_AT."""
    for kind in LOOKED_AT:
        one = KINDS[kind]
        file = ContentFile(one.file, name=one.name)
        intake.receive(case, file, modality=one.modality, by=alice, file_name=one.name)
    return case


def test_a_disc_is_round_and_measures_the_same_in_every_direction_wherever_it_is_drawn(
    discs, alice, log_in, page, client_of, keep
):
    log_in(alice)
    for number, kind in enumerate(LOOKED_AT, start=1):
        opened(page, discs, number)
        shown = screen(page)
        assert roundness(shown) == ROUND, kind
        rows, columns = np.nonzero(shown > (GROUND + DISC) / 2)
        middle, radius = (columns.mean() + 0.5, rows.mean() + 0.5), 2 * np.std(columns)
        found = [
            measured(page, *(tuple(middle + sign * radius * way) for sign in (-1, 1)))
            for way in (np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.6, 0.8]))
        ]
        true = DIAMETER if KINDS[kind].scale else DIAMETER / min(KINDS[kind].spacing)
        assert found == [pytest.approx(true, rel=0.015)] * 3, kind
        words = "mm a pixel (across × down)" if KINDS[kind].scale else "(across : down)"
        assert words in page.locator("#readout").inner_text()
        page.locator("#caliper").get_by_role("button", name="Store", exact=True).click()
        expect(page.locator("#caliper")).to_be_hidden()
        page.keyboard.press("Escape")
    lengths = Measurement.objects.order_by("created_at").values_list("length_mm", flat=True)
    assert [*lengths[:4]] == [pytest.approx(DIAMETER, rel=0.015)] * 4
    assert lengths[4] is None
    keep("disc-jpeg-density")
    for picture in page.locator(".thumb img").all():
        assert roundness(inside(picture.get_attribute("src") or "")) == ROUND
    page.goto(f"{discs.get_absolute_url()}report/")
    for figure in page.locator(".report-pictures img").all():
        assert roundness(grey_of(figure.screenshot())) == ROUND
    keep("disc-report")
    paper = client_of(alice).get(f"{discs.get_absolute_url()}report.pdf").content
    assert [*on_paper(paper)] == [ROUND] * len(LOOKED_AT)


def test_what_lies_over_the_scan_moves_with_it(discs, alice, log_in, page):
    log_in(alice)
    opened(page, discs, 2)
    for _ in range(2):
        page.locator("#nearer").click()
    scan, heat, used = (page.locator(f"#{name}-canvas").bounding_box() for name in ("scan", "heat", "used"))
    assert scan == heat == used
    page.locator("#reset").click()
    assert roundness(screen(page)) == ROUND


def inside(address: str) -> np.ndarray:
    return grey_of(base64.b64decode(address.split(",")[1]))


def on_paper(pdf: bytes):
    """How round the disc of each picture of a PDF is, as large as it is printed."""
    for page in PdfReader(io.BytesIO(pdf)).pages:
        content = page.get_contents().get_data().decode("latin-1")
        placed = re.findall(r"([\d.]+) 0 0 ([\d.]+) [\d.]+ [\d.]+ cm\s*/(\S+) Do", content)
        pictures = {name.strip("/"): picture for name, picture in page.images.items()}
        for width, height, name in placed:
            grey = np.asarray(pictures[name].image.convert("L"))
            rows, columns = grey.shape
            yield roundness(grey) * (float(height) / rows) / (float(width) / columns)
