"""A scan lands with its own patient, and what its file says of the study is kept in one place only."""

import json
import logging
from datetime import date

import pytest
from corpus.dicoms import file
from corpus.pictures import noise
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from pages import shown_now

from audit.models import Event
from blobs.models import Blob
from cases import services, verification
from cases.models import Case, Patient, Scan, ScanIdentity
from cases.review import service as review
from inference.models import Job

pytestmark = pytest.mark.django_db
STUDY = {
    "AccessionNumber": "ACC-5511",
    "StudyDate": "20261103",
    "StudyInstanceUID": "1.2.826.77.1",
    "SeriesInstanceUID": "1.2.826.77.2",
    "SOPInstanceUID": "1.2.826.77.3",
}
SAID_OF_THE_STUDY = {
    "accession_number": "ACC-5511",
    "study_date": "2026-11-03",
    "study_instance_uid": "1.2.826.77.1",
    "series_instance_uid": "1.2.826.77.2",
    "sop_instance_uid": "1.2.826.77.3",
}
WHY = "Registered twice; both numbers are hers."


def dicom(patient: str | None, seed: int = 1, **said: str) -> bytes:
    named = {} if patient is None else {"PatientID": patient}
    return file(noise(64, 72, seed=seed), **named, **{**STUDY, **said})


@pytest.fixture
def page(case, alice, client_of):
    """Upload as the page's script does, or its plain form: page(content, reason)."""
    client = client_of(alice)

    def send(content: bytes, reason: str = "", *, script: bool = True, name: str = "scan.dcm"):
        body = {"scans": SimpleUploadedFile(name, content), "modality": "mri", "mismatch_reason": reason}
        accept = "application/json" if script else "text/html"
        return client.post(f"/cases/{case.pk}/scans/", body, headers={"Accept": accept})

    return send


@pytest.fixture
def program(case, alice, api):
    """Upload as a program does: program(content, reason)."""

    def send(content: bytes, reason: str | None = None, name: str = "scan.dcm"):
        body = {"file": SimpleUploadedFile(name, content), "modality": "mri"}
        body |= {} if reason is None else {"mismatch_reason": reason}
        return api(alice).post(f"/api/v1/cases/{case.pk}/scans/", body)

    return send


@pytest.mark.parametrize(
    ("stated", "known", "same"),
    [
        ("P-1", "P-1", True),
        ("P-1 ", "P-1", True),
        ("  P-1", "P-1", True),
        ("p-1", "P-1", False),
        ("P- 1", "P-1", False),
        ("P-12", "P-1", False),
        ("P-1\\P-2", "P-1", False),
        ("", "P-1", True),
        (None, "P-1", True),
    ],
)
def test_a_patients_id_is_compared_as_the_standard_has_it(page, case, stated, known, same):
    assert case.patient.patient_id == known
    assert page(dicom(stated)).status_code == (201 if same else 422)


@pytest.mark.parametrize(
    ("stated", "known", "same"),
    [
        ("19900102", date(1990, 1, 2), True),
        ("1990.01.02", date(1990, 1, 2), True),
        ("19900103", date(1990, 1, 2), False),
        ("19900103", None, True),
        ("", date(1990, 1, 2), True),
        ("unknown", date(1990, 1, 2), True),
    ],
)
def test_birth_dates_are_compared_where_both_are_known(page, case, stated, known, same):
    Patient.objects.update(birth_date=known)
    answered = page(dicom("P-1", PatientBirthDate=stated))
    assert answered.status_code == (201 if same else 422)
    if not same:
        assert answered.json()["outcomes"][0]["code"] == "patient_mismatch"
        assert "birth date" in answered.json()["outcomes"][0]["sentence"]


def test_another_patients_file_is_refused_and_nothing_of_it_is_kept(page, program, case):
    refused = page(dicom("P-2"))
    (outcome,) = refused.json()["outcomes"]
    assert (refused.status_code, outcome["code"], outcome["scan"]) == (422, "patient_mismatch", None)
    assert outcome["sentence"].startswith("The file is of patient P-2, the case of P-1.")
    told = program(dicom("P-2"))
    assert (told.status_code, told.json()["code"]) == (422, "patient_mismatch")
    assert told.json()["mismatch"] == ["PatientID"]
    assert "P-2" in page(dicom("P-2"), script=False).content.decode()
    assert not Scan.objects.exists()
    assert not Blob.objects.exists()
    events = Event.objects.filter(verb="scan.refused")
    assert [event.detail["reason"] for event in events] == ["PatientID"] * 3


def test_with_a_reason_it_is_taken_and_the_reason_is_shown(page, case, alice, client_of):
    assert page(dicom("P-2"), "   ").status_code == 422
    assert page(dicom("P-2", PatientBirthDate="19900102"), WHY).status_code == 201
    kept = ScanIdentity.objects.get()
    assert (kept.mismatch, kept.reason, kept.patient_id) == (["PatientID"], WHY, "P-2")
    shown = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "The file of this scan names another patient" in shown
    assert f"Taken by alice: {WHY}" in shown
    event = Event.objects.get(verb="scan.mismatch_overridden")
    assert (event.thread, event.actor_name, event.detail["reason"]) == (case.thread, "alice", WHY)
    report = client_of(alice).get(f"/cases/{case.pk}/report/").content.decode()
    assert f"The file names another patient (PatientID). Taken by alice: {WHY}" in report
    assert list(verification.faults()) == []


def test_a_program_gives_its_reason_in_a_field_of_the_same_name(program, page):
    taken = program(dicom("P-2"), WHY)
    assert taken.status_code == 202
    assert taken.json()["identity"] == {
        **SAID_OF_THE_STUDY,
        "patient_id": "P-2",
        "patient_birth_date": None,
        "mismatch": ["PatientID"],
        "reason": WHY,
    }


def test_a_reason_that_nothing_calls_for_is_kept_nowhere(program):
    assert program(dicom("P-1"), WHY).json()["identity"]["reason"] == ""
    assert not Event.objects.filter(verb="scan.mismatch_overridden").exists()


def test_the_same_file_again_is_known_and_asks_for_no_reason(page):
    page(dicom("P-2"), WHY)
    assert page(dicom("P-2")).status_code == 200


def test_a_picture_says_nothing_of_a_patient_and_is_taken_as_before(case, alice, api, phantom_png):
    body = {"file": SimpleUploadedFile("scan.png", phantom_png()), "modality": "ultrasound"}
    taken = api(alice).post(f"/api/v1/cases/{case.pk}/scans/", body)
    assert (taken.status_code, taken.json()["identity"]) == (202, None)
    assert not ScanIdentity.objects.exists()


def test_study_and_accession_number_are_shown_with_the_scan_and_in_the_api(program, case, alice, client_of):
    scan = program(dicom("P-1")).json()
    assert SAID_OF_THE_STUDY.items() <= scan["identity"].items()
    shown = client_of(alice).get(case.get_absolute_url()).content.decode().split("About this scan")[1]
    assert all(said in shown for said in ("ACC-5511", "1.2.826.77.1", "1.2.826.77.2", "1.2.826.77.3"))
    assert "Nov. 3, 2026" in shown or "3 November 2026" in shown or "2026-11-03" in shown
    report = client_of(alice).get(f"/cases/{case.pk}/report/").content.decode()
    assert "ACC-5511" in report


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ACC-5511", True),
        ("acc-55", True),
        ("1.2.826.77.1", True),
        ("1.2.826.77.2", True),
        ("1.2.826.77.3", True),
        ("1.2.826.77", False),
        ("2026-11-03", True),
        ("20261103", True),
        ("2026-11-04", False),
        ("CC-5511", False),
    ],
)
def test_the_worklist_finds_a_case_by_what_its_files_say(program, case, alice, client_of, text, found):
    program(dicom("P-1"))
    answered = client_of(alice).get("/", {"q": text}).content.decode()
    assert (case.number in answered) is found


@pytest.mark.parametrize("name", SAID_OF_THE_STUDY)
def test_a_program_filters_cases_by_what_their_files_say(program, case, alice, charlie, api, name):
    program(dicom("P-1"))

    def listed(user, value: str) -> list[str]:
        return [one["number"] for one in api(user).get("/api/v1/cases/", {name: value}).json()["results"]]

    said = SAID_OF_THE_STUDY[name]
    assert listed(alice, said) == [case.number]
    assert listed(alice, said[:-1] + "9") == []
    assert listed(charlie, said) == [], "another department's cases are not found by it"


def test_nobody_elsewhere_finds_a_case_by_it(program, case, charlie, client_of):
    program(dicom("P-1"))
    assert case.number not in client_of(charlie).get("/", {"q": "ACC-5511"}).content.decode()


SECRETS = ("CANARY-P", "CANARY-ACC", "1.2.840.987654", "19630211", "1963-02-11")


def test_what_a_file_says_of_patient_and_study_is_nowhere_but_in_cases(
    models, program, case, caplog, tmp_path, run_jobs
):
    caplog.set_level(logging.DEBUG)
    uids = {name: f"1.2.840.987654.{number}" for number, name in enumerate(STUDY) if name.endswith("UID")}
    said = {**uids, "AccessionNumber": "CANARY-ACC", "StudyDate": "19630211", "PatientBirthDate": "19630211"}
    assert program(dicom("CANARY-P", **said)).status_code == 422
    assert program(dicom("CANARY-P", **said), WHY).status_code == 202
    run_jobs(lime=False)
    rooms = ("inference", "audit", "notices", "webhooks", "blobs")
    rows = [
        row
        for room in rooms
        for table in apps.get_app_config(room).get_models()
        for row in table.objects.values()
    ]
    assert any("original_id" in row for row in rows)
    kept = json.dumps(rows, default=str) + caplog.text + "".join(map(str, tmp_path.rglob("*")))
    assert [secret for secret in SECRETS if secret in kept] == []


def test_what_was_kept_of_a_file_never_changes_and_a_change_is_found(program, intruder):
    program(dicom("P-1"))
    assert list(verification.faults()) == []
    intruder("UPDATE cases_scanidentity SET accession_number = 'ACC-1'")
    assert ["identity" in fault for fault in verification.faults()] == [True]


def test_a_birth_date_is_asked_for_and_compared(alice, department, client_of, api):
    form = {
        "department": department.pk,
        "patient_id": "P-5",
        "priority": 0,
        "patient_birth_date": "1990-01-02",
        "key": "7d0e1d3c-0000-4000-8000-000000000001",
    }
    opened = client_of(alice).post("/cases/new/", form)
    assert opened.status_code == 302
    assert Patient.objects.get().birth_date == date(1990, 1, 2)
    sent = {"department": department.slug, "patient_id": "P-5", "patient_birth_date": "1990-01-03"}
    refused = api(alice).post("/api/v1/cases/", sent, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, "other_birth_date")
    page = client_of(alice).post(
        "/cases/new/", form | {"patient_birth_date": "1990-01-03", "key": form["key"][:-1] + "2"}
    )
    assert page.status_code == 422
    assert "The department knows this patient by another birth date." in page.content.decode()
    again = api(alice).post(
        "/api/v1/cases/", sent | {"patient_birth_date": "1990-01-02"}, content_type="application/json"
    )
    assert (again.status_code, again.json()["patient_birth_date"]) == (201, "1990-01-02")
    assert Case.objects.count() == 2


def test_a_known_patient_learns_her_birth_date_and_keeps_it_when_none_is_given(alice, department, case):
    services.open_case(by=alice, department=department, patient_id="P-1", patient_birth_date=date(1990, 1, 2))
    services.open_case(by=alice, department=department, patient_id="P-1")
    assert Patient.objects.get().birth_date == date(1990, 1, 2)


def test_a_signed_report_holds_what_its_files_said_and_which_scans_were_withdrawn(
    program, case, alice, client_of
):
    program(dicom("P-2", seed=1), WHY)
    program(dicom("P-1", seed=2, SeriesInstanceUID="1.2.826.77.9"))
    wrong = case.scans.get(number=2)
    client_of(alice).post(f"/scans/{wrong.pk}/withdraw/", {"reason": "wrong_file", "note": "A knee."})
    review.file_read(case, by=alice, kind="final", finding="normal", shown=shown_now(case, alice))
    signed = review.sign(case, by=alice, shown=shown_now(case, alice)).content
    assert [one["identity"]["mismatch"] for one in signed["scans"]] == [["PatientID"]]
    assert [(one["number"], one["reason"], one["note"]) for one in signed["withdrawn"]] == [
        (2, "wrong_file", "A knee.")
    ]
    page = client_of(alice).get(f"/cases/{case.pk}/report/").content.decode()
    assert "<s>Scan 2, MRI: withdrawn by alice" in page
    assert "Wrong file: A knee." in page
    assert client_of(alice).get(f"/cases/{case.pk}/report.pdf").status_code == 200
    assert list(verification.faults()) == []
    assert not Job.objects.filter(image=wrong.image, state=Job.State.QUEUED).exists()
