"""Split models and a width whose plane nobody confirmed: what the page, the list and the report say."""

from pathlib import Path

import answers
import numpy as np
import pytest
from dragging import drag
from playwright.sync_api import Page, expect

from cases.models import AtriumStatement, Case, Measurement
from inference.models import Job
from inference.phantom import render, sample_spec

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LENGTH = """async () => {
    const { lengthWords } = await import("/static/js/viewer/scale.js");
    return lengthWords({ spacing: [2, 0.5], regions: [], aspect: 4 }, 0, [0, 0], [3, 4]); }"""


@pytest.fixture
def phantom():
    spec = sample_spec(np.random.default_rng(12), label="ventriculomegaly", gestational_age_days=26 * 7)
    return render(spec, "ultrasound", seed=12)


@pytest.fixture
def split(case, alice, add_scan, phantom, tmp_path) -> Case:
    """Three networks say ventriculomegaly; one says normal, and so does the combined answer."""
    for network in ("ensemble", "cnn", "modified_cnn", "resnet18", "vgg16"):
        answers.active_version(tmp_path, network=network)
    scan = add_scan(case, alice, content=phantom.png())
    for job in Job.objects.filter(image=scan.image):
        label = "normal" if job.model_version.network in {"ensemble", "vgg16"} else "ventriculomegaly"
        answers.answer(job, label=label)
    return case


def test_nobody_is_told_more_than_was_decided_and_confirmed(split, alice, phantom, log_in, page: Page, keep):
    log_in(alice)
    page.goto("/")
    expect(page.locator(".w-verdict")).to_contain_text("Undecided")
    page.goto(split.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    expect(page.locator("#call")).to_contain_text("The models: Undecided.")
    assert page.evaluate(LENGTH) == "6.3 mm", "PixelSpacing: mm between rows, then between columns"

    caliper = phantom.calipers[0]
    page.get_by_role("button", name="Atrial width").click()
    drag(page, caliper.inner, caliper.outer)
    form = page.locator("#caliper")
    expect(page.locator("#caliper-state")).to_contain_text("5 left")
    form.get_by_role("checkbox").first.check()
    expect(page.locator("#caliper-state")).to_contain_text("4 left")
    form.get_by_role("button", name="Store as left").click()
    expect(page.locator("#provisional")).to_contain_text("not confirmed in full")
    expect(page.locator("#marks .provisional")).to_have_count(1)
    assert Measurement.objects.get().length_mm == pytest.approx(phantom.atrial_width_mm[0], abs=0.3)

    right = page.locator(".atrium[data-side=right]")
    right.get_by_text("Not seen, because…").click()
    right.get_by_label("Why?").select_option("near_field")
    right.get_by_label("In your words").fill("Reverberation.")
    right.get_by_role("button", name="Store").click()
    expect(page.locator(".atrium[data-side=right]")).to_contain_text(
        "Hidden in the near field: Reverberation."
    )
    assert AtriumStatement.objects.get().side == "right"
    keep("undecided-and-provisional")

    page.goto(f"/cases/{split.pk}/report/")
    expect(page.locator(".report")).to_contain_text(
        "provisional: the measuring plane is not confirmed in full"
    )
    keep("undecided-and-provisional-report")
    folder = Path("test-output")
    folder.mkdir(exist_ok=True)
    paper = page.request.get(f"/cases/{split.pk}/report.pdf").body()
    (folder / "undecided-and-provisional.pdf").write_bytes(paper)
