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


def test_what_files_show_is_chosen_by_what_they_say_and_changed_by_hand(case, alice, log_in, page, tmp_path):
    slices = tmp_path / "slice.dcm"
    slices.write_bytes(series.slice_file(series.voxels(1)[0], 0))
    (tmp_path / "clip.mp4").write_bytes(bytes(100))
    log_in(alice)
    page.goto(case.get_absolute_url())
    mri, ultrasound = page.get_by_label("MRI"), page.get_by_label("Ultrasound")
    note = page.get_by_text("As the files say.")
    files = page.get_by_label("Drop files here, or choose them")
    expect(mri).not_to_be_checked()
    files.set_input_files(slices)
    expect(mri).to_be_checked()
    expect(note).to_be_visible()
    files.set_input_files(tmp_path / "clip.mp4")
    expect(ultrasound).to_be_checked()
    mri.check()
    expect(note).to_be_hidden()
    files.set_input_files([tmp_path / "clip.mp4"])
    expect(mri).to_be_checked()


def test_a_folder_of_mri_needs_no_word_of_what_it_shows(case, alice, log_in, page, tmp_path):
    for name, content in series.slice_files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.get_by_label("or a whole folder").set_input_files(tmp_path / "study")
    page.wait_for_url("**/uploads/**")
    expect(page.locator("#understood tbody tr")).to_contain_text("6 slices, one volume")
    expect(page.locator("main")).to_contain_text("MRI")
