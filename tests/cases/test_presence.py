"""Who else has a case open."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from audit.models import Event
from cases.case_page import presence
from cases.models import Case, Presence

pytestmark = pytest.mark.django_db


def said(client, case) -> str:
    answer = client.post(f"/cases/{case.pk}/presence/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_two_who_have_a_case_open_are_told_of_each_other(case, alice, bob, client_of):
    assert said(client_of(alice), case).strip() == ""
    assert "alice has this case open" in said(client_of(bob), case)
    assert "bob has this case open" in said(client_of(alice), case)


def test_whoever_has_closed_it_is_gone_after_a_minute_and_forgotten_later(case, alice, bob, client_of):
    said(client_of(alice), case)
    Presence.objects.update(seen_at=Now() - timedelta(seconds=61))
    assert "alice" not in said(client_of(bob), case)
    Presence.objects.update(seen_at=Now() - timedelta(hours=2))
    assert presence.tidy() == 2


def test_nobody_else_learns_who_is_there(case, alice, charlie, client_of):
    said(client_of(alice), case)
    assert client_of(charlie).post(f"/cases/{case.pk}/presence/").status_code == 404


def test_at_a_signed_case_nobody_waits_for_anybody(case, alice, bob, client_of):
    said(client_of(alice), case)
    Case.objects.filter(pk=case.pk).update(stage=Case.Stage.SIGNED)
    assert said(client_of(bob), case).strip() == ""
    assert Presence.objects.count() == 1
    assert "presence" not in client_of(bob).get(case.get_absolute_url()).content.decode()


def test_that_a_page_stays_open_fills_no_audit(case, alice, client_of):
    client = client_of(alice)
    before = Event.objects.count()
    said(client, case)
    said(client, case)
    assert Event.objects.count() == before
