"""A newcomer gives the page a folder with two series, a report and a text file, and gets what it promised."""

import pytest
from corpus import series
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_folder_becomes_what_the_page_promised(case, alice, log_in, page, tmp_path, keep):
    for name, content in series.folder().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.get_by_label("MRI").check()
    page.get_by_label("or a whole folder").set_input_files(tmp_path / "study")
    page.wait_for_url("**/uploads/**")
    lines = page.locator("#understood tbody tr")
    for number, words in enumerate(
        (
            ("Series 3, T2 coronal", "6 slices, one volume"),
            ("Series 4, T2 sagittal", "4 slices, one volume"),
            ("notes.txt", "Left out"),
            ("Report", "Left out", "a structured report"),
            ("Series 1, localiser", "Left out"),
        )
    ):
        for one in words:
            expect(lines.nth(number)).to_contain_text(one)
    keep("upload-understood")
    assert not case.scans.exists()
    page.get_by_role("button", name="Add to the case").click()
    page.wait_for_url("**?scan=1")
    assert [(scan.image.frames, scan.files.count()) for scan in case.scans.all()] == [(6, 6), (4, 4)]
