"""The report: a PDF and a page to print, which say the same."""

import io
import json
from dataclasses import replace
from pathlib import Path

import answers
import numpy as np
import pages
import pytest
from conftest import PASSWORD
from django.core.files.storage import storages
from PIL import Image as Pillow
from pypdf import PdfReader

from accounts.models import Department, User
from audit.models import Event
from blobs import store
from cases import verification
from cases.models import Case, Measurement, ReadingRules, SignOff, Withdrawal
from cases.report.signed import report_of
from cases.report.verification import signed_faults
from cases.report.words import Report
from cases.viewer.pixels import CALIPER
from digests import canonical_json, sha256_hex
from inference.jobs import state as jobs
from inference.models import Job
from inference.registry import service as registry
from inference.results.store import digest

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
    pages.file_read(client, answered, **sent)
    pages.sign(client, answered, PASSWORD)
    client.post(f"/cases/{answered.pk}/addenda/", {"text": "Seen again.", "password": PASSWORD})
    text = text_of(client, answered)
    assert "Ventriculomegaly, left" in text
    assert "Left <atrium> wide." in text
    assert SignOff.objects.get().content_sha256[:40] in text.replace(" ", "")
    assert "Seen again." in text
    assert "draft" not in text


def test_nothing_is_signed_while_the_pictures_cannot_be_reached(answered, alice, client_of):
    client = client_of(alice)
    pages.file_read(client, answered, kind="final", finding="ventriculomegaly")
    folder = Path(storages["blobs"].location)
    away = folder.rename(folder.with_name("away"))
    assert pages.sign(client, answered, PASSWORD).status_code == 503
    assert not SignOff.objects.exists()
    away.rename(folder)
    pages.sign(client, answered, PASSWORD)
    pictures = [one["sha256"] for scan in SignOff.objects.get().content["scans"] for one in scan["pictures"]]
    assert pictures
    assert all(pictures)


def test_a_stranger_gets_no_report(answered, charlie, client_of):
    assert client_of(charlie).get(f"/cases/{answered.pk}/report.pdf").status_code == 404


POINTS = {"frame": 0, "start_row": 10, "start_column": 10, "end_row": 10, "end_column": 22}


@pytest.fixture
def signed(answered, alice, client_of):
    """Signed with one measurement; its model says ventriculomegaly, and so does the reader."""
    client = client_of(alice)
    measured = {"tool": "atrial_width", "side": "left", **POINTS}
    client.post(f"/scans/{answered.scans.get().pk}/measurements/", measured)
    pages.file_read(client, answered, kind="final", finding="ventriculomegaly")
    pages.sign(client, answered, PASSWORD)
    return answered


def printed(case, user) -> Report:
    """All but the time at which it was taken."""
    return replace(report_of(Case.objects.get(pk=case.pk), user), made="")


def test_what_is_printed_is_what_was_signed_whatever_comes_later(
    signed, alice, bob, department, tmp_path, client_of
):
    before = printed(signed, alice)
    assert before.later == []
    image = signed.scans.get().image
    later = answers.active_version(tmp_path, version="9", network="vgg16")
    job = jobs.submit(Job.Kind.PREDICT, image=image, model_version=later, requested_by=None)
    answers.explanation(answers.answer(job, label="normal"), method="gradcam")
    Department.objects.filter(pk=department.pk).update(name="Renamed")
    User.objects.filter(pk=alice.pk).update(first_name="Another", last_name="Name")
    ReadingRules.objects.filter(department=department).update(severity_scheme="two-step")

    now = printed(signed, alice)

    assert replace(now, later=[]) == before
    assert printed(signed, bob) == now
    assert "vgg16 9: normal, 0.25" in now.later[0]
    page = client_of(bob).get(signed.get_absolute_url()).content.decode()
    assert page.count("after the signature") == 1
    for shown in (text_of(client_of(bob), signed), report_page(client_of(bob), signed)):
        signed_part, _, after = shown.partition("After the signature")
        assert "vgg16 9" not in signed_part
        assert "vgg16 9: normal, 0.25" in after
        assert "No part of what was signed." in after
    assert list(verification.faults()) == []


def report_page(client, case) -> str:
    return client.get(f"/cases/{case.pk}/report/").content.decode()


def test_the_signature_keeps_the_pictures_with_their_calipers(signed, alice):
    content = SignOff.objects.get().content
    (scan,) = content["scans"]
    frame, heat = scan["pictures"]
    assert (frame["measurements"], heat["map"]["method"]) == ([1], "gradcam")
    kept = [store.read(one["sha256"]) for one in scan["pictures"]]
    assert [one.png for one in printed(signed, alice).scans[0].pictures] == kept
    yellow = np.asarray(Pillow.open(io.BytesIO(kept[0])).convert("RGB")) == CALIPER
    assert yellow.all(axis=2).sum() > 40
    caption = printed(signed, alice).scans[0].pictures[1].caption
    assert caption.endswith("By cnn 0, which calls the scan ventriculomegaly.")


def test_a_damaged_picture_is_named_and_the_rest_is_printed(signed, alice, client_of):
    (frame, _) = SignOff.objects.get().content["scans"][0]["pictures"]
    answers.damage(frame["sha256"])
    assert "The picture cannot be shown: its stored bytes are damaged." in text_of(client_of(alice), signed)
    assert list(store.corrupt()) == [f"blob {frame['sha256']} has changed"]


def unmarked(found: Report) -> tuple[list, list]:
    """Scans and finding of a report from before anything was marked experimental."""
    mark = " Experimental: do not rely on it."
    scans = [
        replace(
            one, answers=[(who, f"{said}".replace(f".{mark}", ""), sha) for who, said, sha in one.answers]
        )
        for one in found.scans
    ]
    facts = [(name, said.replace(mark, "")) for name, said in found.finding if "Reliance" not in name]
    return scans, facts


def test_a_signature_of_the_earlier_form_is_printed_as_it_stood_and_says_so(
    signed, alice, tmp_path, intruder, client_of
):
    former = {
        "case": signed.number,
        "scans": [{"number": 1, "sha256": signed.scans.get().original_sha256}],
        "reads": [{"id": str(one.pk), "kind": one.kind, "digest": digest(one)} for one in signed.reads.all()],
        "measurements": [{"id": str(one.pk), "digest": digest(one)} for one in Measurement.objects.all()],
        "finding": "ventriculomegaly",
        "severity_scheme": "smfm-45",
        "reading_mode": "concurrent",
    }
    before = printed(signed, alice)
    sql = "UPDATE cases_signoff SET content = %s, content_sha256 = %s"
    intruder(sql, [json.dumps(former), sha256_hex(canonical_json(former))])
    version = answers.active_version(tmp_path, version="9", network="vgg16")
    image = signed.scans.get().image
    answers.answer(jobs.submit(Job.Kind.PREDICT, image=image, model_version=version, requested_by=None))

    now = printed(signed, alice)

    assert (now.scans, now.finding, now.reads) == (*unmarked(before), before.reads)
    assert "Signed under an earlier form of the record" in text_of(client_of(alice), signed)
    assert len(now.later) == 1
    assert list(signed_faults()) == []


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE cases_measurement SET length_mm = 58.2", "measurement {measurement} was changed"),
        ("UPDATE cases_read SET finding = 'normal'", "read {read} was changed"),
        ("UPDATE cases_scan SET file_name = 'other.png'", "scan {scan} was changed"),
        ("UPDATE inference_image SET row_spacing = 2", "image {image} was changed"),
        ("UPDATE inference_prediction SET probability = 0.1", "prediction {prediction} was changed"),
        ("UPDATE cases_case SET gestational_age_days = 200", "gestational_age_days was 171 and is 200"),
        ("UPDATE cases_patient SET patient_id = 'P-2'", "patient_id was 'P-1' and is 'P-2'"),
        ("DELETE FROM cases_measurement", "measurement {measurement} is gone"),
        (
            "INSERT INTO cases_withdrawal (id, measurement_id, withdrawn_by_id, reason)"
            " SELECT gen_random_uuid(), id, made_by_id, 'late' FROM cases_measurement",
            "withdrawal {withdrawal} was added",
        ),
    ],
)
def test_verify_compares_what_is_printed_with_what_was_signed(signed, intruder, sql, fault):
    keys = {
        "measurement": Measurement.objects.get().pk,
        "read": signed.reads.get().pk,
        "scan": signed.scans.get().pk,
        "image": signed.scans.get().image_id,
        "prediction": Job.objects.get(kind="predict").answer.pk,
    }
    assert list(signed_faults()) == []
    intruder(sql)
    keys["withdrawal"] = getattr(Withdrawal.objects.first(), "pk", "")
    told = f"case {signed.number} is not what was signed: {fault.format(**keys)}"
    assert told in list(signed_faults())
    assert told in list(verification.faults())


def test_page_list_and_api_say_of_a_signed_case_what_was_signed(signed, alice, tmp_path, client_of, api):
    """Another version says the opposite, and the one that was asked then is retired."""

    def said() -> tuple:
        client, address = client_of(alice), f"/api/v1/cases/{signed.pk}/reading/"
        shown = client.get(signed.get_absolute_url()).context["panel"].called
        (line,) = client.get("/?stage=any").context["page"].lines
        return shown.content(), line.verdict, api(alice).get(address).json()["call"]

    before = said()
    assert before[0]["label"] == "ventriculomegaly"
    image = signed.scans.get().image
    later = answers.active_version(tmp_path, version="9", network="vgg16")
    job = jobs.submit(Job.Kind.PREDICT, image=image, model_version=later, requested_by=None)
    answers.answer(job, label="normal")
    registry.retire(
        Job.objects.filter(kind="predict").earliest("created_at").model_version, by=None, reason="x"
    )
    assert said() == before
