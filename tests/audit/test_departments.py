"""An event is read by the auditors of the departments it was about when it was written, and by no others."""

from importlib import import_module

import pytest
from conftest import PASSWORD, member
from django.db import connection
from django.test import Client

from accounts.models import Membership, Role, User
from audit import seals
from audit.models import Event
from audit.trail import record
from cases import services
from cases.models import Case
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def other_auditor(other_department) -> User:
    return member("other-auditor", other_department, Role.AUDITOR)


@pytest.fixture
def dora(department, other_department) -> User:
    """She reads in both departments."""
    user = member("dora", department, Role.READER)
    Membership.objects.create(user=user, department=other_department, role=Role.READER)
    return user


@pytest.fixture
def theirs(dora, other_department) -> Case:
    case, _ = services.open_case(by=dora, department=other_department, patient_id="P-2")
    return case


def seen(user: User, **which: object) -> set[str]:
    return set(Event.objects.visible_to(user).filter(**which).values_list("verb", flat=True))


def test_belonging_to_two_departments_shows_neither_the_others(
    case, theirs, dora, client_of, auditor, other_auditor
):
    browser = client_of(dora)
    browser.get(case.get_absolute_url())
    browser.get(theirs.get_absolute_url())
    assert seen(auditor, thread=case.thread) == {"case.opened", "case.viewed"}
    assert seen(auditor, thread=theirs.thread) == set()
    assert seen(other_auditor, thread=theirs.thread) == {"case.opened", "case.viewed"}
    assert seen(other_auditor, thread=case.thread) == set()


@pytest.mark.parametrize("door", ["page", "api"])
def test_a_list_over_two_departments_tells_each_of_its_own(
    case, theirs, dora, client_of, api, auditor, other_auditor, door
):
    if door == "page":
        client_of(dora).get("/")
    else:
        api(dora).get("/api/v1/cases/")
    for one, its, not_its in ((auditor, case, theirs), (other_auditor, theirs, case)):
        [event] = Event.objects.visible_to(one).filter(verb="case.listed")
        assert event.detail.get("cases", [its.number]) == [its.number]
        assert event.detail.get("rows", 1) == 1
        assert not_its.number not in str(event.detail)


def test_leaving_a_department_hides_nothing_from_its_auditors(
    case, bob, client_of, auditor, other_department, other_auditor
):
    browser = client_of(bob)
    browser.get(case.get_absolute_url())
    browser.get("/")
    browser.post("/account/tokens/", {"days": 30, "scope": "all", "password": PASSWORD})
    before = seen(auditor, actor_name="bob")
    assert before >= {"case.viewed", "case.listed", "account.token_issued"}
    bob.memberships.update(department=other_department)
    assert seen(auditor, actor_name="bob") == before
    assert seen(other_auditor, actor_name="bob") == set()


def test_joining_a_department_brings_nothing_along(case, alice, client_of, other_department, other_auditor):
    client_of(alice).get("/")
    Membership.objects.create(user=alice, department=other_department, role=Role.READER)
    assert seen(other_auditor, actor_name="alice") == set()


def test_what_befalls_an_account_goes_to_every_department_of_it(dora, auditor, other_auditor):
    Client().post("/account/login/", {"login": "dora", "password": "wrong"})
    client = Client()
    client.post("/account/login/", {"login": "dora", "password": PASSWORD})
    for one in (auditor, other_auditor):
        assert seen(one) == {"account.login_failed", "account.logged_in"}


def test_a_guess_at_one_departments_account_is_not_the_others_business(alice, auditor, other_auditor):
    Client().post("/account/login/", {"login": "alice", "password": "wrong"})
    Client().post("/account/login/", {"login": "nobody-here", "password": "wrong"})
    assert set(Event.objects.visible_to(auditor).values_list("actor_name", flat=True)) == {
        "alice",
        "nobody-here",
    }
    assert set(Event.objects.visible_to(other_auditor).values_list("actor_name", flat=True)) == {
        "nobody-here"
    }


def test_a_version_that_answers_everywhere_is_everybodys(manager, auditor, other_auditor):
    record("model.activated", actor=manager, reason="better")
    assert seen(auditor) == seen(other_auditor) == {"model.activated"}


def test_the_thread_of_a_case_that_is_not_there_is_shown_to_nobody(auditor, other_auditor):
    record("job.failed", actor=None, thread="case:00000000-0000-4000-8000-000000000000")
    record("job.failed", actor=None, thread="case:1")
    assert seen(auditor) == seen(other_auditor) == set()


def test_an_auditor_who_looks_for_one_departments_case_is_a_line_of_that_department(
    case, theirs, auditor, other_department, client_of, other_auditor
):
    Membership.objects.create(user=auditor, department=other_department, role=Role.AUDITOR)
    client_of(auditor).get("/audit/", {"thread": case.number})
    client_of(auditor).get("/audit/export.csv", {"thread": case.number})
    looks = {"verb__startswith": "audit."}
    assert seen(other_auditor, **looks) == set()
    client_of(auditor).get("/audit/")
    assert seen(other_auditor, **looks) == {"audit.viewed"}


def test_a_case_is_found_by_its_number(case, theirs, auditor, client_of):
    record("case.viewed", actor=None, thread=case.thread)
    page = client_of(auditor).get("/audit/", {"thread": case.number})
    assert [event.verb for event, *_ in page.context["lines"]] == ["case.viewed", "case.opened"]
    assert client_of(auditor).get("/audit/", {"thread": theirs.number}).context["lines"] == []


def test_the_seal_covers_the_departments(case, intruder):
    seals.seal()
    assert list(seals.verify()) == []
    intruder("UPDATE audit_event SET departments = '{}'")
    assert {fault.reason for fault in seals.verify()} == {"the event was changed after it was sealed"}


def test_a_seal_of_before_stays_valid_and_cannot_be_had_for_a_later_event(case, intruder):
    old = Event.objects.get()
    intruder("UPDATE audit_event SET version = 1")
    seals.seal()
    intruder("UPDATE audit_event SET departments = ARRAY[4711]")  # as a migration finds them
    assert list(seals.verify()) == []
    intruder("UPDATE audit_event SET version = 2")
    assert [fault.event for fault in seals.verify()] == [old.pk]


def test_what_was_written_before_is_found_again(
    case, theirs, alice, charlie, administrator, department, other_department, intruder
):
    rows = {
        "of a case": record("case.viewed", actor=alice, thread=theirs.thread),
        "of an actor": record("case.listed", actor=charlie),
        "of an account": record("account.changed", actor=administrator, subject=charlie),
        "of a department": record("account.changed", actor=administrator, subject=department),
        "of a guess": record("account.login_failed", actor=None, actor_name="alice"),
        "of a model": record("model.activated", actor=alice),
        "of nobody": record("job.failed", actor=None),
    }
    intruder("UPDATE audit_event SET version = 1, departments = '{}'")
    Job.objects.update(department=None)
    for name in ("audit.migrations.0003_departments", "cases.migrations.0011_whose_it_was"):
        module = import_module(name)
        for sql in (getattr(module, part, "") for part in ("FIND", "EVENTS", "JOBS")):
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(sql or "SELECT 1")
    assert {what: Event.objects.get(pk=row.pk).departments for what, row in rows.items()} == {
        "of a case": [other_department.pk],
        "of an actor": [other_department.pk],
        "of an account": [other_department.pk],
        "of a department": [department.pk],
        "of a guess": [department.pk],
        "of a model": [],
        "of nobody": [],
    }


def test_old_jobs_are_given_their_department(case, alice, add_scan, intruder):
    add_scan(case, alice)
    told = set(Job.objects.values_list("department", "names__case_number"))
    Job.objects.update(department=None, names={})
    with connection.cursor() as cursor:
        cursor.execute(import_module("cases.migrations.0011_whose_it_was").JOBS)
    assert (
        set(Job.objects.values_list("department", "names__case_number"))
        == told
        == {(case.department_id, case.number)}
    )
