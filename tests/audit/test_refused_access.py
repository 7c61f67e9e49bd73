"""What is there and is not theirs: the asker learns nothing, the auditors learn of the asking."""

import re
import uuid
from datetime import timedelta

import answers
import pytest
from conftest import PASSWORD
from django.db.models.functions import Now
from django.urls import URLPattern, URLResolver, get_resolver
from knox.models import AuthToken

from accounts.models import Role
from accounts.tokens import issue_token
from audit.models import Event
from cases.models import Advice, SavedView
from cases.review import measurements
from cases.uploads import service as uploads
from inference.models import Explanation, Job, Prediction
from notices.models import Notice
from notices.telling import tell
from webhooks import services as webhooks

pytestmark = pytest.mark.django_db

KEY = re.compile(r"<(uuid:pk|int:pk|str:digest)>")
NOT_HIDDEN = {"models", "queue"}
"""Beginnings of addresses whose things are shown to every role that may see such things at all."""


def routes(resolver: URLResolver | None = None, before: str = "") -> list[str]:
    """The pattern of every address with a key in it, without the Administration."""
    found = []
    for one in (resolver or get_resolver()).url_patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLPattern):
            found.append(path)
        elif not path.startswith("admin/"):
            found += routes(one, path)
    return [path for path in found if KEY.search(path)]


@pytest.fixture
def hers(case, alice, department, administrator, add_scan, run_jobs) -> dict[str, object]:
    """A key of something of Alice's for the first words of every address."""
    scan = add_scan(case, alice)
    Job.objects.filter(model_version__network="modified_cnn").update(state=Job.State.CANCELLED)
    run_jobs(lime=False)
    points = measurements.Points(0, (10.0, 10.0), (30.0, 30.0))
    measurement = measurements.measure(scan, points, by=alice, tool="distance", side="", checklist=[])
    answer = Prediction.objects.filter(image=scan.image).first()
    advice = Advice.objects.create(case=case, state_sha256="0" * 64, is_informed=True)
    endpoint, _ = webhooks.create(
        by=administrator,
        department=department,
        name="archive",
        address="https://a.example/",
        events=["case.signed"],
    )
    webhooks.send_test(endpoint, by=administrator)
    tell("case.assigned", [alice.pk], subject="x", department=department, case=str(case.pk))
    issue_token(alice, lifetime=timedelta(days=1))
    return {
        "cases": case.pk,
        "scans": scan.pk,
        "measurements": measurement.pk,
        "advice": advice.pk,
        "answers": answer.pk,
        "predictions": answer.pk,
        "explanations": Explanation.objects.filter(prediction__image=scan.image).first().pk,
        "jobs": Job.objects.filter(image=scan.image).first().pk,
        "webhooks": endpoint.pk,
        "webhooks/messages": endpoint.deliveries.get().pk,
        "calibrations": answers.calibration(scan, alice).pk,
        "uploads": uploads.open_session(case, "ultrasound", by=alice).pk,
        "views": SavedView.objects.create(owner=alice, name="mine", query="stage=open").pk,
        "notices": Notice.objects.filter(user=alice).first().pk,
        "account/tokens": AuthToken.objects.get().digest,
    }


def asked(client, path: str, key: object):
    address = KEY.sub(str(key), path)
    address = re.sub(r"<int:\w+>", "0", address)
    address = re.sub(r"<slug:\w+>", "disable", address)
    answers = [getattr(client, method)(f"/{address}") for method in ("get", "post")]
    return [answer for answer in answers if answer.status_code != 405]


def words(response, key: object) -> tuple:
    """What the asker is told, without form tokens and without what they have asked for themselves."""
    said = response.content.decode().replace(f"{key}/", "KEY/")
    return response.status_code, re.sub(r'value="\w{64}"', "", said)


def test_every_address_refuses_without_telling_and_the_auditors_are_told(
    hers, charlie, client_of, api, auditor
):
    charlie.memberships.create(department=charlie.memberships.get().department, role=Role.ADMINISTRATOR)
    browser, program = client_of(charlie), api(charlie)
    for path in routes():
        first = path.removeprefix("api/v1/").split("<")[0].strip("/")
        if first.split("/")[0] in NOT_HIDDEN:
            continue
        client = program if path.startswith("api/") else browser
        key = hers[first]
        none = {"notices": 0, "account/tokens": "0" * 64}.get(first, uuid.uuid4())
        last = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
        theirs = asked(client, path, key)
        told = Event.objects.filter(pk__gt=last)
        assert theirs, path
        assert {answer.status_code for answer in theirs} == {404}, path
        assert [event.verb for event in told] == ["access.refused"], path
        [event] = told
        assert event.actor_name == "charlie"
        assert event.departments == [auditor.memberships.get().department_id], path
        nothing = asked(client, path, none)
        told_both = [[words(one, what) for one in said] for said, what in ((nothing, none), (theirs, key))]
        assert told_both[0] == told_both[1], path
        assert Event.objects.filter(pk__gt=event.pk).count() == 0, path
    assert Event.objects.visible_to(auditor).filter(verb="access.refused").exists()


def test_what_was_refused_is_found_by_the_case_but_not_told_on_its_page(
    case, charlie, alice, client_of, auditor
):
    client_of(charlie).get(case.get_absolute_url())
    lines = client_of(auditor).get("/audit/", {"thread": case.number}).context["lines"]
    assert lines[0][0].verb == "access.refused"
    assert "charlie" not in client_of(alice).get(case.get_absolute_url()).content.decode()


def test_a_page_that_keeps_asking_is_one_line_a_minute(case, charlie, client_of, intruder):
    browser = client_of(charlie)
    for _ in range(5):
        browser.get(f"{case.get_absolute_url()}live/")
    assert Event.objects.filter(verb="access.refused").count() == 1
    intruder("UPDATE audit_event SET occurred_at = occurred_at - interval '2 minutes'")
    browser.get(f"{case.get_absolute_url()}live/")
    assert Event.objects.filter(verb="access.refused", occurred_at__lte=Now()).count() == 2


def test_a_page_that_ones_role_does_not_open_is_a_line_too(alice, client_of, auditor):
    assert client_of(alice).get("/audit/").status_code == 403
    [event] = Event.objects.visible_to(auditor).filter(verb="access.refused")
    assert (event.actor_name, event.detail["page"], event.detail["status"]) == ("alice", "audit:trail", 403)


def test_what_is_nowhere_is_no_line(alice, client_of):
    browser = client_of(alice)
    browser.get(f"/cases/{uuid.uuid4()}/")
    browser.get("/nowhere/")
    assert not Event.objects.filter(verb="access.refused").exists()


def test_a_wrong_password_asked_for_again_is_a_line_of_whoever_sits_there(alice, client_of, auditor):
    client_of(alice).post("/account/tokens/", {"days": 30, "scope": "all", "password": "wrong"})
    [event] = Event.objects.visible_to(auditor).exclude(verb="account.logged_in")
    assert (event.verb, event.actor_id) == ("account.confirmation_failed", alice.pk)
    assert PASSWORD not in str(event.detail)
