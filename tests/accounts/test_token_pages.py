"""API tokens: seen, issued with the password again, revoked; every write on the trail."""

import re
from datetime import timedelta

import pytest
from conftest import PASSWORD
from django.db.models import F
from django.test import Client
from knox.models import AuthToken

from accounts.models import TokenUse
from accounts.tokens import issue_token
from audit.models import Event
from config.password_pages import hand_out
from notices.models import Notice

pytestmark = pytest.mark.django_db

WHERE = "/account/tokens/"


@pytest.fixture
def client(client_of, alice):
    return client_of(alice)


def test_a_token_is_shown_once_and_opens_the_api(client, alice):
    page = client.post(WHERE, {"days": 30, "scope": "all", "password": PASSWORD}).content.decode()
    token = re.search(r'id="issued">([^<]+)<', page)[1]
    assert client.get("/api/v1/cases/", headers={"Authorization": f"Token {token}"}).status_code == 200
    assert token not in client.get(WHERE).content.decode()
    event = Event.objects.get(verb="account.token_issued")
    assert (event.actor_id, event.detail) == (alice.pk, {"days": 30})


@pytest.mark.parametrize(
    "sent", [{"password": "wrong"}, {}, {"password": PASSWORD, "scope": "all", "days": 4000}]
)
def test_no_token_without_the_password_or_for_ever(sent, client):
    response = client.post(WHERE, {"days": 30} | sent)
    assert response.status_code == 422
    assert not AuthToken.objects.exists()


def test_guessing_the_password_here_is_slowed_like_a_log_in(client, alice):
    for _ in range(10):
        client.post(WHERE, {"days": 30, "scope": "all", "password": "wrong"})
    page = client.post(WHERE, {"days": 30, "scope": "all", "password": PASSWORD})
    assert page.status_code == 422
    assert "Too many wrong passwords" in page.content.decode()
    assert not AuthToken.objects.exists()
    assert Event.objects.filter(verb="account.confirmation_failed", actor_id=alice.pk).count() == 10


def test_a_revoked_token_opens_nothing(client, alice):
    token = issue_token(alice, lifetime=timedelta(days=1))
    digest = AuthToken.objects.get().digest
    client.post(f"{WHERE}{digest}/revoke/")
    assert client.get("/api/v1/cases/", headers={"Authorization": f"Token {token}"}).status_code == 401
    assert Event.objects.filter(verb="account.token_revoked", actor_id=alice.pk).count() == 1


def test_the_tokens_of_others_are_neither_seen_nor_revoked(client, bob):
    issue_token(bob, lifetime=timedelta(days=1))
    token = AuthToken.objects.get()
    assert token.token_key not in client.get(WHERE).content.decode()
    assert client.post(f"{WHERE}{token.digest}/revoke/").status_code == 404
    assert AuthToken.objects.exists()


def test_the_last_use_of_a_token_is_shown_to_the_minute(client, alice, api):
    program = api(alice)
    assert "never" in client.get(WHERE).content.decode()
    program.get("/api/v1/cases/")
    first = TokenUse.objects.get()
    program.get("/api/v1/cases/")
    assert TokenUse.objects.get().last_at == first.last_at
    assert "never" not in client.get(WHERE).content.decode()
    TokenUse.objects.update(last_at=F("last_at") - timedelta(minutes=2))
    program.get("/api/v1/cases/")
    assert TokenUse.objects.get().last_at > first.last_at - timedelta(minutes=1)


def test_an_administrator_revokes_any_token_with_their_own_password(
    administrator, alice, client_of, auditor, api
):
    program, office = api(alice), client_of(administrator)
    token = AuthToken.objects.get()
    page = office.get(f"{WHERE}all/").content.decode()
    assert "alice" in page
    assert token.token_key in page
    for wrong in ({}, {"password": "wrong"}):
        assert office.post(f"{WHERE}all/", {"token": token.digest} | wrong).status_code == 422
    assert program.get("/api/v1/cases/").status_code == 200
    office.post(f"{WHERE}all/", {"token": token.digest, "password": PASSWORD})
    assert program.get("/api/v1/cases/").status_code == 401
    event = Event.objects.visible_to(auditor).get(verb="account.token_revoked")
    assert (event.actor_name, event.subject_id) == ("administrator", str(alice.pk))
    assert Notice.objects.visible_to(alice).get().sentence.startswith("administrator revoked your API token")


@pytest.mark.parametrize("who", ["alice", "bob", "auditor", "manager"])
def test_nobody_else_sees_everybodys_tokens(who, request, client_of):
    client = client_of(request.getfixturevalue(who))
    assert client.get(f"{WHERE}all/").status_code == 403
    assert client.post(f"{WHERE}all/", {"token": "x", "password": PASSWORD}).status_code == 403


@pytest.mark.parametrize("revokes", [True, False])
def test_changing_the_password_offers_to_revoke_the_tokens(client, alice, api, revokes):
    program = api(alice)
    new = "a different horse battery"
    said = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/account/password/change/", said | ({"revoke_tokens": "on"} if revokes else {}))
    alice.refresh_from_db()
    assert alice.check_password(new)
    assert program.get("/api/v1/cases/").status_code == (401 if revokes else 200)
    assert Event.objects.filter(verb="account.token_revoked").count() == int(revokes)


def test_a_one_time_link_offers_it_too(alice, administrator, api):
    program = api(alice)
    secret = hand_out(alice, by=administrator).partition("link=")[2]
    new = "a different horse battery"
    said = {"link": secret, "new_password1": new, "new_password2": new, "revoke_tokens": "on"}
    browser = Client()
    browser.post("/account/new-password/", {"link": secret, "open": "1"})
    assert browser.post("/account/new-password/", said).status_code == 302
    assert program.get("/api/v1/cases/").status_code == 401


def test_guessing_the_old_password_is_slowed_too(client, alice):
    new = "a different horse battery"
    for old in ["wrong"] * 10 + [PASSWORD]:
        client.post("/account/password/change/", {"oldpassword": old, "password1": new, "password2": new})
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert Event.objects.filter(verb="account.confirmation_failed").count() == 10
