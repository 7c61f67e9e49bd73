"""Who gets what through every page's address. An address that is not in the table fails."""

from types import SimpleNamespace

import answers
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from accounts.tokens import create_service_account
from cases import calibrations, intake, services
from cases.case_page import page_forms
from cases.models import SavedView
from cases.review import measurements
from cases.review.measurements import Points
from cases.uploads import service as uploads
from inference.jobs import state as jobs
from inference.models import Job
from inference.phantom.export import nifti_bytes

pytestmark = pytest.mark.django_db

WHO = ["alice", "bob", "auditor", "charlie", "manager", "administrator", "program", "nobody"]


def row(*statuses: int) -> dict[str, int]:
    return dict(zip(WHO, statuses, strict=True))


#               alice bob  aud  char mgr  admin prog nobody
WORKLIST = row( 200, 200, 200, 200, 302, 302, 403, 302)  # fmt: skip
SEES = row(     200, 200, 200, 404, 404, 404, 403, 302)  # fmt: skip
OPENS = row(    200, 200, 403, 200, 403, 403, 403, 302)  # fmt: skip
WRITES = row(   302, 302, 403, 404, 404, 404, 403, 302)  # fmt: skip
CHECKS = row(   302, 302, 302, 404, 404, 404, 403, 302)  # fmt: skip
MEASURES = row( 201, 201, 403, 404, 404, 404, 403, 302)  # fmt: skip
CHANGED = row(  409, 409, 403, 404, 404, 404, 403, 302)  # fmt: skip
DRAFTS = row(   204, 204, 403, 404, 404, 404, 403, 302)  # fmt: skip
MODELS = row(   200, 200, 200, 200, 200, 403, 403, 302)  # fmt: skip
MANAGES = row(  403, 403, 403, 403, 200, 403, 403, 302)  # fmt: skip
QUEUE = row(    403, 200, 403, 403, 200, 200, 403, 302)  # fmt: skip
CANCELS = row(  403, 403, 403, 403, 302, 403, 403, 302)  # fmt: skip
CHAIN = row(    403, 403, 302, 403, 403, 403, 403, 302)  # fmt: skip
AUDIT = row(    403, 403, 200, 403, 403, 403, 403, 302)  # fmt: skip

OF_A_CASE = (
    "file_read", "keep_draft", "sign", "joint", "add_addendum", "assign", "report", "report_page", "findings",
    "state_atrium", "correct_birth_date",
)  # fmt: skip
MEASURED = {"tool": "distance", "frame": 0, "start_row": 1, "start_column": 1, "end_row": 3, "end_column": 3}
TABLE = {
    "cases:worklist": ("GET", WORKLIST),
    "cases:next": ("GET", row(302, 302, 302, 302, 302, 302, 403, 302)),
    "cases:open_case": ("GET", OPENS),
    "cases:save_view": ("POST", row(302, 302, 302, 302, 403, 403, 403, 302)),
    "cases:forget_view": ("POST", row(302, 404, 404, 404, 403, 403, 403, 302)),
    "cases:department": ("GET", row(200, 200, 200, 200, 403, 403, 403, 302)),
    "cases:case": ("GET", SEES),
    "cases:live": ("GET", SEES),
    "cases:presence": ("POST", SEES),
    "cases:frame": ("GET", SEES),
    "cases:cut_rows": ("GET", SEES),
    "cases:cut_columns": ("GET", SEES),
    "cases:heatmap": ("GET", SEES),
    "cases:pieces": ("GET", SEES),
    "cases:upload": ("POST", row(422, 422, 403, 404, 404, 404, 403, 302)),  # without a file
    "cases:begin_upload": ("POST", MEASURES),
    "cases:understood": ("GET", row(200, 200, 403, 404, 404, 404, 403, 302)),
    "cases:upload_parts": ("POST", row(400, 400, 403, 404, 404, 404, 403, 302)),  # without a file
    "cases:choose_frames": ("POST", WRITES),
    "cases:correct_birth_date": ("POST", WRITES | {"bob": 422}),  # the date that it is by then
    "cases:withdraw_scan": ("GET", row(200, 200, 403, 404, 404, 404, 403, 302)),
    "cases:try_again": ("POST", WRITES),
    "cases:cancel_job": ("POST", WRITES),
    "cases:ask_again": ("POST", WRITES),
    "cases:explain": ("POST", WRITES),
    "cases:run_again": ("POST", CHECKS),
    "cases:file_read": ("POST", CHANGED),  # of a page that says nothing of what it showed
    "cases:keep_draft": ("POST", DRAFTS),
    "cases:joint": ("GET", SEES),
    "cases:sign": ("GET", SEES),
    "cases:add_addendum": ("GET", SEES),
    "cases:assign": ("POST", WRITES),
    "cases:report": ("GET", SEES),
    "cases:report_page": ("GET", SEES),
    "cases:measure": ("POST", MEASURES),
    "cases:depth_marks": ("GET", SEES),
    "cases:calibrate": ("POST", WRITES),
    "cases:withdraw_calibration": ("POST", WRITES | {"bob": 409}),  # once
    "cases:withdraw": ("POST", WRITES | {"bob": 409}),  # once
    "cases:state_atrium": ("POST", WRITES),
    "cases:answer_advice": ("POST", WRITES | {"bob": 409}),  # once
    "cases:findings": ("GET", SEES),
    "inference:models": ("GET", MODELS),
    "inference:model": ("GET", MODELS),
    "inference:move": ("GET", MANAGES),
    "inference:upload": ("GET", MANAGES),
    "inference:train": ("GET", MANAGES),
    "inference:all_work": ("GET", MODELS),
    "inference:work": ("GET", MODELS),
    "inference:seats": ("GET", MODELS),
    "inference:compare": ("GET", MODELS),
    "inference:queue": ("GET", QUEUE),
    "inference:cancel_job": ("POST", CANCELS),
    "audit:trail": ("GET", AUDIT),
    "audit:export": ("GET", AUDIT),
    "audit:check": ("POST", CHAIN),
    "account_tokens": ("GET", row(200, 200, 200, 200, 200, 200, 403, 302)),
}


@pytest.fixture
def record(case, alice, small_scan, tmp_path):
    """A case with one answered scan and one job that still waits."""
    version = answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 48, 64))
    calibration = calibrations.calibrate(scan, Points(0, (1, 1), (1, 41)), by=alice, length_mm=10)
    explanation = answers.explanation(answers.answer(Job.objects.get(image=scan.image)))
    waiting = jobs.submit(
        Job.Kind.PREDICT, image=scan.image, model_version=version, requested_by=alice, thread=case.thread
    )
    check = jobs.submit(Job.Kind.CHECK, requested_by=alice)
    stack = ContentFile(nifti_bytes(np.ones((2, 32, 40), np.uint8), (1.0, 1.0), 2.0))
    volume, _ = intake.receive(case, stack, modality="mri", by=alice, file_name="volume.nii")
    points = Points(0, (1.0, 1.0), (4.0, 5.0))
    measurement = measurements.measure(scan, points, by=alice, tool="distance")
    return SimpleNamespace(
        measurement=measurement,
        calibration=calibration,
        advice=answers.advice(case),
        view=SavedView.objects.create(owner=alice, name="Urgent", query="order=urgent"),
        check=check,
        case=case,
        session=uploads.open_session(case, "ultrasound", by=alice),
        scan=scan,
        volume=volume,
        explanation=explanation,
        job=waiting,
        model=version,
    )


def address(name: str, record) -> tuple[str, dict[str, str]]:
    """Where the page is, and what is sent there."""
    case, scan, job, model = record.case.pk, record.scan.pk, record.job.pk, record.model.pk
    places = {
        "cases:case": [case],
        "cases:live": [case],
        "cases:presence": [case],
        "cases:upload": [case],
        "cases:begin_upload": [case],
        "cases:understood": [record.session.pk],
        "cases:upload_parts": [record.session.pk],
        "cases:choose_frames": [scan],
        "cases:try_again": [scan],
        "cases:withdraw_scan": [scan],
        "cases:frame": [scan, 0],
        "cases:cut_rows": [record.volume.pk, 0],
        "cases:cut_columns": [record.volume.pk, 0],
        "cases:depth_marks": [scan, 0],
        "cases:heatmap": [record.explanation.pk, 0],
        "cases:pieces": [record.explanation.pk, 0],
        "cases:cancel_job": [job],
        "cases:ask_again": [job],
        "cases:explain": [record.explanation.prediction_id],
        "cases:run_again": [record.explanation.prediction_id],
        "cases:measure": [scan],
        "cases:withdraw": [record.measurement.pk],
        "cases:calibrate": [scan],
        "cases:withdraw_calibration": [record.calibration.pk],
        "cases:answer_advice": [record.advice.pk],
        "cases:forget_view": [record.view.pk],
        **{f"cases:{name}": [case] for name in OF_A_CASE},
        "inference:cancel_job": [record.check.pk],
        "inference:model": [model],
        "inference:compare": [model],
        "inference:move": [model, "retire"],
        "inference:work": [record.check.pk],
        "audit:export": ["csv"],
    }
    sent = {
        "cases:upload": {"modality": "ultrasound"},
        "cases:begin_upload": {"modality": "ultrasound"},
        "cases:choose_frames": {"frames": "1"},
        "cases:correct_birth_date": {"birth_date": "1990-01-02", "reason": "Mistyped."},
        "cases:explain": {"method": "lime", "class_label": "normal"},
        "cases:file_read": {"kind": "final", "finding": "normal"},
        "cases:keep_draft": {"form": "read", "note": "wide"},
        "cases:save_view": {"name": "Open", "query": "stage=open"},
        "cases:answer_advice": {"place": "0", "outcome": "done"},
        "cases:withdraw": {"reason": "Wrong plane."},
        "cases:withdraw_calibration": {"reason": "Other ticks."},
        "cases:calibrate": MEASURED | {"end_column": 41, "length_mm": "20"},
        "cases:state_atrium": {"side": "right", "reason": "shadow"},
        "cases:measure": MEASURED,
    }
    return reverse(name, args=places.get(name, [])), sent.get(name, {})


@pytest.fixture
def visitors(request, department) -> dict[str, Client]:
    """A browser for everyone of WHO."""
    clients = {who: Client() for who in WHO}
    program = create_service_account("program", department)
    for who in WHO[:-1]:
        user = program if who == "program" else request.getfixturevalue(who)
        clients[who].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return clients


@pytest.mark.parametrize("name", TABLE)
def test_a_page_answers_each_kind_of_visitor_as_the_table_says(name, record, visitors):
    method, expected = TABLE[name]
    where, sent = address(name, record)
    answered = {}
    for who, client in visitors.items():
        response = client.get(where) if method == "GET" else client.post(where, sent)
        answered[who] = response.status_code
        if who == "nobody":
            assert response.headers["Location"].startswith("/account/login/")
    assert answered == expected


def test_every_page_is_in_the_table():
    named = {
        f"{room}:{pattern.name}"
        for room in ("cases", "inference", "audit")
        for pattern in get_resolver().namespace_dict[room][1].url_patterns
        if isinstance(pattern, URLPattern)
    }
    assert named == {name for name in TABLE if ":" in name}


@pytest.mark.parametrize("name", [name for name, (method, _) in TABLE.items() if method == "POST"])
def test_a_write_needs_a_form_of_ours(name, record, alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    where, sent = address(name, record)
    assert client.post(where, sent).status_code == 403
    looked = client.get(where)
    comes_back = name.removeprefix("cases:") in {*page_forms.FORMS, "file_read"}
    assert looked.url == back_to_the_case(record) if comes_back else looked.status_code == 405


def back_to_the_case(record) -> str:
    """Where somebody is led who loads again the page on which a refused form came back."""
    return record.case.get_absolute_url()


def test_a_service_account_has_no_way_to_log_in(department):
    user = create_service_account("program", department)
    client = Client()
    response = client.post("/account/login/", {"login": user.username, "password": ""})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_page_carries_the_policy_and_nothing_inline(record, client_of, alice):
    response = client_of(alice).get(record.case.get_absolute_url())
    page = response.content.decode()
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert " style=" not in page
    assert "<style" not in page
    scripts = [tag.split(">")[0] for tag in page.split("<script")[1:]]
    assert all(" src=" in tag or 'type="application/json"' in tag for tag in scripts)
    assert " onclick" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_what_is_not_there_is_said_in_our_look(client_of, alice):
    response = client_of(alice).get("/nowhere/")
    assert response.status_code == 404
    assert "nothing here that you may see" in response.content.decode()


def test_who_lost_their_membership_sees_the_case_no_longer(record, client_of, alice):
    client = client_of(alice)
    alice.memberships.all().delete()
    assert client.get(record.case.get_absolute_url()).status_code == 404
    assert services.scan_of(record.scan.image).case == record.case
