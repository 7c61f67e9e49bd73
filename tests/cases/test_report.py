"""The report: a PDF and a page to print, which say the same."""

import io

import answers
import pytest
from conftest import PASSWORD
from pypdf import PdfReader

from audit.models import Event
from cases.models import SignOff
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(case, alice, small_scan, tmp_path):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    answers.explanation(answers.answer(Job.objects.get(image=scan.image)), method="gradcam")
    return case


def text_of(client, case) -> str:
    response = client.get(f"/cases/{case.pk}/report.pdf")
    assert response["Content-Type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(response.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_a_draft_says_that_nobody_has_signed(answered, alice, client_of):
    client = client_of(alice)
    text = text_of(client, answered)
    page = client.get(f"/cases/{answered.pk}/report/").content.decode()
    for shown in (text, page):
        assert "Not signed: this is a draft" in shown
        assert "Research and decision support, not a cleared device." in shown
        assert "ventriculomegaly, 0.75" in shown
        assert "Grad-CAM for ventriculomegaly" in shown
    assert Event.objects.filter(verb="case.reported", thread=answered.thread).count() == 2


def test_a_signed_report_carries_finding_name_and_hash(answered, alice, client_of):
    client = client_of(alice)
    sent = {
        "kind": "final",
        "finding": "ventriculomegaly",
        "laterality": "left",
        "note": "Left <atrium> wide.",
    }
    client.post(f"/cases/{answered.pk}/reads/", sent)
    client.post(f"/cases/{answered.pk}/sign/", {"password": PASSWORD})
    client.post(f"/cases/{answered.pk}/addenda/", {"text": "Seen again.", "password": PASSWORD})
    text = text_of(client, answered)
    assert "Ventriculomegaly, left" in text
    assert "Left <atrium> wide." in text
    assert SignOff.objects.get().content_sha256[:40] in text.replace(" ", "")
    assert "Seen again." in text
    assert "draft" not in text


def test_a_stranger_gets_no_report(answered, charlie, client_of):
    assert client_of(charlie).get(f"/cases/{answered.pk}/report.pdf").status_code == 404
