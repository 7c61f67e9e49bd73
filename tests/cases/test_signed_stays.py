"""A signed case never changes: through no door that a person has, and by no raw SQL either."""

import hashlib
import re
import uuid

import answers
import pytest
from conftest import PASSWORD
from django.apps import apps
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import get_resolver, reverse
from pages import routes, shown_now

from cases import calibrations, verification
from cases.models import Case, SignOff
from cases.review import measurements
from cases.review import service as review
from cases.review.measurements import Points
from cases.uploads import service as uploads
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.models import Job, Prediction
from inference.registry import service as registry

pytestmark = pytest.mark.django_db

SCAN_POINTS = {"frame": 0, "start_row": 1, "start_column": 1, "end_row": 3, "end_column": 3}
WRITES = {
    "cases:upload": ("case", {"modality": "ultrasound", "scans": "FILE"}),
    "cases:begin_upload": ("case", {"modality": "ultrasound"}),
    "cases:upload_parts": ("session", {"file": "FILE"}),
    "cases:understood": ("session", {}),
    "cases:file_read": ("case", {"kind": "final", "finding": "normal"}),
    "cases:keep_draft": ("case", {"form": "read", "note": "wide"}),
    "cases:joint": ("case", {"password": PASSWORD}),
    "cases:sign": ("case", {"password": PASSWORD}),
    "cases:assign": ("case", {"to": "bob"}),
    "cases:measure": ("scan", {"tool": "distance", **SCAN_POINTS}),
    "cases:calibrate": ("scan", {**SCAN_POINTS, "length_mm": "20"}),
    "cases:withdraw_calibration": ("calibration", {"reason": "Other ticks."}),
    "cases:withdraw_scan": ("scan", {"reason": "wrong_file"}),
    "cases:withdraw": ("measurement", {"reason": "Wrong plane."}),
    "cases:state_atrium": ("case", {"side": "left", "reason": "shadow"}),
    "cases:answer_advice": ("advice", {"place": 0, "outcome": "done"}),
    "cases:choose_frames": ("scan", {"frames": "1"}),
    "cases:correct_birth_date": ("case", {"birth_date": "1990-01-02", "reason": "Mistyped."}),
    "cases:try_again": ("scan", {}),
    "cases:explain": ("prediction", {"method": "occlusion", "class_label": "normal"}),
    "cases:cancel_job": ("waiting", {}),
    "cases:ask_again": ("failed", {}),
    "api:scans": ("case", {"modality": "ultrasound", "file": "FILE"}),
    "api:uploads": ("case", {"modality": "ultrasound"}),
    "api:upload-parts": ("session", {"file": "FILE", "sha256": hashlib.sha256(b"late").hexdigest()}),
    "api:commit-upload": ("session", {}),
    "api:frames-to-read": ("scan", {"frames": [0]}),
    "api:try-again": ("scan", {}),
    "api:correct-birth-date": ("case", {"birth_date": "1990-01-02", "reason": "Mistyped."}),
    "api:calibrations": ("scan", {"frame": 0, "start": [0, 0], "end": [0, 40], "length_mm": 20}),
    "api:withdraw-calibration": ("calibration", {"reason": "Other ticks."}),
    "api:withdraw-scan": ("scan", {"reason": "wrong_file"}),
    "api:answer-advice": ("advice", {"place": 0, "outcome": "done"}),
    "api:explain": ("prediction", {"method": "occlusion"}),
    "api:cancel-job": ("waiting", {}),
}
"""Every route through which somebody writes to a case: what it is about, and a request that is in order."""
CHECKS = {"cases:run_again", "api:run-again"}
"""Routes that compare what is stored with what comes out now, and change none of it."""
ELSEWHERE = {
    "cases:add_addendum",  # what a signed case takes
    "cases:presence",  # who looks: of a signed case nothing is kept (test_presence)
    "cases:worklist",  # keeps filters in the session
    "cases:open_case",
    "cases:save_view",
    "cases:forget_view",
    "inference:upload",
    "inference:cancel_job",  # work on models
    "inference:train",
    "inference:move",
    "api:cases",
}
"""Routes that write, and to no case that is there already."""
OTHER_ROOMS = {"admin", "account", "audit", "notices", "webhooks", "healthz", "readyz", "api/docs", "api"}
"""Whose addresses know no case: by the beginning of the address."""


@pytest.fixture
def signed(case, alice, bob, small_scan, tmp_path, client_of):
    """Signed by Alice, with one of everything; one job failed before, one is still under way."""
    version = answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 48, 64))
    calibration = calibrations.calibrate(scan, Points(0, (1, 1), (1, 41)), by=alice, length_mm=10)
    first = Job.objects.get(image=scan.image)
    prediction = answers.explanation(answers.answer(first), method="gradcam").prediction
    measurement = measurements.measure(scan, Points(0, (1.0, 1.0), (4.0, 5.0)), by=alice, tool="distance")
    failed = jobs.submit(Job.Kind.PREDICT, image=scan.image, model_version=version, requested_by=alice)
    lease.fail(answers._claimed(failed), "out_of_memory", "There was not enough memory.")
    waiting = jobs.submit(Job.Kind.PREDICT, image=scan.image, model_version=version, requested_by=alice)
    advice = answers.advice(case)
    session = uploads.open_session(case, "ultrasound", by=alice)
    review.file_read(case, by=alice, kind="final", finding="ventriculomegaly", shown=shown_now(case, alice))
    review.sign(case, by=alice, shown=shown_now(case, alice))
    return {
        "case": case.pk,
        "scan": scan.pk,
        "prediction": prediction.pk,
        "measurement": measurement.pk,
        "calibration": calibration.pk,
        "failed": failed.pk,
        "waiting": waiting.pk,
        "advice": advice.pk,
        "session": session.pk,
    }


def everything() -> dict[str, str]:
    """A digest of every row of the rooms that know scans."""
    found = {}
    with connection.cursor() as cursor:
        for model in (
            *apps.get_app_config("cases").get_models(),
            *apps.get_app_config("inference").get_models(),
        ):
            table = model._meta.db_table
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
            found[table] = cursor.fetchone()[0]
    return found


def said(response) -> set[str]:
    """The codes of a refusal, wherever a route says them."""
    if "json" in response.headers.get("Content-Type", ""):
        body = response.json()
        return {one["code"] for one in body.get("outcomes", [body])}
    tags = {tag for message in get_messages(response.wsgi_request) for tag in message.tags.split()}
    return tags | set(re.findall(r'data-code="(\w+)"', response.content.decode()))


def ask(name: str, signed, client, program):
    what, sent = WRITES[name]
    address = reverse(name, args=[signed[what]])
    if name.startswith("api:") and "file" not in sent:
        return program.post(address, sent, content_type="application/json")
    filled = {
        key: SimpleUploadedFile("late.png", b"late") if value == "FILE" else value
        for key, value in sent.items()
    }
    door = program if name.startswith("api:") else client
    return door.post(address, filled, headers={"Accept": "application/json"})


def test_every_writing_route_refuses_a_signed_case_and_changes_nothing(signed, bob, client_of, api):
    client, program = client_of(bob), api(bob)
    before = everything()
    refused = {name: said(ask(name, signed, client, program)) for name in WRITES}
    assert {name: codes for name, codes in refused.items() if "case_signed" not in codes} == {}
    assert everything() == before


def test_every_route_that_writes_is_listed(signed, bob, client_of, api):
    unlisted = []
    for address, name, pattern in routes(get_resolver().url_patterns):
        if name in WRITES or name in ELSEWHERE or name in CHECKS:
            continue
        if not name.startswith(("cases:", "inference:", "api:")):
            if not address.lstrip("^").startswith(tuple(OTHER_ROOMS)):
                unlisted.append(name)
            continue
        kwargs = {
            key: {"uuid": uuid.uuid4(), "int": 0}.get(
                type(converter).__name__.removesuffix("Converter").lower(), "x"
            )
            for key, converter in pattern.pattern.converters.items()
        }
        client = api(bob) if name.startswith("api:") else client_of(bob)
        where = reverse(name, kwargs=kwargs)
        unlisted += [
            f"{method} {name}"
            for method in ("post", "put", "patch", "delete")
            if getattr(client, method)(where).status_code != 405
        ]
    assert unlisted == []


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_an_answer_of_a_signed_case_is_checked_without_changing_what_was_signed(
    name, signed, alice, bob, client_of, api
):
    before, printed, known = everything(), report_of(signed, client_of(alice)), list(verification.faults())
    door = api(bob) if name.startswith("api:") else client_of(bob)
    asked = door.post(reverse(name, args=[signed["prediction"]]))
    assert asked.status_code in {202, 302}
    job = Job.objects.get(kind="repeat")
    answers.repetition(job)
    changed = {table for table, digest in everything().items() if digest != before[table]}
    assert changed == {"inference_job", "inference_repetition"}
    assert report_of(signed, client_of(alice)) == printed
    page = client_of(alice).get(f"/cases/{signed['case']}/").content.decode()
    assert "after the signature" in page.split("Run again</dt>")[1].split("</dd>")[0]
    assert list(verification.faults()) == known


def report_of(signed, client) -> str:
    """Without what differs from one look to the next: the form's token, and when it was printed."""
    page = client.get(f"/cases/{signed['case']}/report/").content.decode()
    page = re.sub(r"\d\d:\d\d UTC", "", page)
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)


def test_what_was_under_way_still_arrives_and_an_addendum_is_taken(signed, alice, client_of):
    address = reverse("cases:add_addendum", args=[signed["case"]])
    assert client_of(alice).post(address, {"text": "Seen again.", "password": PASSWORD}).status_code == 302
    case = Case.objects.get(pk=signed["case"])
    assert case.addenda.count() == 1
    answers.answer(Job.objects.get(pk=signed["waiting"]), label="normal")
    assert Prediction.objects.count() == 2


def again(table: str, **other) -> str:
    """The row of a table once more, with another key and what else is given, as SQL."""
    given = ", ".join(f"'{name}', {value}" for name, value in {"id": "gen_random_uuid()", **other}.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({given}))).*"
        f" FROM {table} t LIMIT 1"
    )


STATEMENTS = {
    "scan": again("cases_scan", number=2, original_sha256="repeat('0', 64)"),
    "scan changed": "UPDATE cases_scan SET file_name = 'other.png'",
    "scan gone": "DELETE FROM cases_scan",
    "scan withdrawn": "INSERT INTO cases_scanwithdrawal (id, scan_id, withdrawn_by_id, reason, note)"
    " SELECT gen_random_uuid(), id, added_by_id, 'wrong_file', '' FROM cases_scan",
    "identity": "INSERT INTO cases_scanidentity (id, scan_id, patient_id, accession_number,"
    " study_instance_uid, series_instance_uid, sop_instance_uid, mismatch, reason)"
    " SELECT gen_random_uuid(), id, 'P-1', '', '', '', '', '[]', '' FROM cases_scan",
    "file of a scan": "INSERT INTO cases_scanfile (id, scan_id, place, blob_id, name)"
    " SELECT gen_random_uuid(), id, 0, original_sha256, '' FROM cases_scan",
    "image changed": "UPDATE inference_image SET row_spacing = 3",
    "measurement": again("cases_measurement"),
    "calibration": again("cases_calibration"),
    "calibration withdrawn": "INSERT INTO cases_calibrationwithdrawal (id, calibration_id, withdrawn_by_id,"
    " reason) SELECT gen_random_uuid(), id, made_by_id, 'late' FROM cases_calibration",
    "withdrawal": "INSERT INTO cases_withdrawal (id, measurement_id, withdrawn_by_id, reason)"
    " SELECT gen_random_uuid(), id, made_by_id, 'late' FROM cases_measurement",
    "atrium": "INSERT INTO cases_atriumstatement (id, case_id, side, reason, note, stated_by_id)"
    " SELECT gen_random_uuid(), case_id, 'left', 'shadow', '', reader_id FROM cases_read",
    "read": again("cases_read"),
    "frames": again("inference_job", parameters="jsonb_build_object('frames', '[0]'::jsonb)"),
    "advice": again("cases_advice", state_sha256="'another'"),
    "answer to advice": "INSERT INTO cases_adviceanswer (id, advice_id, place, outcome, reason,"
    " answered_by_id) SELECT gen_random_uuid(), advice.id, 0, 'done', '', read.reader_id"
    " FROM cases_advice advice, cases_read read",
    "age": "UPDATE cases_case SET gestational_age_days = 200",
    "question": "UPDATE cases_case SET question = 'Another?'",
    "stage": "UPDATE cases_case SET stage = 'to_read'",
    "priority": "UPDATE cases_case SET priority = 20",
    "case gone": "DELETE FROM cases_case",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_database_refuses_what_gets_past_the_guard(signed, name):
    before = everything()
    with (
        pytest.raises(IntegrityError, match="signed case never change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(STATEMENTS[name])
    assert everything() == before


def test_the_same_statements_are_taken_while_a_case_is_not_signed(signed, intruder):
    """What refuses them is the signature: without it each does what it says."""
    intruder("DELETE FROM cases_signoff")
    with connection.cursor() as cursor:
        for table in ("cases_case", "cases_scan", "cases_measurement", "cases_read", "cases_withdrawal"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_signed_stays")
        for name in ("scan changed", "measurement", "withdrawal", "read", "frames", "age", "stage"):
            cursor.execute(STATEMENTS[name])
            assert cursor.rowcount >= 1, name


def test_an_account_that_is_deleted_lets_go_of_the_signed_cases_it_was_given(case, signed):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET assignee_id = NULL")
    assert Case.objects.get().stage == "signed"
    assert SignOff.objects.count() == 1


def test_models_move_on_whatever_is_signed(signed):
    version = Job.objects.get(pk=signed["waiting"]).model_version
    registry.retire(version, by=None, reason="a test")
