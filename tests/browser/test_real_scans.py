"""A handful of real scans in a real browser; tests/journeys takes all of them through page and API."""

from pathlib import Path

import long
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.data]

IN_THE_BROWSER = 3 if long.is_asked() else 1  # ultrasound pictures, one of each kind


def ultrasound(folder: Path) -> list[Path]:
    return sorted((folder / "ultrasound").rglob("*.jpg"))


def volumes(folder: Path) -> list[Path]:
    return sorted((folder / "mri").rglob("srr.nii.gz"))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_handful_of_them_in_the_browser(data_dir, models, case, alice, run_jobs, log_in, page, keep):
    kinds = sorted({path.parent for path in ultrasound(data_dir)})
    chosen = [(sorted(kind.glob("*.jpg"))[0], "Ultrasound") for kind in kinds[:IN_THE_BROWSER]]
    chosen.append((volumes(data_dir)[0], "MRI"))
    log_in(alice)
    for number, (path, modality) in enumerate(chosen, start=1):
        page.goto(case.get_absolute_url())
        if number > 1:
            page.get_by_text("Add scans").click()
        page.get_by_role("radio", name=modality).check()
        page.get_by_label("Drop files here").set_input_files(path)
        page.get_by_role("button", name="Upload").click()
        page.wait_for_url(f"**?scan={number}", timeout=60_000)
        run_jobs()
        expect(page.locator("#live[data-over]")).to_be_visible(timeout=20_000)
        if page.locator(".show-overlay").count():
            page.locator("#methods").get_by_role("button", name="Grad-CAM").click()
            page.wait_for_selector("#heat-canvas[data-overlay]")
        else:
            expect(page.locator("#live")).to_contain_text("Not analysable")
        keep(f"real-{modality.lower()}-{number}")
