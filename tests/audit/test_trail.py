"""The trail takes lines and gives none back."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.test import Client

from audit.catalogue import SENTENCES
from audit.context import Origin, origin
from audit.models import Event, Seal
from audit.seals import seal
from audit.trail import SYSTEM, record, thread_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(alice) -> Event:
    event = record("case.opened", actor=alice, subject=alice, thread="case:1", number="2026-000001")
    seal()
    return event


def execute(statement: str) -> None:
    """In a savepoint, so that a refusal does not end the test's transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_line_says_who_what_when_and_through_which_door(alice):
    token = origin.set(Origin("api", "request-1", "192.0.2.1"))
    event = record("case.opened", actor=alice, subject=alice, thread="case:1", number="2026-000001")
    origin.reset(token)
    event.refresh_from_db()
    assert (event.verb, event.actor_id, event.actor_name) == ("case.opened", alice.pk, "alice")
    assert (event.subject_type, event.subject_id) == ("accounts.user", str(alice.pk))
    assert (event.door, event.request_id, event.ip_address) == ("api", "request-1", "192.0.2.1")
    assert event.detail == {"number": "2026-000001"}
    assert event.occurred_at is not None


def test_the_line_keeps_the_name_when_the_account_is_gone(alice):
    event = record("account.logged_in", actor=alice)
    alice.memberships.all().delete()
    alice.delete()
    event.refresh_from_db()
    assert event.actor_name == "alice"


def test_what_ventra_does_by_itself_has_its_name():
    assert record("job.failed", actor=None).actor_name == SYSTEM


def test_a_visitor_is_recorded_by_the_name_given():
    assert record("account.login_failed", actor=AnonymousUser(), actor_name="eve").actor_name == "eve"


def test_an_event_that_is_not_in_the_catalogue_is_refused(alice):
    with pytest.raises(KeyError, match=r"case\.burned"):
        record("case.burned", actor=alice)


def test_every_kind_of_event_fits_its_column_and_has_a_sentence():
    longest = Event._meta.get_field("verb").max_length
    assert all(len(verb) <= longest and sentence for verb, sentence in SENTENCES.items())


def test_a_line_belongs_to_the_transaction_of_what_it_tells(alice):
    with transaction.atomic():
        record("case.opened", actor=alice)
        transaction.set_rollback(True)
    assert not Event.objects.exists()


def test_a_thread_is_read_newest_first(alice):
    first, second = (record("case.viewed", actor=alice, thread="case:1") for _ in range(2))
    record("case.viewed", actor=alice, thread="case:2")
    assert list(thread_of("case:1")) == [second, first]


def test_the_model_refuses_to_change_or_delete_a_line(event):
    event.actor_name = "somebody else"
    with pytest.raises(TypeError, match="append-only"):
        event.save()
    with pytest.raises(TypeError, match="append-only"):
        event.delete()
    with pytest.raises(TypeError, match="append-only"):
        Seal.objects.get().delete()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor_name = 'somebody else'",
        "DELETE FROM audit_event",
        "UPDATE audit_seal SET hash = repeat('0', 64)",
        "DELETE FROM audit_seal",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_line(event, statement):
    with pytest.raises(DatabaseError, match="append-only"):
        execute(statement)
    assert (Event.objects.count(), Seal.objects.count()) == (1, 1)


@pytest.mark.parametrize("table", ["audit_event", "audit_seal"])
def test_the_database_refuses_to_empty_the_trail(event, table):
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_no_truncate")  # as it is outside tests
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"TRUNCATE {table} CASCADE")
    assert (Event.objects.count(), Seal.objects.count()) == (1, 1)


def test_the_queryset_is_no_way_around_it(event):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.update(actor_name="x")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Seal.objects.all().delete()
    assert Event.objects.get().actor_name == "alice"


def test_a_response_names_the_request_that_its_lines_carry(client_of, alice):
    client = client_of(alice)
    response = client.post("/account/logout/")
    event = Event.objects.get(verb="account.logged_out")
    assert response["X-Request-Id"] == event.request_id
    assert (event.door, event.ip_address) == ("page", "127.0.0.1")


def test_a_forwarded_address_is_not_believed(alice):
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    Client(headers=headers).post("/account/login/", {"login": "alice", "password": "wrong"})
    assert Event.objects.get(verb="account.login_failed").ip_address == "127.0.0.1"


def test_a_name_with_line_breaks_stays_one_line():
    Client().post("/account/login/", {"login": "eve\r\nroot logged in\x1b[2J", "password": "wrong"})
    assert "\n" not in str(Event.objects.get(verb="account.login_failed"))
