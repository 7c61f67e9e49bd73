"""Advice on the page: what, why, where in the picture; answered with a button, and with axe content."""

import numpy as np
import pytest
from accessibility import complaints
from playwright.sync_api import expect

from cases.advice import service as advice_service
from cases.models import AdviceAnswer
from inference.models import Job
from inference.phantom import Defects, render, sample_spec

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def dark_patch(case, alice, add_scan, run_jobs):
    """A case with one MRI slice that lost its signal in one place."""
    spec = sample_spec(np.random.default_rng(4), label="ventriculomegaly")
    png = render(spec, "mri", seed=2, defects=Defects(shadow=1.0)).png()
    add_scan(case, alice, look="mri", content=png)
    run_jobs(lime=False)
    Job.objects.filter(state=Job.State.QUEUED).update(state=Job.State.CANCELLED)
    advice_service.give(case)
    return case


def test_a_technologist_sees_why_and_where_and_says_what_became_of_it(
    dark_patch, alice, log_in, page, keep, forgiven
):
    forgiven.append("422")
    log_in(alice)
    page.goto(dark_patch.get_absolute_url())
    page.wait_for_selector("#scan-canvas[data-frame]")
    advice = page.locator("#advice")
    mend = advice.locator(".suggestion", has_text="mending what is named here")
    expect(mend).to_contain_text("A patch of the brain is dark")
    expect(mend).to_contain_text("rule mri-void")
    expect(page.locator("#marks .advised rect")).to_have_count(1)
    mend.scroll_into_view_if_needed()
    keep("advice")
    assert complaints(page) == []
    mend.get_by_text("What became of it?").click()
    mend.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("Say in a few words why it is not done.")).to_be_visible()
    expect(mend.get_by_label("Reason, if not done")).to_be_focused()
    mend.get_by_label("Reason, if not done").fill("The examination is over.")
    mend.get_by_role("button", name="Decline").click()
    page.wait_for_load_state("networkidle")
    assert AdviceAnswer.objects.get().reason == "The examination is over."
    expect(mend).to_have_count(0)
    keep("advice-answered")
