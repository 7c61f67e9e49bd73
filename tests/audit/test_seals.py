"""Whoever changes the trail behind our back is found out, and the place is named."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit import seals
from audit.models import Event, Seal
from audit.seals import GENESIS, Fault, head, seal, verify
from audit.trail import record

pytestmark = pytest.mark.django_db
EVENTS = 6


@pytest.fixture
def trail(alice) -> list[Event]:
    """Six sealed events of one case."""
    events = [record("case.viewed", actor=alice, thread="case:1", turn=turn) for turn in range(EVENTS)]
    assert seal() == EVENTS
    return events


def found(**kwargs) -> list[Fault]:
    return list(verify(**kwargs))


def test_an_untouched_trail_proves_itself(trail):
    assert found() == []
    assert found(anchor=head()) == []
    number, hash_ = head()
    assert number == EVENTS
    assert hash_ == Seal.objects.get(number=EVENTS).hash


def test_an_empty_trail_proves_itself(db):
    assert head() == (0, GENESIS)
    assert found() == []


def test_sealing_goes_on_where_it_stopped(trail, alice):
    later = record("case.viewed", actor=alice)
    assert seal() == 1
    assert seal() == 0
    assert Seal.objects.get(number=EVENTS + 1).event == later
    assert found() == []


def test_sealing_takes_a_bounded_bite(alice):
    for _ in range(5):
        record("case.viewed", actor=alice)
    assert [seal(2), seal(2), seal(2)] == [2, 2, 1]
    assert found() == []


def test_a_line_that_commits_late_is_sealed_late(alice, intruder):
    early, late = (record("case.viewed", actor=alice) for _ in range(2))
    pk = early.pk
    early_row = Event(pk=pk, verb="case.viewed", actor_name="alice", door="command")
    intruder("DELETE FROM audit_event WHERE id = %s", [pk])  # its transaction has not committed yet
    seal()
    early_row.save(force_insert=True)
    assert seal() == 1
    assert [link.event_id for link in Seal.objects.order_by("number")] == [late.pk, pk]
    assert found() == []


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = 'bob'",
        "actor_id = actor_id + 1",
        "verb = 'case.listed'",
        "occurred_at = occurred_at - interval '1 hour'",
        "detail = '{\"turn\": 7}'",
        "thread = 'case:2'",
        "subject_id = '9'",
        "subject_type = 'cases.case'",
        "door = 'worker'",
        "request_id = 'another'",
        "ip_address = '192.0.2.9'",
    ],
)
def test_an_edited_field_is_named(trail, intruder, change):
    intruder(f"UPDATE audit_event SET {change} WHERE id = {trail[2].pk}")
    assert found() == [Fault(3, trail[2].pk, "the event was changed after it was sealed")]


def test_an_edited_field_with_a_new_digest_breaks_the_chain_there(trail, intruder):
    intruder(f"UPDATE audit_event SET actor_name = 'bob' WHERE id = {trail[2].pk}")
    forged = seals.digest(Event.objects.get(pk=trail[2].pk))
    intruder(f"UPDATE audit_seal SET digest = '{forged}' WHERE number = 3")
    assert found() == [Fault(3, trail[2].pk, "the chain is broken here")]


def test_a_deleted_event_is_named(trail, intruder):
    intruder(f"DELETE FROM audit_event WHERE id = {trail[2].pk}")
    assert Fault(3, trail[2].pk, "the event is gone") in found()


def test_a_deleted_last_event_is_named(trail, intruder):
    intruder(f"DELETE FROM audit_event WHERE id = {trail[-1].pk}")
    assert Fault(EVENTS, trail[-1].pk, "the event is gone") in found()


def test_a_deleted_event_with_its_seal_is_named(trail, intruder):
    intruder(f"DELETE FROM audit_event WHERE id = {trail[2].pk}")
    intruder("DELETE FROM audit_seal WHERE number = 3")
    assert found()[0] == Fault(3, trail[3].pk, "a seal is missing")


def test_a_deleted_event_with_its_seal_and_new_numbers_breaks_the_chain(trail, intruder):
    intruder(f"DELETE FROM audit_event WHERE id = {trail[2].pk}")
    intruder("DELETE FROM audit_seal WHERE number = 3")
    for number in range(4, EVENTS + 1):
        intruder(f"UPDATE audit_seal SET number = {number - 1} WHERE number = {number}")
    assert found()[0] == Fault(3, trail[3].pk, "the chain is broken here")


def test_two_swapped_lines_are_both_named(trail, intruder):
    first, second = trail[1].pk, trail[3].pk
    intruder("UPDATE audit_seal SET event_id = 0 WHERE number = 2")
    intruder(f"UPDATE audit_seal SET event_id = {first} WHERE number = 4")
    intruder(f"UPDATE audit_seal SET event_id = {second} WHERE number = 2")
    reason = "the event was changed after it was sealed"
    assert found() == [Fault(2, second, reason), Fault(4, first, reason)]


def test_an_inserted_line_cannot_be_put_between_others(trail, intruder):
    before = head()
    columns = "verb, subject_type, subject_id, thread, detail, door, request_id, occurred_at"
    columns += ", departments, version"
    intruder(
        f"INSERT INTO audit_event ({columns}, actor_name) "
        f"SELECT {columns}, 'eve' FROM audit_event WHERE id = {trail[2].pk}"
    )
    seal()
    assert Seal.objects.get(event__actor_name="eve").number == EVENTS + 1
    assert found(anchor=before) == []


def test_a_cut_off_tail_is_found_by_the_anchor(trail, intruder):
    anchor = head()
    intruder(f"DELETE FROM audit_event WHERE id >= {trail[4].pk}")
    intruder("DELETE FROM audit_seal WHERE number >= 5")
    assert found() == []  # a shorter chain is whole: only what is kept elsewhere knows better
    [fault] = found(anchor=anchor)
    assert fault.seal == EVENTS
    assert "cut off or rewritten" in fault.reason


def test_a_trail_that_was_rewritten_as_a_whole_is_found_by_the_anchor(trail, intruder, alice):
    anchor = head()
    intruder("DELETE FROM audit_seal")
    intruder(f"UPDATE audit_event SET actor_name = 'bob' WHERE id = {trail[2].pk}")
    assert seal() == EVENTS
    assert found() == []
    [fault] = found(anchor=anchor)
    assert "cut off or rewritten" in fault.reason


def test_the_command_keeps_an_anchor_and_names_what_was_changed(trail, intruder, tmp_path):
    anchor = tmp_path / "anchor.json"
    call_command("verify", write_anchor=anchor, stdout=StringIO())
    assert json.loads(anchor.read_text())["number"] == EVENTS
    intruder(f"UPDATE audit_event SET actor_name = 'bob' WHERE id = {trail[2].pk}")
    said = StringIO()
    with pytest.raises(CommandError, match="faults"):
        call_command("verify", anchor=anchor, stdout=StringIO(), stderr=said)
    assert f"event {trail[2].pk}" in said.getvalue()
