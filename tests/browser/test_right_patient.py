"""A file of another patient is refused at the drop, taken with a reason, and a wrong scan is withdrawn."""

import pytest
from corpus.dicoms import file
from corpus.pictures import noise
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHY = "Registered twice."


def test_another_patients_file_is_taken_with_a_reason_and_withdrawn_again(
    models, case, alice, log_in, page, tmp_path, forgiven, keep
):
    forgiven.append("422 (Unprocessable Entity)")
    (tmp_path / "other.dcm").write_bytes(file(noise(128, 128), PatientID="P-2", AccessionNumber="A-77"))
    log_in(alice)
    page.goto(case.get_absolute_url())
    page.get_by_label("MRI").check()
    page.get_by_label("Drop files here").set_input_files(tmp_path / "other.dcm")
    page.get_by_role("button", name="Upload").click()
    outcome = page.locator("#outcomes li")
    expect(outcome).to_contain_text("The file is of patient P-2, the case of P-1.")
    keep("upload-patient-mismatch")
    assert not case.scans.exists()
    outcome.get_by_role("button", name="Add it all the same").click()
    assert not case.scans.exists(), "without a reason nothing is sent"
    outcome.get_by_label("It belongs here, because").fill(WHY)
    outcome.get_by_role("button", name="Add it all the same").click()
    page.wait_for_url("**?scan=1")
    expect(page.locator("#patient-mismatch")).to_contain_text(f"Taken by alice: {WHY}")
    page.get_by_text("About this scan").click()
    expect(page.locator("dl.facts").filter(has_text="Accession number")).to_contain_text("A-77")
    page.get_by_role("link", name="Withdraw this scan").click()
    page.get_by_label("Another patient's scan").check()
    page.get_by_label("In your own words").fill("It was hers after all.")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#withdrawn-scans")).to_contain_text("Withdrawn: Another patient's scan: It was hers")
    keep("case-withdrawn-scan")
