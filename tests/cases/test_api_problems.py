"""Whatever goes wrong, the answer is a problem document with a stable code."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import answers
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User
from accounts.tokens import issue_token
from audit.models import Event
from cases import intake, services
from cases.models import Case, Patient, Scan

pytestmark = pytest.mark.django_db
OPENING = {"department": "fetal-medicine", "patient_id": "P-1", "gestational_age_days": 171}


def client_of_token(user) -> Client:
    token = issue_token(user, lifetime=timedelta(hours=1))
    return Client(headers={"Authorization": f"Token {token}"})


@pytest.fixture
def program(alice) -> Client:
    """Alice's own program."""
    return client_of_token(alice)


@pytest.fixture
def scan_without_pixels(case, alice, phantom_png) -> Scan:
    """Somebody has removed its blob from the disk."""
    upload = ContentFile(phantom_png())
    scan, _ = intake.receive(case, upload, modality="ultrasound", by=alice, file_name="scan.png")
    sha256 = scan.image.pixels_id
    storages["blobs"].delete(f"{sha256[:2]}/{sha256[2:4]}/{sha256}")
    return scan


def open_case(client: Client, body: object = OPENING, **headers):
    return client.post(reverse("api:cases"), body, content_type="application/json", headers=headers)


def codes(response) -> dict[str, str]:
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code == 400
    return {error["field"]: error["code"] for error in problem["errors"]}


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"patient_name": "x"}, "patient_name", "unknown"),
        ({"number": "2026-000001"}, "number", "unknown"),
        ({"opened_by": 1}, "opened_by", "unknown"),
        ({"department": "elsewhere"}, "department", "does_not_exist"),
        ({"department": None}, "department", "null"),
        ({"patient_id": ""}, "patient_id", "blank"),
        ({"patient_id": "x" * 65}, "patient_id", "max_length"),
        ({"patient_id": "a\0b"}, "patient_id", "null_characters_not_allowed"),
        ({"patient_id": "a\ud800b"}, "patient_id", "surrogate_characters_not_allowed"),
        ({"gestational_age_days": 69}, "gestational_age_days", "min_value"),
        ({"gestational_age_days": 309}, "gestational_age_days", "max_value"),
        ({"gestational_age_days": "24w3d"}, "gestational_age_days", "invalid"),
        ({"gestational_age_days": "171"}, "gestational_age_days", "invalid"),
        ({"gestational_age_days": 171.5}, "gestational_age_days", "invalid"),
        ({"gestational_age_days": True}, "gestational_age_days", "invalid"),
        ({"patient_id": 7}, "patient_id", "invalid"),
        ({"priority": "now"}, "priority", "invalid_choice"),
        ({"question": "x" * 501}, "question", "max_length"),
    ],
)
def test_each_wrong_field_is_named_with_its_reason(program, other_department, change, field, code):
    assert codes(open_case(program, OPENING | change)) == {field: code}
    assert not Case.objects.exists()


@pytest.mark.parametrize("body", ["[]", '"case"', "1", "null"])
def test_a_body_that_is_no_object_is_refused(program, body):
    assert open_case(program, body).status_code == 400


@pytest.mark.parametrize(
    "body",
    ["{", '{"gestational_age_days": NaN}', '{"patient_id": "\\', "[" * 100_000, "\xff", "1" * 5000],
    ids=["half", "NaN", "half string", "deep", "not UTF-8", "huge number"],
)
def test_json_that_cannot_be_read_is_refused(program, body):
    response = program.post(reverse("api:cases"), body.encode("latin-1"), content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


def test_a_body_beyond_the_limit_is_refused(program, settings):
    response = open_case(program, OPENING | {"question": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_another_content_type_is_refused(program):
    response = program.post(reverse("api:cases"), OPENING)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_an_answer_in_another_format_is_not_to_be_had(program):
    response = program.get(reverse("api:cases"), headers={"Accept": "text/html"})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "trace"])
@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing/", "/api/v2/cases/", "/api/v1/cases", "/api/x", "/api/v1/cases/1/", "/api/v1/%0A/"],
)
def test_an_unknown_address_is_a_problem_document_for_every_method(db, method, path):
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"modality": "x-ray"}, "modality"),
        ({"opened_after": "yesterday"}, "opened_after"),
        ({"number": "\0"}, "number"),
        ({"patient_id": ""}, "patient_id"),
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "201"}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"cursor": "made up"}, "cursor"),
        ({"cursor": "cD1tYWRlLXVw"}, "cursor"),  # p=made-up: well-formed, but no time
    ],
)
def test_a_wrong_parameter_is_named(program, case, query, field):
    assert list(codes(program.get(reverse("api:cases"), query))) == [field]


@pytest.mark.parametrize("name", ["opened_by__password__startswith", "ordering", "patientid"])
def test_a_filter_that_there_is_not_is_refused_and_not_ignored(program, case, name):
    assert codes(program.get(reverse("api:cases"), {name: "x"})) == {name: "unknown"}


def test_the_filters_find_what_they_name(program, alice, case, department):
    other, _ = services.open_case(by=alice, department=department, patient_id="P-2")
    found = {
        "number": case.number,
        "patient_id": "P-1",
        "opened_before": other.opened_at.isoformat(),
    }
    for name, value in found.items():
        [result] = program.get(reverse("api:cases"), {name: value}).json()["results"]
        assert result["number"] == case.number, name
    assert program.get(reverse("api:cases"), {"modality": "mri"}).json()["results"] == []
    assert len(program.get(reverse("api:cases"), {"department": "fetal-medicine"}).json()["results"]) == 2


def test_pages_hold_every_case_once_newest_first(program, alice, department):
    for number in range(5):
        services.open_case(by=alice, department=department, patient_id=f"P-{number}")
    url, seen = f"{reverse('api:cases')}?page_size=2", []
    while url:
        page = program.get(url).json()
        seen += [case["patient_id"] for case in page["results"]]
        url = page["next"]
    assert seen == ["P-4", "P-3", "P-2", "P-1", "P-0"]


def test_a_longer_list_costs_no_more_queries(program, alice, department, django_assert_num_queries):
    services.open_case(by=alice, department=department, patient_id="P-1")
    program.get(reverse("api:cases"))  # the token's first use is noted
    # the token, the other tokens' expiry, when it was last used; whether a department names the user and the
    # cases, and both again for the audit line
    with django_assert_num_queries(8):
        program.get(reverse("api:cases"))
    for number in range(9):
        services.open_case(by=alice, department=department, patient_id=f"P-{number}")
    with django_assert_num_queries(8):
        program.get(reverse("api:cases"))


def test_the_same_key_with_the_same_body_opens_one_case(program):
    first = open_case(program, **{"Idempotency-Key": "night-7"})
    again = open_case(program, **{"Idempotency-Key": "night-7"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Event.objects.filter(verb="case.opened").count() == 1


def test_the_same_key_with_another_body_is_refused_and_changes_nothing(program):
    open_case(program, **{"Idempotency-Key": "night-7"})
    response = open_case(program, OPENING | {"patient_id": "P-2"}, **{"Idempotency-Key": "night-7"})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Case.objects.count() == Patient.objects.count() == 1


def test_a_key_is_the_clients_own(program, bob):
    first = open_case(program, **{"Idempotency-Key": "1"})
    second = open_case(client_of_token(bob), **{"Idempotency-Key": "1"})
    assert (first.status_code, second.status_code) == (201, 201)


@pytest.mark.parametrize("key", ["", "x" * 65, "two words", "\xe9"])
def test_an_unusable_key_is_refused(program, key):
    assert codes(open_case(program, **{"Idempotency-Key": key})) == {"Idempotency-Key": "invalid"}


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_opens_one_case(alice):
    together = 4
    token = issue_token(alice, lifetime=timedelta(hours=1))
    barrier = Barrier(together)

    def post(_number: int) -> tuple[int, str]:
        client = Client(headers={"Authorization": f"Token {token}"})
        barrier.wait(timeout=30)
        try:
            response = open_case(client, **{"Idempotency-Key": "night-7"})
            return response.status_code, response.json().get("id", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(together) as pool:
        answers = list(pool.map(post, range(together)))
    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert len({case for _, case in answers}) == 1
    assert Case.objects.count() == 1
    assert Event.objects.filter(verb="case.opened").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_down_is_503_and_worth_trying_again(program, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "HOST", "/no/such/folder")
    connection.close()
    response = program.get(reverse("api:cases"))
    monkeypatch.undo()
    connection.close()
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert int(response["Retry-After"]) > 0


@pytest.mark.django_db(transaction=True)
def test_a_page_whose_database_is_down_is_503_and_says_nothing_that_is_not_known(
    client_of, alice, monkeypatch
):
    browser = client_of(alice)
    browser.raise_request_exception = False
    monkeypatch.setitem(connection.settings_dict, "HOST", "/no/such/folder")
    connection.close()
    looked, sent = browser.get("/"), browser.post("/")
    monkeypatch.undo()
    connection.close()
    for page in (looked, sent):
        assert page.status_code == 503
        assert int(page["Retry-After"]) > 0
        assert "Nothing was changed" not in page.content.decode()
    assert "It is not known whether what you sent was kept" in sent.content.decode()


def test_a_service_account_that_has_too_much_waiting_is_asked_to_wait(
    case, alice, department, phantom_png, settings, tmp_path
):
    answers.active_version(tmp_path)
    settings.SERVICE_ACCOUNT_JOBS = 1
    robot = User.objects.create_user("robot", is_service=True)
    Membership.objects.create(user=robot, department=department, role=Role.READER)
    sender = client_of_token(robot)

    def send(seed: int):
        upload = ContentFile(phantom_png(seed=seed), name="scan.png")
        return sender.post(reverse("api:scans", args=[case.pk]), {"file": upload, "modality": "ultrasound"})

    assert send(1).status_code == 202
    refused = send(2)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waiting")
    assert int(refused["Retry-After"]) > 0
    assert Scan.objects.count() == 1


def test_a_disk_that_is_full_up_to_its_reserve_takes_no_scan_and_keeps_nothing(
    program, case, phantom_png, settings, tmp_path
):
    def send(seed: int):
        upload = ContentFile(phantom_png(seed=seed), name="scan.png")
        return program.post(reverse("api:scans", args=[case.pk]), {"file": upload, "modality": "ultrasound"})

    assert send(1).status_code == 202
    files = sorted(path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    settings.DISK_RESERVE_BYTES = 2**62
    refused = send(2)
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert int(refused["Retry-After"]) > 0
    assert Scan.objects.count() == 1
    assert sorted(path for path in (tmp_path / "blobs").rglob("*") if path.is_file()) == files


def test_a_stored_file_that_is_missing_is_worth_trying_again(program, scan_without_pixels):
    response = program.get(reverse("api:frame", args=[scan_without_pixels.pk, 0]))
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"]
    assert response.json()["code"] == "storage_unavailable"
    assert "blob" not in response.content.decode()


def test_our_own_fault_is_a_problem_document_without_a_trace(program, scan_without_pixels):
    answers.damage(scan_without_pixels.image.pixels_id)
    program.raise_request_exception = False
    response = program.get(reverse("api:frame", args=[scan_without_pixels.pk, 0]))
    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "server_error"
    assert "blob" not in response.content.decode()


@pytest.mark.parametrize("moment", ["2121-09-06T07:11:00+19:48", "2020-01-01T00:00:00-23:59"])
def test_a_moment_with_an_offset_that_postgresql_does_not_know_is_a_moment(moment, program):
    assert program.get(reverse("api:cases"), {"opened_after": moment}).status_code == 200
    assert program.get(reverse("api:seats"), {"at": moment}).status_code in {200, 403}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_no_calendar_holds_is_refused(moment, program):
    assert program.get(reverse("api:cases"), {"opened_after": moment}).status_code == 400
