"""A second reader reads blind, in every department and through every door, until the read is filed."""

import io
import uuid

import answers
import pages
import pytest
from conftest import member
from django.urls import get_resolver, reverse
from pypdf import PdfReader

from accounts.models import Role
from cases.models import Case, Read, ReadingRules
from cases.review import measurements
from cases.review.measurements import Points
from inference.models import Job

pytestmark = pytest.mark.django_db
TOLD = (
    "CANARY",
    "Ventriculomegaly likely",
    "differs from the models",
    "agrees with the models",
    "0.75",
    "17.3",
)
"""What the first reader wrote and measured, and what the model said."""
ELSEWHERE = {"api:schema", "cases:department"}
"""No case, and signed cases alone: test_reader_first and test_dashboard."""


@pytest.fixture
def second(case, alice, small_scan, tmp_path, client_of) -> Case:
    """A concurrent department's case: Alice differs from the model, so that a second read is due."""
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    answers.explanation(answers.answer(Job.objects.get(image=scan.image)), method="gradcam")
    measurements.measure(scan, Points(0, (1.0, 1.0), (1.0, 18.3)), by=alice, tool="distance")
    gone = measurements.measure(scan, Points(0, (2.0, 1.0), (2.0, 18.3)), by=alice, tool="distance")
    measurements.withdraw(gone, by=alice, reason="CANARY withdrawn")
    sent = {"note": "CANARY note", "reason": "CANARY reason", "finding": "normal"}
    pages.file_read(client_of(alice), case, kind="final", **sent)
    assert Case.objects.get().stage == "second"
    return case


def everything_said(case, client, program) -> dict[str, str]:
    """The text of every page and API answer about the case, by route."""
    scan = case.scans.get()
    prediction = Job.objects.get(kind="predict").answer
    keys = {
        "case": case.pk, "scan": scan.pk, "answer": prediction.pk, "prediction": prediction.pk,
        "explanation": prediction.explanations.get().pk, "job": prediction.job_id,
    }  # fmt: skip
    found = {}
    for address, name, pattern in pages.routes(get_resolver().url_patterns):
        if not name.startswith(("cases:", "api:", "notices:")) or name in ELSEWHERE:
            continue
        what = next((key for word, key in keys.items() if word in address.split("<")[0]), uuid.uuid4())
        given = {"uuid": what, "int": 0}
        kwargs = {
            key: given.get(type(one).__name__.removesuffix("Converter").lower(), "x")
            for key, one in pattern.pattern.converters.items()
        }
        answer = (program if name.startswith("api:") else client).get(reverse(name, kwargs=kwargs))
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if "pdf" in answer.headers.get("Content-Type", ""):
            found[name] = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
        elif "text" in answer.headers.get("Content-Type", "") or "json" in answer.headers["Content-Type"]:
            found[name] = pages.without_clock_times(content.decode())
    return found


def telling(said: dict[str, str]) -> set[tuple[str, str]]:
    return {(name, word) for name, text in said.items() for word in TOLD if word in text}


def test_no_door_tells_a_second_reader_what_others_found(second, bob, client_of, api):
    client, program = client_of(bob), api(bob)
    said = everything_said(second, client, program)
    assert telling(said) == set()
    assert "Hidden until your read is filed" in said["cases:case"]
    pages.file_read(client, second, kind="second", finding="normal")
    assert Read.objects.get(kind="second").unblinded is False
    now = {name for name, word in telling(everything_said(second, client, program)) if word == "CANARY"}
    assert {"cases:case", "cases:report", "api:reading"} <= now


def test_the_walk_finds_what_somebody_who_may_know_is_told(second, alice, client_of, api):
    """The canaries are where they should be: of the first reader nothing is kept."""
    told = telling(everything_said(second, client_of(alice), api(alice)))
    assert {word for _, word in told} >= {"CANARY", "0.75", "17.3", "Ventriculomegaly likely"}


def test_a_reader_who_has_looked_before_is_blind_again_and_labelled(
    case, alice, bob, small_scan, tmp_path, client_of
):
    answers.active_version(tmp_path)
    answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    client = client_of(bob)
    assert "Ventriculomegaly likely" in client.get(case.get_absolute_url()).content.decode()
    pages.file_read(client_of(alice), case, kind="final", finding="normal", reason="Angle.")
    assert "Ventriculomegaly likely" not in client.get(case.get_absolute_url()).content.decode()
    shown = pages.file_read(client, case, follow=True, kind="second", finding="normal").content.decode()
    assert Read.objects.get(kind="second").unblinded is True
    assert "not blind" in shown
    assert "(not blind)" in client.get(f"/cases/{case.pk}/report/").content.decode()


def test_whoever_read_blind_before_is_blind_to_the_final_read(
    case, alice, bob, small_scan, tmp_path, client_of, department
):
    ReadingRules.objects.filter(department=department).update(mode="reader_first")
    answers.active_version(tmp_path)
    answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    for user in (alice, bob):
        pages.file_read(client_of(user), case, kind="blind", finding="normal")
    pages.file_read(client_of(alice), case, kind="final", finding="normal", reason="CANARY reason")
    page = client_of(bob).get(case.get_absolute_url()).content.decode()
    assert "CANARY" not in page
    assert "differs from the models" not in page


def test_a_department_may_show_the_first_read_and_the_second_says_so(second, bob, client_of, department, api):
    ReadingRules.objects.filter(department=department).update(second_reader_sees=True)
    assert "CANARY reason" in client_of(bob).get(second.get_absolute_url()).content.decode()
    pages.file_read(client_of(bob), second, kind="second", finding="normal")
    reads = api(bob).get(f"/api/v1/cases/{second.pk}/reading/").json()["reads"]
    assert [(one["kind"], one["unblinded"]) for one in reads] == [("final", None), ("second", True)]


def test_an_auditor_is_told_as_before(second, auditor, client_of):
    assert "CANARY reason" in client_of(auditor).get(second.get_absolute_url()).content.decode()


def test_nobody_else_of_the_department_is_told_either(second, department, client_of):
    """Any of them may be the second reader, a senior one too."""
    for role in (Role.READER, Role.SENIOR_READER):
        client = client_of(member(f"a {role}", department, role))
        assert "CANARY" not in client.get(second.get_absolute_url()).content.decode()
        (line,) = client.get("/").context["page"].lines
        assert (line.verdict, line.is_hidden, line.differs) == ("", True, False)
