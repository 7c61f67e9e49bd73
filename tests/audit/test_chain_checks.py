"""Both chains walked in slices, once a day and on demand; what is found stands on the audit page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from edits import triggers_off

from audit import checks, seals
from audit.models import ChainCheck, Event
from audit.sentences import particulars
from audit.trail import record
from config import maintenance

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(case, alice) -> None:
    """Some events, all sealed."""
    for number in range(25):
        record("case.viewed", actor=alice, thread=case.thread, page=number)
    seals.seal_all()


def walked() -> ChainCheck:
    """To the end, as the chore does it round after round."""
    while not checks.go_on():
        assert checks.under_way()
    found = checks.last()
    assert found
    return found


def test_a_check_goes_on_slice_by_slice_and_ends_at_both_heads(lines, monkeypatch):
    monkeypatch.setattr(checks, "SLICE", 10)
    assert checks.go_on() is False
    half = checks.under_way()
    assert half
    assert (half.events, half.rows, half.ended_at) == (10, 0, None)
    found = walked()
    assert (found.events, found.rows) == (seals.head(seals.EVENTS)[0], seals.head(seals.ROWS)[0])
    assert (found.faults, found.asked_by) == (0, None)
    told = Event.objects.get(verb="audit.checked")
    assert told.detail["heads"]["events"] == [found.events, found.events_hash]
    assert particulars(told) == f"{found.links} links, no fault"


def test_the_next_check_comes_after_a_day_or_when_an_auditor_asks(lines, auditor, client_of):
    walked()
    assert checks.go_on() is False
    assert checks.under_way() is None
    assert client_of(auditor).post("/audit/check/").status_code == 302
    assert walked().asked_by == auditor
    ChainCheck.objects.update(asked_at=F("asked_at") - timedelta(hours=25))
    walked()
    assert ChainCheck.objects.count() == 3


def test_who_asks_while_one_goes_on_gets_that_one(auditor, bob):
    first = checks.ask(auditor)
    assert checks.ask(bob) == first
    assert ChainCheck.objects.count() == 1


def test_the_page_says_when_the_chain_was_checked_and_how_long_it_is(lines, auditor, client_of):
    client = client_of(auditor)
    assert "has not been checked yet" in client.get("/audit/").content.decode()
    client.post("/audit/check/")
    assert "Being checked now: 0 of" in client.get("/audit/").content.decode()
    found = walked()
    page = client.get("/audit/").content.decode()
    assert f"{found.links} links, none missing and nothing changed behind them." in page
    assert "Chain checked now" in page or "ago" in page


def test_a_line_that_was_changed_behind_the_program_is_found_and_shown(lines, auditor, client_of):
    with triggers_off(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_event SET actor_name = 'nobody' WHERE id = (SELECT min(id) FROM audit_event)"
        )
    found = walked()
    assert found.faults == 1
    assert "was changed after it was sealed" in found.first_fault
    page = client_of(auditor).get("/audit/").content.decode()
    assert "1 fault (audit seal 1" in page
    assert Event.objects.get(verb="audit.checked").detail["faults"] == 1


def test_a_link_that_is_cut_out_between_two_slices_is_missed(lines, monkeypatch):
    monkeypatch.setattr(checks, "SLICE", 10)
    checks.go_on()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_seal DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_seal WHERE number = 11")
        cursor.execute("ALTER TABLE audit_seal ENABLE TRIGGER USER")
    found = walked()
    assert found.faults == 2
    assert "a seal is missing" in found.first_fault


def test_the_check_is_a_chore_like_the_others():
    assert checks.go_on in [chore.do for chore in maintenance.chores()]


def test_a_case_is_named_by_its_number_on_the_audit_page(case, auditor, client_of):
    page = client_of(auditor).get("/audit/").content.decode()
    assert f"?thread={case.number}" in page
    assert f"?thread={case.thread}" not in page
