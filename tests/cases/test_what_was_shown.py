"""A reader answers for what they saw: what a page no longer shows is not filed, and no word is lost."""

import re

import answers
import pages
import pytest
from conftest import PASSWORD, member
from django.test import Client

from accounts.models import Role
from cases.models import Case, Read, ReadingRules, ScanWithdrawal, SignOff
from cases.review import atria, measurements
from cases.review import service as review
from cases.review.measurements import Points
from cases.review.policy import current_reads
from inference.jobs import state as jobs
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def read_case(case, alice, small_scan, tmp_path) -> Case:
    """A concurrent department's case with one scan that a model calls ventriculomegaly at 0.75."""
    answers.active_version(tmp_path)
    scan = small_scan(case, alice)
    answers.answer(Job.objects.get(image=scan.image))
    return case


def late_scan(case, alice, bob, small_scan) -> str:
    small_scan(case, bob, seed=9)
    return "Scan 2 was not on the page: bob has added it."


def late_answer(case, alice, bob, small_scan) -> str:
    job = Job.objects.filter(kind="predict").first()
    again = jobs.submit(
        Job.Kind.PREDICT,
        image=job.image,
        model_version=job.model_version,
        requested_by=bob,
        thread=job.thread,
    )
    answers.answer(again, label="normal")
    return "The models now say: Normal."


def late_measurement(case, alice, bob, small_scan) -> str:
    measurements.measure(case.scans.get(), Points(0, (1.0, 1.0), (4.0, 5.0)), by=bob, tool="distance")
    return "bob has measured: Distance, "


def late_statement(case, alice, bob, small_scan) -> str:
    atria.state(case, by=bob, side="left", reason="shadow")
    return "bob has said of an atrium: Left, Shadowed by the skull."


def late_withdrawal(case, alice, bob, small_scan) -> str:
    ScanWithdrawal.objects.create(scan=case.scans.get(number=1), withdrawn_by=bob, reason="wrong_file")
    return "Scan 1 no longer counts."


LATE = [late_scan, late_answer, late_measurement, late_statement, late_withdrawal]


@pytest.mark.parametrize("happen", LATE)
def test_a_read_is_refused_when_the_page_showed_something_else(
    read_case, alice, bob, small_scan, client_of, happen
):
    client = client_of(alice)
    sent = pages.shown_by(client, read_case.get_absolute_url())
    says = happen(read_case, alice, bob, small_scan)
    typed = {"kind": "final", "finding": "normal", "note": "slim ventricles", "reason": "Oblique plane."}
    refused = client.post(f"/cases/{read_case.pk}/reads/", sent | typed)
    page = refused.content.decode()
    assert refused.status_code == 409
    assert says in page.replace("&#x27;", "'")
    assert "slim ventricles" in page
    assert not Read.objects.exists()
    if happen is not late_withdrawal:  # there is something left to read
        assert re.search(r'value="normal"[^>]*checked', page)
        again = client.post(f"/cases/{read_case.pk}/reads/", pages.hidden_fields(page) | typed)
        assert again.status_code == 302, "the page that came back shows what is there"


@pytest.mark.parametrize("happen", LATE[:4])
def test_a_signature_is_refused_when_the_page_showed_something_else(
    read_case, alice, bob, small_scan, client_of, happen
):
    client = client_of(alice)
    pages.file_read(client, read_case, kind="final", finding="ventriculomegaly")
    sent = pages.shown_by(client, f"/cases/{read_case.pk}/sign/")
    happen(read_case, alice, bob, small_scan)
    refused = client.post(f"/cases/{read_case.pk}/sign/", sent | {"password": PASSWORD})
    assert refused.status_code == 409
    assert not SignOff.objects.exists()


def test_a_form_that_does_not_say_what_it_showed_files_nothing(read_case, alice, client_of):
    refused = client_of(alice).post(f"/cases/{read_case.pk}/reads/", {"kind": "final", "finding": "normal"})
    assert refused.status_code == 409
    assert not Read.objects.exists()


def test_a_read_keeps_what_its_form_showed(read_case, alice, client_of, api):
    pages.file_read(client_of(alice), read_case, kind="final", finding="ventriculomegaly")
    read = Read.objects.get()
    assert read.scans == [read_case.scans.get().original_sha256]
    assert read.shown["answers"] == sorted(["call:ventriculomegaly:experimental", read.seen[0]["prediction"]])
    said = api(alice).get(f"/api/v1/cases/{read_case.pk}/reading/").json()
    assert said["reads"][0]["shown_sha256"] == read.shown["sha256"]
    assert said["shown_sha256"] != read.shown["sha256"], "the read itself has come since"


def test_a_read_covers_its_scans_whenever_it_was_filed(read_case, alice, bob, small_scan, client_of):
    """Coverage goes by the scans, not by the clock: withdrawing the late scan brings the read back."""
    pages.file_read(client_of(alice), read_case, kind="final", finding="ventriculomegaly")
    late = small_scan(read_case, bob, seed=9)
    assert current_reads(read_case) == []
    ScanWithdrawal.objects.create(scan=late, withdrawn_by=bob, reason="wrong_file")
    assert len(current_reads(read_case)) == 1
    assert review.stage_of(read_case) == "to_sign"


def test_the_same_file_added_anew_is_another_scan(read_case, alice, bob, small_scan, client_of):
    pages.file_read(client_of(alice), read_case, kind="final", finding="ventriculomegaly")
    ScanWithdrawal.objects.create(scan=read_case.scans.get(), withdrawn_by=bob, reason="wrong_modality")
    small_scan(read_case, bob)
    assert current_reads(read_case) == []


def test_what_arrives_on_the_open_page_is_answered_for(read_case, alice, client_of):
    """The live part carries its own evidence, and the why field appears with the answers."""
    client = client_of(alice)
    sent = pages.shown_by(client, read_case.get_absolute_url())
    late_answer(read_case, alice, alice, None)
    live = client.get(f"/cases/{read_case.pk}/live/").content.decode()
    assert "The models: Normal." in live
    follows = sent | pages.hidden_fields(live)
    filed = client.post(f"/cases/{read_case.pk}/reads/", follows | {"kind": "final", "finding": "normal"})
    assert filed.status_code == 302


def test_a_blind_reader_is_not_told_that_something_hidden_has_changed(
    read_case, department, alice, bob, client_of
):
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    client = client_of(alice)
    sent = pages.shown_by(client, read_case.get_absolute_url())
    assert sent["shown_answers"] == ""
    late_answer(read_case, alice, bob, None)
    late_measurement(read_case, alice, bob, None)
    filed = client.post(f"/cases/{read_case.pk}/reads/", sent | {"kind": "blind", "finding": "normal"})
    assert filed.status_code == 302


@pytest.fixture
def adjudicated(read_case, alice, bob, department, client_of) -> tuple[Client, Case]:
    """Two readers of a department that reads first differ; the senior who may adjudicate, and the case."""
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    pages.file_read(client_of(alice), read_case, kind="blind", finding="normal")
    pages.file_read(client_of(alice), read_case, kind="final", finding="normal", reason="Angle.")
    pages.file_read(client_of(bob), read_case, kind="second", finding="ventriculomegaly")
    return client_of(member("senior", department, Role.SENIOR_READER)), read_case


def test_an_adjudicator_sees_the_answers_and_both_reads(adjudicated):
    client, case = adjudicated
    page = client.get(case.get_absolute_url()).content.decode()
    assert "Ventriculomegaly likely" in page
    assert "Angle." in page
    assert "The models: Ventriculomegaly." in page
    pages.file_read(client, case, kind="adjudication", finding="ventriculomegaly")
    assert [one["label"] for one in Read.objects.get(kind="adjudication").seen] == ["ventriculomegaly"]


def test_an_indeterminate_final_read_calls_for_no_second_one(read_case, alice, client_of):
    """It neither agrees nor differs: only a rule of always asks for a second reader."""
    pages.file_read(client_of(alice), read_case, kind="final", finding="indeterminate")
    assert Read.objects.get().agrees is None
    assert review.stage_of(read_case) == "to_sign"


def test_a_side_belongs_to_ventriculomegaly_alone(read_case, alice, client_of):
    pages.file_read(
        client_of(alice), read_case, kind="final", finding="normal", laterality="left", reason="Slim."
    )
    assert Read.objects.get().laterality == ""
