"""A withdrawn scan stays on record and counts for nothing."""

import pytest
from django.db import DatabaseError, transaction
from pages import shown_now
from refused import refused

from audit.models import Event
from cases import services, verification, withdrawal
from cases.case_page.summary import summarise
from cases.models import Case, Measurement, Scan, ScanWithdrawal
from cases.review import measurements
from cases.review import service as review
from cases.review.calls import call_of
from cases.review.measurements import Points
from inference.models import Job
from notices.models import Notice

pytestmark = pytest.mark.django_db


def gone(scan: Scan, by) -> ScanWithdrawal:
    return ScanWithdrawal.objects.create(scan=scan, withdrawn_by=by, reason="wrong_file")


def test_standing_scans_are_those_that_nobody_has_withdrawn(case, alice, small_scan):
    wrong, right = small_scan(case, alice), small_scan(case, alice, seed=2)
    gone(wrong, alice)
    assert list(case.scans.active()) == [right]
    assert [scan.is_withdrawn for scan in case.scans.order_by("number")] == [True, False]
    assert [entry.scan for entry in summarise(case).scans] == [right]


def test_a_case_whose_only_scan_was_withdrawn_is_empty_again(case, alice, add_scan, run_jobs):
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    assert call_of(case)
    gone(scan, alice)
    assert call_of(case) is None
    assert Case.objects.with_progress().get(pk=case.pk).progress == Case.Progress.EMPTY
    assert not Case.objects.with_scans_of("ultrasound").exists()


def test_what_was_measured_on_it_no_longer_stands(case, alice, small_scan):
    scan = small_scan(case, alice)
    one = Measurement.objects.create(
        scan=scan, frame=0, tool="distance", start=[0, 0], end=[1, 1], length_px=1.4, made_by=alice
    )
    gone(scan, alice)
    assert not Measurement.objects.of_case(case).active().exists()
    assert Measurement.objects.get(pk=one.pk).is_withdrawn


def test_its_file_may_be_added_again_and_a_standing_one_may_not(case, alice, small_scan):
    first = small_scan(case, alice)
    assert small_scan(case, alice) == first
    gone(first, alice)
    again = small_scan(case, alice)
    assert (again.number, again.original_sha256) == (2, first.original_sha256)
    with pytest.raises(DatabaseError, match="one_scan_per_file_in_a_case"), transaction.atomic():
        Scan.objects.create(
            case=case, number=3, image=first.image, original_sha256=first.original_sha256, added_by=alice
        )


def test_the_database_keeps_a_withdrawal_as_it_is(case, alice, small_scan):
    row = gone(small_scan(case, alice), alice)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ScanWithdrawal.objects.filter(pk=row.pk).update(note="Another story.")


def test_on_the_page_a_scan_is_withdrawn_with_a_reason_and_stays_struck_through(
    case, alice, client_of, small_scan
):
    client, scan = client_of(alice), small_scan(case, alice)
    small_scan(case, alice, seed=2)
    link = f"/scans/{scan.pk}/withdraw/"
    assert link in client.get(f"{case.get_absolute_url()}?scan=1").content.decode()
    assert "Withdraw scan 1" in client.get(link).content.decode()
    done = client.post(link, {"reason": "wrong_modality", "note": "It is an MRI slice."}, follow=True)
    page = done.content.decode()
    assert "Scan 1 was withdrawn." in page
    assert "Withdrawn: Wrong modality: It is an MRI slice. (alice" in page
    assert "<strong>Scan 1, Ultrasound</strong>" in page.split('id="withdrawn-scans"')[1]
    assert client.get(f"{case.get_absolute_url()}?scan=1").status_code == 200, "an old link leads to the case"
    event = Event.objects.get(verb="scan.withdrawn")
    assert event.thread == case.thread
    assert event.detail["reason"] == "Wrong modality: It is an MRI slice."
    assert list(verification.faults()) == []


def test_another_reason_is_put_into_words_and_what_was_typed_comes_back(case, alice, client_of, small_scan):
    client, scan = client_of(alice), small_scan(case, alice)
    for sent in ({"reason": "other", "note": " "}, {"reason": "nonsense", "note": "Kept."}, {}):
        refused = client.post(f"/scans/{scan.pk}/withdraw/", sent)
        assert refused.status_code == 422
        assert sent.get("note", "").strip() in refused.content.decode()
    assert not ScanWithdrawal.objects.exists()


def test_a_program_withdraws_a_scan_and_reads_why(case, alice, api, small_scan):
    scan = small_scan(case, alice)
    address = f"/api/v1/scans/{scan.pk}/"
    assert api(alice).get(address).json()["withdrawn"] is None
    refused = api(alice).post(f"{address}withdrawal/", {"reason": "other"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed")
    sent = {"reason": "wrong_patient", "note": "Two files were swapped."}
    done = api(alice).post(f"{address}withdrawal/", sent, content_type="application/json")
    assert done.status_code == 201
    withdrawn = api(alice).get(address).json()["withdrawn"]
    assert withdrawn == done.json()["withdrawn"]
    assert {**sent, "withdrawn_by": "alice"}.items() <= withdrawn.items()
    again = api(alice).post(f"{address}withdrawal/", sent, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (422, "scan_withdrawn")


def test_only_readers_of_the_department_withdraw_scans(
    case, alice, charlie, auditor, client_of, api, small_scan
):
    scan = small_scan(case, alice)
    sent = {"reason": "wrong_file"}
    for user, status in ((charlie, 404), (auditor, 403)):
        assert client_of(user).get(f"/scans/{scan.pk}/withdraw/").status_code == status
        assert client_of(user).post(f"/scans/{scan.pk}/withdraw/", sent).status_code == status
        address = f"/api/v1/scans/{scan.pk}/withdrawal/"
        refused = api(user).post(address, sent, content_type="application/json")
        assert refused.status_code in {status, 403}, "whoever is no reader anywhere may write nothing"
    assert not ScanWithdrawal.objects.exists()


def test_the_scans_of_a_signed_case_stay(case, alice, small_scan, api, client_of):
    scan = small_scan(case, alice)
    review.file_read(case, by=alice, kind="final", finding="normal", shown=shown_now(case, alice))
    review.sign(case, by=alice, shown=shown_now(case, alice))
    with refused("case_signed"):
        withdrawal.withdraw_scan(scan, by=alice, reason="wrong_file")
    assert client_of(alice).post(f"/scans/{scan.pk}/withdraw/", {"reason": "wrong_file"}).status_code == 409
    sent = {"reason": "wrong_file"}
    answer = api(alice).post(f"/api/v1/scans/{scan.pk}/withdrawal/", sent, content_type="application/json")
    assert answer.json()["code"] == "case_signed"
    assert not ScanWithdrawal.objects.exists()


def test_what_is_still_to_be_done_about_it_is_cancelled_and_nobody_is_told_it_was_answered(
    case, alice, bob, add_scan, run_jobs
):
    scan = add_scan(case, alice)
    withdrawal.withdraw_scan(scan, by=bob, reason="wrong_file")
    assert set(Job.objects.filter(image=scan.image).values_list("state", flat=True)) == {Job.State.CANCELLED}
    run_jobs()
    assert summarise(case).scans == []
    assert list(Notice.objects.values_list("user__username", "code")) == [("alice", "scan.withdrawn")]


def test_nothing_more_is_asked_about_it_or_measured_on_it(case, alice, add_scan, run_jobs):
    scan = add_scan(case, alice)
    withdrawal.withdraw_scan(scan, by=alice, reason="wrong_file")
    for act in (
        lambda: services.try_again(scan, by=alice),
        lambda: services.choose_frames(scan, [0], by=alice),
        lambda: services.cancel_job(Job.objects.first(), by=alice),
        lambda: measurements.measure(scan, Points(0, (1, 1), (5, 5)), by=alice, tool="distance"),
        lambda: withdrawal.withdraw_scan(scan, by=alice, reason="wrong_file"),
    ):
        with refused("scan_withdrawn"):
            act()


def test_a_case_goes_back_to_its_first_stage_when_its_only_scan_is_withdrawn(case, alice, small_scan):
    scan = small_scan(case, alice)
    review.file_read(case, by=alice, kind="final", finding="normal", shown=shown_now(case, alice))
    withdrawal.withdraw_scan(scan, by=alice, reason="wrong_patient")
    case.refresh_from_db()
    assert case.stage == Case.Stage.TO_READ
    assert list(verification.faults()) == []
