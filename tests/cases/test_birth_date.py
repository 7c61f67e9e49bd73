"""A mistyped birth date is corrected with a reason, and stays as it was once somebody has signed for it."""

from datetime import date

import pytest
from conftest import PASSWORD
from django.db import IntegrityError, transaction
from pages import shown_now

from audit.models import Event
from cases import patients, services, verification
from cases.models import BirthDateCorrection, Case, Patient
from cases.review import service as review

pytestmark = pytest.mark.django_db

WRONG, RIGHT = date(1990, 2, 1), date(1990, 1, 2)


@pytest.fixture
def mistyped(department, alice, small_scan) -> Case:
    """A case of a patient whose birth date was mistyped."""
    case, _ = services.open_case(by=alice, department=department, patient_id="P-7", patient_birth_date=WRONG)
    small_scan(case, alice)
    return case


def sign(case, user) -> None:
    review.file_read(case, by=user, kind="final", finding="normal", shown=shown_now(case, user))
    review.sign(case, by=user, shown=shown_now(case, user))


def test_on_the_page_it_is_corrected_in_every_case_of_the_patient(
    mistyped, department, alice, bob, client_of
):
    other, _ = services.open_case(by=bob, department=department, patient_id="P-7")
    client, address = client_of(bob), f"/cases/{mistyped.pk}/birth-date/"
    for sent in ({"birth_date": "1990-01-02"}, {"birth_date": "1990-02-01", "reason": "Swapped."}, {}):
        assert client.post(address, sent).status_code == 422
    done = client.post(address, {"birth_date": "1990-01-02", "reason": "Day and month were swapped."})
    assert done.status_code == 302
    assert Patient.objects.get(patient_id="P-7").birth_date == RIGHT
    page = client.get(other.get_absolute_url()).content.decode()
    assert "1990-02-01 was corrected to 1990-01-02: Day and month were swapped. (bob" in page
    row = BirthDateCorrection.objects.get()
    assert (row.before, row.after, row.corrected_by) == (WRONG, RIGHT, bob)
    assert list(verification.faults()) == []


def test_one_audit_line_tells_of_it_and_names_no_date(mistyped, bob):
    before = Event.objects.count()
    patients.correct_birth_date(mistyped, by=bob, birth_date=RIGHT, reason="She says 2 January 1990.")
    (event,) = Event.objects.order_by("pk")[before:]
    assert (event.verb, event.thread) == ("patient.birth_date_corrected", mistyped.thread)
    assert set(event.detail) == {"digest"}, "the row that it covers holds both dates and the reason"


def test_a_program_corrects_it_too(mistyped, api):
    address = f"/api/v1/cases/{mistyped.pk}/birth-date/"
    program = api(mistyped.opened_by)
    for sent, status in (
        ({"birth_date": "1990-01-02"}, 400),
        ({"birth_date": "2999-01-01", "reason": "x"}, 400),
    ):
        assert program.post(address, sent, content_type="application/json").status_code == status
    same = {"birth_date": "1990-02-01", "reason": "x"}
    refused = program.post(address, same, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, "same_birth_date")
    sent = {"birth_date": "1990-01-02", "reason": "Mistyped."}
    done = program.post(address, sent, content_type="application/json")
    assert (done.status_code, done.json()["patient_birth_date"]) == (201, "1990-01-02")


def test_after_a_signature_of_any_case_of_the_patient_it_stays(
    mistyped, department, alice, bob, client_of, api, small_scan
):
    signed, _ = services.open_case(by=alice, department=department, patient_id="P-7")
    small_scan(signed, alice, seed=2)
    sign(signed, alice)
    sent = {"birth_date": "1990-01-02", "reason": "Mistyped with care."}
    refused = client_of(bob).post(f"/cases/{mistyped.pk}/birth-date/", sent)
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Say in an addendum to that case which one is right." in page
    assert "Mistyped with care." in page, "no word is lost"
    told = api(bob).post(f"/api/v1/cases/{mistyped.pk}/birth-date/", sent, content_type="application/json")
    assert (told.status_code, told.json()["code"]) == (422, "patient_signed")
    with pytest.raises(IntegrityError, match="patient_signed"), transaction.atomic():
        Patient.objects.filter(patient_id="P-7").update(birth_date=RIGHT)
    assert Patient.objects.get(patient_id="P-7").birth_date == WRONG
    added = client_of(bob).post(
        f"/cases/{signed.pk}/addenda/", {"text": "Born on 2 January 1990.", "password": PASSWORD}
    )
    assert added.status_code == 302, "the way on that the sentence names"


def test_a_date_that_nobody_knew_is_still_learnt_beside_a_signed_case(department, alice, small_scan):
    case, _ = services.open_case(by=alice, department=department, patient_id="P-8")
    small_scan(case, alice)
    sign(case, alice)
    services.open_case(by=alice, department=department, patient_id="P-8", patient_birth_date=RIGHT)
    assert Patient.objects.get(patient_id="P-8").birth_date == RIGHT
