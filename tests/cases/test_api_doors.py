"""Who gets what through every address of the API. An address that is not in the table fails."""

import hashlib
import itertools
import uuid
from datetime import timedelta
from types import SimpleNamespace

import answers
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from accounts.models import Membership, Role
from accounts.tokens import create_service_account, issue_token
from audit.models import Event
from blobs import store
from cases import calibrations, services
from cases.models import Calibration
from cases.review.measurements import Points
from cases.uploads import service as uploads
from inference.jobs import state as jobs
from inference.models import Image, Job

pytestmark = pytest.mark.django_db

WHO = ["alice", "bob", "program", "auditor", "charlie", "manager", "administrator", "nobody"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def row(*statuses: int) -> dict[str, int]:
    return dict(zip(WHO, statuses, strict=True))


#               alice bob  prog aud  char mgr  admin nobody
SEES = row(     200, 200, 200, 200, 404, 404, 404, 401)  # fmt: skip
LISTS = row(    200, 200, 200, 200, 200, 200, 200, 401)  # fmt: skip
MODELS = row(   200, 200, 200, 200, 200, 200, 403, 401)  # fmt: skip
OPENS = row(    201, 201, 201, 403, 400, 403, 403, 401)  # fmt: skip
SUBMITS = row(  202, 202, 202, 403, 404, 403, 403, 401)  # fmt: skip
CHOOSES = row(  202, 202, 202, 403, 404, 403, 403, 401)  # fmt: skip
CANCELS = row(  200, 200, 200, 403, 404, 403, 403, 401)  # fmt: skip
ANSWERS = row(  201, 201, 201, 403, 404, 404, 404, 401)  # fmt: skip
EXPLAINS = row( 202, 202, 202, 403, 404, 403, 403, 401)  # fmt: skip
CHECKS = row(   202, 202, 202, 202, 404, 404, 404, 401)  # fmt: skip
ANYBODY = row(  200, 200, 200, 200, 200, 200, 200, 200)  # fmt: skip

TABLE = {
    "schema": {"GET": ANYBODY},
    "cases": {"GET": LISTS, "POST": OPENS},
    "case": {"GET": SEES},
    "reading": {"GET": SEES},
    "correct-birth-date": {"POST": ANSWERS | {"manager": 403, "administrator": 403}},
    "current-advice": {"GET": SEES},
    "answer-advice": {"POST": ANSWERS},
    "scans": {"GET": SEES, "POST": SUBMITS},
    "uploads": {"POST": ANSWERS | {"manager": 403, "administrator": 403}},
    "upload": {"GET": SEES},
    "upload-parts": {"POST": ANSWERS | {"manager": 403, "administrator": 403}},
    "commit-upload": {"POST": CANCELS},
    "scan": {"GET": SEES},
    "original": {"GET": SEES},
    "frame": {"GET": SEES},
    "frames-to-read": {"POST": CHOOSES},
    "try-again": {"POST": CHOOSES},
    "depth-marks": {"GET": SEES},
    "calibrations": {"GET": SEES, "POST": ANSWERS | {"manager": 403, "administrator": 403}},
    "withdraw-calibration": {"POST": ANSWERS | {"manager": 403, "administrator": 403}},
    "job": {"GET": SEES},
    "cancel-job": {"POST": CANCELS},
    "prediction": {"GET": SEES},
    "explain": {"POST": EXPLAINS},
    "run-again": {"POST": CHECKS},
    "explanation": {"GET": SEES},
    "heatmap": {"GET": SEES},
    "segments": {"GET": SEES},
    "models": {"GET": MODELS},
    "seats": {"GET": MODELS},
    "model": {"GET": MODELS},
    "withdraw-scan": {"POST": ANSWERS | {"manager": 403, "administrator": 403}},  # last: it ends all else
}


DAYS = itertools.count(1)


@pytest.fixture
def tokens(alice, bob, charlie, auditor, manager, administrator, department):
    """Everybody's, by name."""
    program = create_service_account("program", department)
    users = (alice, bob, program, auditor, charlie, manager, administrator)
    return {user.username: issue_token(user, lifetime=timedelta(hours=1)) for user in users}


@pytest.fixture
def world(tokens, alice, case, phantom_png, tmp_path):
    """Alice's case with an answered, explained scan."""
    explanation = answers.explained_scan(case, alice, phantom_png(), tmp_path)
    prediction = explanation.prediction
    unscaled = {"row_spacing": None, "column_spacing": None, "pixel_spacing_source": ""}
    Image.objects.filter(pk=prediction.image_id).update(**unscaled)  # it is calibrated by hand
    scan = case.scans.get()
    version = prediction.model_version
    session = uploads.open_session(case, "ultrasound", by=alice)
    uploads.add_part(session, ContentFile(phantom_png(seed=3), name="third.png"), by=alice)
    keys = {
        "uploads": case.pk,
        "upload": session.pk,
        "upload-parts": session.pk,
        "commit-upload": session.pk,
        "case": case.pk,
        "scans": case.pk,
        "reading": case.pk,
        "correct-birth-date": case.pk,
        "current-advice": case.pk,
        "scan": scan.pk,
        "original": scan.pk,
        "frame": scan.pk,
        "frames-to-read": scan.pk,
        "try-again": scan.pk,
        "withdraw-scan": scan.pk,
        "calibrations": scan.pk,
        "depth-marks": scan.pk,
        "job": prediction.job_id,
        "prediction": prediction.pk,
        "explain": prediction.pk,
        "run-again": prediction.pk,
        "explanation": explanation.pk,
        "heatmap": explanation.pk,
        "segments": explanation.pk,
        "model": version.pk,
    }
    return SimpleNamespace(tokens=tokens, scan=scan, version=version, keys=keys, png=phantom_png(seed=2))


def address(world, name: str, key: uuid.UUID | None = None) -> str:
    key = key or world.keys.get(name)
    if name == "cancel-job":
        job = jobs.submit(
            Job.Kind.PREDICT,
            image=world.scan.image,
            model_version=world.version,
            requested_by=None,
            thread=world.scan.case.thread,
        )
        key = key or job.pk
    if name == "withdraw-calibration":
        key = key or calibrated(world).pk
    if name == "answer-advice":
        key = key or answers.advice(world.scan.case).pk
    arguments = ([key] if key else []) + ([0] if name in {"frame", "depth-marks"} else [])
    return reverse(f"api:{name}", args=arguments)


def calibrated(world) -> Calibration:
    """Another one each time: each is withdrawn once."""
    points = Points(0, (10.0, 10.0), (10.0, 60.0))
    return calibrations.calibrate(world.scan, points, by=world.scan.added_by, length_mm=20)


def body(world, name: str) -> dict:
    if name == "scans":
        file = SimpleUploadedFile("scan.png", world.png)
        return {"data": {"file": file, "modality": "ultrasound"}}
    if name == "upload-parts":
        file, sha256 = SimpleUploadedFile("scan.png", world.png), hashlib.sha256(world.png).hexdigest()
        return {"data": {"file": file, "sha256": sha256}}
    sent = {"cases": {"department": "fetal-medicine", "patient_id": "P-9"}, "frames-to-read": {"frames": [0]}}
    sent["answer-advice"] = {"place": 0, "outcome": "done"}
    sent["calibrations"] = {"frame": 0, "start": [10, 10], "end": [10, 60], "length_mm": 20}
    sent["withdraw-calibration"] = {"reason": "Other ticks."}
    sent["withdraw-scan"] = {"reason": "wrong_file"}
    born = f"1990-01-{next(DAYS):02}"  # another date each time: the same one is refused
    sent["correct-birth-date"] = {"birth_date": born, "reason": "Mistyped."}
    sent["uploads"] = {"modality": "ultrasound"}
    sent["explain"] = {"method": "occlusion"}
    return {"data": sent.get(name, {}), "content_type": "application/json"}


def ask(world, who: str, method: str, name: str, key: uuid.UUID | None = None):
    token = world.tokens.get(who)
    client = Client(headers={"Authorization": f"Token {token}"} if token else {})
    sent = body(world, name) if method == "POST" else {}
    return getattr(client, method.lower())(address(world, name, key), **sent)


def test_every_address_of_the_api_is_in_the_table():
    [api] = [entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/v1/"]
    names = {
        route.name
        for entry in api.url_patterns
        for route in ([entry] if isinstance(entry, URLPattern) else entry.url_patterns)
    }
    assert names == set(TABLE)


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(world, who):
    for name, methods in TABLE.items():
        for method, statuses in methods.items():
            response = ask(world, who, method, name)
            assert response.status_code == statuses[who], f"{method} {name}: {response.content[:300]}"


def test_no_address_has_a_method_that_the_table_does_not_name(world):
    for name, methods in TABLE.items():
        for method in set(METHODS) - set(methods):
            response = ask(world, "alice", method, name)
            assert response.status_code == 405, f"{method} {name}"
            assert response.json()["code"] == "method_not_allowed"


def test_what_charlie_may_not_see_looks_like_what_does_not_exist(world):
    for name in set(world.keys) - {"model"}:
        method = "POST" if set(TABLE[name]) == {"POST"} else "GET"
        hidden = ask(world, "charlie", method, name)
        missing = ask(world, "charlie", method, name, key=uuid.uuid4())
        assert hidden.json() == missing.json(), name


def test_charlies_lists_hold_nothing_of_alices_department(world):
    listed = ask(world, "charlie", "GET", "cases").json()
    assert listed == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("problem", ["inactive", "expired", "made up", "not a token", "password"])
def test_only_a_valid_token_of_an_active_user_comes_in(tokens, alice, problem):
    header = f"Token {tokens['alice']}"
    if problem == "inactive":
        type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    if problem == "expired":
        header = f"Token {issue_token(alice, lifetime=timedelta(seconds=-1))}"
    if problem == "made up":
        header = header[:-6] + "000000"
    if problem == "not a token":
        header = "Token \xff\xfe"
    if problem == "password":
        header = "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="
    response = Client(headers={"Authorization": header}).get(reverse("api:cases"))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert response["Content-Type"] == "application/problem+json"


def test_a_browser_session_does_not_open_the_api(alice, client_of):
    assert client_of(alice).get(reverse("api:cases")).status_code == 401


def test_losing_the_role_takes_effect_at_once(world, alice):
    assert ask(world, "alice", "GET", "case").status_code == 200
    Membership.objects.filter(user=alice).delete()
    assert ask(world, "alice", "GET", "case").status_code == 404


def test_an_auditor_here_who_reads_elsewhere_still_changes_nothing_here(world, auditor, other_department):
    Membership.objects.create(user=auditor, department=other_department, role=Role.READER)
    for name in ("scans", "uploads", "frames-to-read", "try-again", "cancel-job"):
        last = Event.objects.latest("pk").pk
        response = ask(world, "auditor", "POST", name)
        assert response.status_code == 403, name
        assert response.json()["code"] == "permission_denied"
        done = Event.objects.filter(pk__gt=last).exclude(verb="job.queued")  # the test's own queued job
        assert [event.verb for event in done] == ["access.refused"], name


def test_the_same_file_in_another_department_tells_nobody_that_it_is_known(world, charlie, other_department):
    theirs, _ = services.open_case(by=charlie, department=other_department, patient_id="C-1")
    world.keys["scans"] = theirs.pk
    world.png = store.read(world.scan.original_sha256)
    assert ask(world, "charlie", "POST", "scans").status_code == 202
