"""Reader first: a blind read, the reveal, a second reader, adjudication, the signature, and what it binds."""

import answers
import pages
import pytest
from conftest import PASSWORD, member
from django.core.files.uploadedfile import SimpleUploadedFile
from pages import without_clock_times
from refused import refused

from accounts.models import Role
from audit.models import Event
from cases import verification
from cases.models import Addendum, Case, Read, ReadingRules, SignOff
from cases.review.policy import reading_context
from inference.models import Job

pytestmark = pytest.mark.django_db
HIDDEN = "Hidden until your read is filed"


@pytest.fixture
def reader_first(department) -> ReadingRules:
    rules = department.reading_rules
    rules.mode = ReadingRules.Mode.READER_FIRST
    rules.save()
    return rules


@pytest.fixture
def read_case(case, alice, small_scan, tmp_path, reader_first) -> Case:
    """A case with one scan that a model calls ventriculomegaly at 0.75, and its Grad-CAM."""
    answers.active_version(tmp_path)
    scan = small_scan(case, alice)
    answers.explanation(answers.answer(Job.objects.get(image=scan.image)), method="gradcam")
    return case


@pytest.fixture
def senior(department):
    return member("senior", department, Role.SENIOR_READER)


def page(client, case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def file(client, case, kind: str, finding: str, **more) -> str:
    """File a read through the page; what the page says then."""
    return pages.file_read(client, case, follow=True, kind=kind, finding=finding, **more).content.decode()


def stage(case) -> str:
    return Case.objects.get(pk=case.pk).stage


def test_answers_and_heatmaps_are_hidden_until_the_blind_read_is_filed(read_case, alice, client_of):
    client = client_of(alice)
    shown = page(client, read_case)
    assert HIDDEN in shown
    assert "0.75" not in without_clock_times(shown)
    assert "ventriculomegaly 0.75" not in shown.lower()
    assert 'id="overlays" type="application/json">[]' in shown

    shown = file(client, read_case, "blind", "normal", note="slim ventricles")

    assert HIDDEN not in shown
    assert "Ventriculomegaly likely" in shown
    read = Read.objects.get()
    assert (read.kind, read.finding, read.seen, read.agrees) == ("blind", "normal", [], False)
    assert stage(read_case) == "to_conclude"


def test_no_other_door_tells_a_blind_reader(read_case, alice, client_of, api):
    prediction = Job.objects.get(kind="predict").answer
    explanation = prediction.explanations.get()
    assert client_of(alice).get(f"/explanations/{explanation.pk}/heatmap/0").status_code == 403
    program = api(alice)
    for address in (
        f"/api/v1/predictions/{prediction.pk}/",
        f"/api/v1/explanations/{explanation.pk}/",
        f"/api/v1/explanations/{explanation.pk}/heatmap",
    ):
        assert program.get(address).status_code == 403
    (line,) = client_of(alice).get("/").context["page"].lines
    assert (line.verdict, line.is_hidden, line.differs) == ("", True, False)
    assert "0.75" not in without_clock_times(client_of(alice).get("/").content.decode())


def test_an_auditor_is_not_blinded(read_case, auditor, client_of):
    assert "Ventriculomegaly likely" in page(client_of(auditor), read_case)


def test_whoever_overrides_the_models_says_why_and_a_second_reader_is_asked(read_case, alice, bob, client_of):
    client = client_of(alice)
    file(client, read_case, "blind", "normal")
    assert "say why" in file(client, read_case, "final", "normal")
    assert stage(read_case) == "to_conclude"
    file(client, read_case, "final", "normal", reason="The angle exaggerates the atrium.")
    final = Read.objects.get(kind="final")
    assert final.agrees is False
    assert [seen["label"] for seen in final.seen] == ["ventriculomegaly"]
    assert stage(read_case) == "second"
    assert "Another reader files the second read." in page(client, read_case)

    second = client_of(bob)
    shown = page(second, read_case)
    assert HIDDEN in shown
    assert "shown after yours" in shown
    file(second, read_case, "second", "normal")
    assert stage(read_case) == "to_sign"


def test_two_readers_who_differ_are_adjudicated_by_a_senior_who_is_neither(
    read_case, alice, bob, senior, client_of
):
    file(client_of(alice), read_case, "blind", "normal")
    file(client_of(alice), read_case, "final", "normal", reason="Angle.")
    file(client_of(bob), read_case, "second", "ventriculomegaly", laterality="left")
    assert stage(read_case) == "adjudication"
    assert reading_context(Case.objects.get(), bob).due == "joint"
    file(client_of(senior), read_case, "adjudication", "ventriculomegaly", laterality="left")
    assert stage(read_case) == "to_sign"
    assert reading_context(Case.objects.get(), senior).counting.reader == senior
    kinds = list(Read.objects.values_list("kind", flat=True))
    assert kinds == ["blind", "final", "second", "adjudication"]


def sign(client, case, password=PASSWORD):
    return pages.sign(client, case, password, follow=True)


@pytest.fixture
def signed(read_case, alice, client_of) -> Case:
    client = client_of(alice)
    file(client, read_case, "blind", "ventriculomegaly")
    file(client, read_case, "final", "ventriculomegaly", laterality="both")
    sign(client, read_case)
    return read_case


def test_a_signature_needs_the_password_and_binds_name_time_meaning_and_content(read_case, alice, client_of):
    client = client_of(alice)
    file(client, read_case, "blind", "ventriculomegaly")
    file(client, read_case, "final", "ventriculomegaly")
    assert stage(read_case) == "to_sign"
    assert sign(client, read_case, "wrong").status_code == 422
    assert not SignOff.objects.exists()
    assert "Signed by alice" in sign(client, read_case).content.decode()
    signature = SignOff.objects.get()
    assert signature.content["finding"]["finding"] == "ventriculomegaly"
    assert [read["kind"] for read in signature.content["reads"]] == ["blind", "final"]
    assert stage(read_case) == "signed"
    assert list(verification.faults()) == []


def test_only_the_reader_of_the_read_that_counts_signs(read_case, alice, bob, client_of):
    file(client_of(alice), read_case, "blind", "ventriculomegaly")
    file(client_of(alice), read_case, "final", "ventriculomegaly")
    sign(client_of(bob), read_case)
    assert not SignOff.objects.exists()
    assert "Sign as alice" in page(client_of(alice), read_case)


def test_after_the_signature_there_are_addenda_only(signed, alice, small_scan, client_of):
    client = client_of(alice)
    assert "The case is signed" in file(client, signed, "final", "normal")
    with refused("case_signed"):
        small_scan(signed, alice, seed=9)
    for text in ("Seen again at 28 weeks.", "And at 32."):
        client.post(f"/cases/{signed.pk}/addenda/", {"text": text, "password": PASSWORD})
    first, second = Addendum.objects.all()
    assert first.previous_sha256 == SignOff.objects.get().content_sha256
    assert second.previous_sha256 == first.content_sha256
    assert "And at 32." in page(client, signed)
    assert list(verification.faults()) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE cases_read SET finding = 'normal' WHERE kind = 'final'", "was changed after it was filed"),
        ("UPDATE cases_signoff SET content = '{}'", "does not fit what was signed"),
        ("UPDATE cases_addendum SET text = 'another'", "does not follow"),
        ("DELETE FROM cases_addendum", "was filed and is gone"),
        ("UPDATE cases_case SET stage = 'to_read'", "its reads say otherwise"),
    ],
)
def test_tampering_is_found(signed, alice, client_of, intruder, sql, found):
    client_of(alice).post(f"/cases/{signed.pk}/addenda/", {"text": "More.", "password": PASSWORD})
    intruder(sql)
    assert any(found in fault for fault in verification.faults())


def test_a_scan_that_comes_later_calls_for_a_new_read(read_case, alice, small_scan, client_of):
    client = client_of(alice)
    file(client, read_case, "blind", "ventriculomegaly")
    file(client, read_case, "final", "ventriculomegaly")
    small_scan(read_case, alice, seed=5)
    assert stage(read_case) == "to_read"
    assert HIDDEN in page(client, read_case)
    assert list(verification.faults()) == []


def test_a_page_left_open_files_nothing_by_mistake(read_case, alice, client_of):
    client = client_of(alice)
    assert "moved on" in file(client, read_case, "final", "normal")
    assert not Read.objects.exists()


def test_a_concurrent_department_shows_answers_and_files_one_read(read_case, alice, client_of, reader_first):
    reader_first.mode = ReadingRules.Mode.CONCURRENT
    reader_first.save()
    client = client_of(alice)
    assert "Ventriculomegaly likely" in page(client, read_case)
    file(client, read_case, "final", "ventriculomegaly")
    assert [seen["label"] for seen in Read.objects.get().seen] == ["ventriculomegaly"]
    assert stage(read_case) == "to_sign"


def test_the_time_a_read_took_is_counted_from_the_first_look(read_case, alice, client_of):
    client = client_of(alice)
    page(client, read_case)
    file(client, read_case, "blind", "indeterminate")
    assert Read.objects.get().seconds is not None
    assert Event.objects.filter(verb="read.filed", thread=read_case.thread).count() == 1


def test_strangers_and_auditors_file_and_sign_nothing(read_case, charlie, auditor, client_of):
    for user, expected in ((charlie, 404), (auditor, 403)):
        client = client_of(user)
        sent = {"kind": "blind", "finding": "normal"}
        assert client.post(f"/cases/{read_case.pk}/reads/", sent).status_code == expected
        assert client.post(f"/cases/{read_case.pk}/assign/", {"to": ""}).status_code == expected
    assert not Read.objects.exists()


def test_a_case_is_claimed_given_on_and_released(read_case, alice, bob, charlie, client_of):
    client = client_of(alice)
    for name in ("alice", "bob", ""):
        client.post(f"/cases/{read_case.pk}/assign/", {"to": name})
    told = list(Event.objects.filter(thread=read_case.thread, verb__in=["case.assigned", "case.released"]))
    assert [event.verb for event in told].count("case.assigned") == 2
    refused = client.post(f"/cases/{read_case.pk}/assign/", {"to": "charlie"}, follow=True)
    assert "There is no reader of this name in the department." in refused.content.decode()
    assert Case.objects.get(pk=read_case.pk).assignee is None


def test_a_program_reads_what_readers_found_and_a_blind_reader_nothing_of_others(
    read_case, alice, bob, client_of, api
):
    file(client_of(alice), read_case, "blind", "normal", note="slim")
    address = f"/api/v1/cases/{read_case.pk}/reading/"
    found = api(alice).get(address).json()
    assert found["stage"] == "to_conclude"
    assert [(read["kind"], read["reader"], read["finding"]) for read in found["reads"]] == [
        ("blind", "alice", "normal")
    ]
    assert found["signature"] is None
    assert api(bob).get(address).json()["reads"] == []


def test_a_reader_who_neither_read_nor_adjudicates_stays_blind_while_others_differ(
    read_case, alice, bob, department, client_of
):
    file(client_of(alice), read_case, "blind", "normal")
    file(client_of(alice), read_case, "final", "normal", reason="Angle.")
    file(client_of(bob), read_case, "second", "ventriculomegaly")
    assert stage(read_case) == "adjudication"
    client = client_of(member("dora", department, Role.READER))
    (line,) = client.get("/").context["page"].lines
    assert (line.verdict, line.is_hidden, line.differs) == ("", True, False)
    assert HIDDEN in page(client, read_case)
    assert "Angle." not in client.get("/department/").content.decode()


def test_a_blind_reader_learns_nothing_by_asking_about_an_answer(read_case, alice, client_of, api):
    prediction = Job.objects.get(kind="predict").answer
    before = Job.objects.count()
    sent = {"method": "gradcam", "class_label": "normal"}
    assert client_of(alice).post(f"/answers/{prediction.pk}/explain/", sent).status_code == 403
    assert client_of(alice).post(f"/answers/{prediction.pk}/run-again/").status_code == 403
    asked = api(alice).post(
        f"/api/v1/predictions/{prediction.pk}/explanations/", sent, content_type="application/json"
    )
    assert asked.status_code == 403
    assert Job.objects.count() == before


def test_a_file_for_a_signed_case_is_refused_in_words(signed, alice, client_of, phantom_png):
    file = SimpleUploadedFile("late.png", phantom_png(seed=3))
    sent = {"modality": "ultrasound", "scans": file}
    refused = client_of(alice).post(
        f"/cases/{signed.pk}/scans/", sent, headers={"Accept": "application/json"}
    )
    assert refused.status_code == 422
    (outcome,) = refused.json()["outcomes"]
    assert (outcome["code"], outcome["outcome"]) == ("case_signed", "refused")
