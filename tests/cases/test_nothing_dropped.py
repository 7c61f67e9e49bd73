"""Nothing that is sent is taken and dropped: every file has its outcome, and every other part its answer."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Event
from cases import withdrawal
from cases.models import Scan
from inference.models import Job

pytestmark = pytest.mark.django_db


def upload(content: bytes, name: str = "scan.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def program(case, alice, api):
    """A program of Alice's sends parts to the case: program(file=[...], modality=...)."""

    def send(**parts):
        return api(alice).post(f"/api/v1/cases/{case.pk}/scans/", {"modality": "ultrasound", **parts})

    return send


@pytest.fixture
def page(case, alice, client_of):
    """The page's script or plain form sends parts to the case."""
    client = client_of(alice)

    def send(*, script: bool = True, **parts):
        accept = "application/json" if script else "text/html"
        return client.post(
            f"/cases/{case.pk}/scans/", {"modality": "ultrasound", **parts}, headers={"Accept": accept}
        )

    return send


def test_two_files_of_one_request_both_become_scans(models, program, case, phantom_png):
    answered = program(file=[upload(phantom_png(seed=1), "a.png"), upload(phantom_png(seed=2), "b.png")])
    assert answered.status_code == 207
    outcomes = answered.json()["outcomes"]
    assert [(one["file"], one["status"], one["code"]) for one in outcomes] == [
        ("a.png", 202, ""),
        ("b.png", 202, ""),
    ]
    assert [one["scan"]["number"] for one in outcomes] == [1, 2]
    assert case.scans.count() == 2


def test_each_of_several_files_has_its_own_outcome(models, program, case, phantom_png):
    good = phantom_png()
    answered = program(
        file=[upload(good), upload(b"words", "words.png"), upload(good, "again.png"), upload(b"")]
    )
    outcomes = answered.json()["outcomes"]
    assert [(one["status"], one["code"]) for one in outcomes] == [
        (202, ""), (415, "unsupported_type"), (200, ""), (422, "empty_file"),
    ]  # fmt: skip
    assert all(one["detail"] for one in outcomes if one["code"])
    assert [one["scan"] is None for one in outcomes] == [False, True, False, True]
    assert case.scans.count() == 1


def test_two_files_on_the_page_both_become_scans(page, case, phantom_png):
    files = [upload(phantom_png(seed=1), "a.png"), upload(phantom_png(seed=2), "b.png")]
    answered = page(scans=files)
    assert answered.status_code == 207
    assert [one["scan"] for one in answered.json()["outcomes"]] == [1, 2]
    assert case.scans.count() == 2


@pytest.mark.parametrize(
    ("parts", "field", "code"),
    [
        ({"picture": b"x"}, "picture", "unknown"),
        ({"patient_id": "P-1"}, "patient_id", "unknown"),
        ({"modality": ["ultrasound", "mri"]}, "modality", "repeated"),
        ({"mismatch_reason": ["one", "two"]}, "mismatch_reason", "repeated"),
    ],
)
def test_a_part_that_no_field_takes_is_refused_by_name(program, phantom_png, parts, field, code):
    parts = {name: upload(sent) if isinstance(sent, bytes) else sent for name, sent in parts.items()}
    refused = program(file=upload(phantom_png()), **parts)
    assert refused.status_code == 400
    assert [(one["field"], one["code"]) for one in refused.json()["errors"]] == [(field, code)]
    assert not Scan.objects.exists()


def test_a_text_among_the_files_is_refused(program, phantom_png):
    refused = program(file=["words", upload(phantom_png())])
    assert refused.status_code == 400
    assert {one["field"].split(".")[0] for one in refused.json()["errors"]} == {"file"}
    assert not Scan.objects.exists()


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"file": b"x"}, "none that is called file"),
        ({"modality": ["ultrasound", "mri"]}, "modality was sent more than once"),
    ],
)
def test_the_page_refuses_such_parts_too(page, phantom_png, script, parts, words):
    parts = {name: upload(sent) if isinstance(sent, bytes) else sent for name, sent in parts.items()}
    refused = page(script=script, scans=[upload(phantom_png())], **parts)
    if script:
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
        assert words in refused.json()["sentence"]
    else:
        assert refused.status_code == 422
        assert words in refused.content.decode()
    assert not Scan.objects.exists()


def test_too_many_parts_are_refused_in_words_and_nothing_is_taken(program, page, settings, phantom_png):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    files = [upload(phantom_png(seed=seed)) for seed in range(3)]
    refused = program(file=files)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_parts")
    assert "2 files" in refused.json()["detail"]
    for file in files:
        file.seek(0)
    refused = page(scans=files, script=False)
    assert refused.status_code == 413
    assert "2 files" in refused.content.decode()
    assert not Scan.objects.exists()


def test_the_same_bytes_under_another_modality_are_refused_and_the_scan_is_named(
    program, page, case, phantom_png
):
    first = program(file=upload(phantom_png()))
    assert first.status_code == 202
    refused = program(file=upload(phantom_png()), modality="mri")
    assert (refused.status_code, refused.json()["code"], refused.json()["scan"]) == (409, "other_modality", 1)
    assert "scan 1" in refused.json()["detail"]
    assert "Ultrasound" in refused.json()["detail"]
    (outcome,) = page(scans=[upload(phantom_png())], modality="mri").json()["outcomes"]
    assert (outcome["status"], outcome["code"]) == (409, "other_modality")
    assert case.scans.count() == 1
    assert Event.objects.filter(verb="scan.refused", detail__code="other_modality").count() == 2


def test_once_that_scan_is_withdrawn_the_file_is_taken_as_the_other_modality(
    program, case, alice, phantom_png
):
    program(file=upload(phantom_png()))
    withdrawal.withdraw_scan(case.scans.get(), by=alice, reason="wrong_modality")
    assert program(file=upload(phantom_png()), modality="mri").status_code == 202
    assert case.scans.active().get().image.modality == "mri"


def test_an_upload_that_no_version_answers_says_so_at_once(program, page, phantom_png):
    taken = program(file=upload(phantom_png(seed=1))).json()
    assert (taken["will_be_answered"], taken["unanswered_because"]) == (False, "no_active_version")
    shown = page(scans=[upload(phantom_png(seed=2))])
    (outcome,) = shown.json()["outcomes"]
    assert (outcome["will_be_answered"], outcome["unanswered_because"]) == (False, "no_active_version")
    assert "No active model reads Ultrasound scans" in outcome["sentence"]
    plain = page(scans=[upload(phantom_png(seed=3))], script=False)
    assert any("No active model reads" in str(message) for message in plain.wsgi_request._messages)


def test_an_upload_that_will_be_answered_says_that(models, program, page, phantom_png):
    taken = program(file=upload(phantom_png(seed=1))).json()
    assert (taken["will_be_answered"], taken["unanswered_because"]) == (True, "")
    (outcome,) = page(scans=[upload(phantom_png(seed=2))]).json()["outcomes"]
    assert (outcome["will_be_answered"], outcome["sentence"]) == (True, "Added as scan 2.")


def test_a_scan_says_later_why_no_answer_will_come(models, program, case, alice, api, phantom_png):
    address = program(file=upload(phantom_png())).json()["url"]

    def said() -> tuple[bool, str]:
        scan = api(alice).get(address).json()
        return scan["will_be_answered"], scan["unanswered_because"]

    assert said() == (True, ""), "its jobs still wait"
    Job.objects.update(state=Job.State.FAILED)
    assert said() == (False, "jobs_ended")
    withdrawal.withdraw_scan(case.scans.get(), by=alice, reason="wrong_file")
    assert said() == (False, "scan_withdrawn")


def test_a_reader_who_reads_first_is_told_that_no_model_will_answer(case, alice, client_of, small_scan):
    case.department.reading_rules.mode = "reader_first"
    case.department.reading_rules.save()
    small_scan(case, alice)
    shown = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "No active model reads Ultrasound scans: none will answer." in shown
