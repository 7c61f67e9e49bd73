"""The API does what its own description says, also with input that nobody would send on purpose."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import answers
import pytest
import schemathesis
import yaml
from django.core import signals
from django.core.management import call_command
from django.db import close_old_connections
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from accounts.tokens import issue_token
from cases.uploads import service as uploads
from config.wsgi import application

pytestmark = pytest.mark.django_db
REPOSITORY = Path(__file__).parents[2]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]
EXAMPLES = 25  # for each operation
SLUG = re.compile(r"[-a-zA-Z0-9_]+")

schema = schemathesis.openapi.from_dict(yaml.safe_load((REPOSITORY / "docs/openapi.yaml").read_text()))
schema.app = application


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests of the test share its transaction, as they do with Django's own test client."""
    request_signals = (signals.request_started, signals.request_finished)
    for signal in request_signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in request_signals:
        signal.connect(close_old_connections)


@pytest.fixture
def sent_headers(alice) -> dict[str, str]:
    token = issue_token(alice, lifetime=timedelta(hours=1))
    return {"Authorization": f"Token {token}"}


@pytest.fixture
def keys(case, alice, phantom_png, tmp_path) -> dict[str, UUID]:
    """By the collection an address begins with: something that is there."""
    explanation = answers.explained_scan(case, alice, phantom_png(), tmp_path)
    prediction = explanation.prediction
    return {
        "cases": case.pk,
        "scans": case.scans.get().pk,
        "jobs": prediction.job_id,
        "predictions": prediction.pk,
        "explanations": explanation.pk,
        "models": prediction.model_version_id,
        "advice": answers.advice(case).pk,
        "calibrations": answers.calibration(case.scans.get(), alice).pk,
        "uploads": uploads.open_session(case, "ultrasound", by=alice).pk,
    }


def is_uuid(text: object) -> bool:
    try:
        return bool(UUID(str(text)))
    except ValueError:
        return False


@pytest.mark.usefixtures("one_connection")
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_its_word(case, keys, sent_headers):
    if is_uuid(case.path_parameters.get("id")):
        case.path_parameters["id"] = str(keys[case.path.split("/")[3]])
    department = case.body.get("department") if isinstance(case.body, dict) else None
    if isinstance(department, str) and SLUG.fullmatch(department):
        case.body["department"] = "fetal-medicine"
    case.call_and_validate(headers=sent_headers, checks=CHECKS)


def test_the_schema_in_the_documentation_is_the_one_the_code_makes():
    made = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=made)
    assert made.getvalue() == (REPOSITORY / "docs/openapi.yaml").read_text()


def test_the_schema_is_served_to_everybody(client):
    served = client.get(reverse("api:schema"), headers={"Accept": "application/json"})
    assert served.status_code == 200
    assert set(json.loads(served.content)["paths"]) == set(schema.raw_schema["paths"])


def test_the_schema_is_asked_for_by_many_at_once_and_by_methods_it_does_not_have(client):
    def ask(_number: int) -> tuple[int, bytes]:
        response = Client().get("/api/v1/schema/")
        return response.status_code, response.content

    with ThreadPoolExecutor(6) as askers:
        answered = set(askers.map(ask, range(36)))
    assert answered == {(200, (REPOSITORY / "docs/openapi.yaml").read_bytes())}
    assert client.post("/api/v1/schema/").json()["code"] == "method_not_allowed"


def test_every_operation_has_a_summary_and_documents_its_errors():
    for path, operations in schema.raw_schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path}"
            errors = {status: body for status, body in operation["responses"].items() if status >= "400"}
            assert {"401", "503"} <= set(errors), f"{method} {path}"
            for body in errors.values():
                assert list(body["content"]) == ["application/problem+json"]


def test_every_request_body_refuses_other_keys():
    components = schema.raw_schema["components"]["schemas"]
    bodies = [body for name, body in components.items() if name.endswith("Request")]
    assert len(bodies) == 12
    assert all(body["additionalProperties"] is False for body in bodies)
