"""A withdrawn scan stays on record and counts for nothing."""

import pytest
from django.db import DatabaseError, transaction

from cases.calls import call_of
from cases.models import Case, Measurement, Scan, ScanWithdrawal
from cases.reading import read_case

pytestmark = pytest.mark.django_db


def gone(scan: Scan, by) -> ScanWithdrawal:
    return ScanWithdrawal.objects.create(scan=scan, withdrawn_by=by, reason="wrong_file")


def test_standing_scans_are_those_that_nobody_has_withdrawn(case, alice, small_scan):
    wrong, right = small_scan(case, alice), small_scan(case, alice, seed=2)
    gone(wrong, alice)
    assert list(case.scans.standing()) == [right]
    assert [scan.is_withdrawn for scan in case.scans.order_by("number")] == [True, False]
    assert [entry.scan for entry in read_case(case).scans] == [right]


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
    assert not Measurement.objects.of_case(case).standing().exists()
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
