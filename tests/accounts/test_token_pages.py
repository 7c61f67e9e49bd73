"""API tokens: seen, issued with the password again, revoked; every write on the trail."""

import re
from datetime import timedelta

import pytest
from conftest import PASSWORD
from knox.models import AuthToken

from accounts.tokens import issue_token
from audit.models import Event

pytestmark = pytest.mark.django_db

WHERE = "/account/tokens/"


@pytest.fixture
def client(client_of, alice):
    return client_of(alice)


def test_a_token_is_shown_once_and_opens_the_api(client, alice):
    page = client.post(WHERE, {"days": 30, "password": PASSWORD}).content.decode()
    token = re.search(r'id="issued">([^<]+)<', page)[1]
    assert client.get("/api/v1/cases/", headers={"Authorization": f"Token {token}"}).status_code == 200
    assert token not in client.get(WHERE).content.decode()
    event = Event.objects.get(verb="account.token_issued")
    assert (event.actor_id, event.detail) == (alice.pk, {"days": 30})


@pytest.mark.parametrize("sent", [{"password": "wrong"}, {}, {"password": PASSWORD, "days": 4000}])
def test_no_token_without_the_password_or_for_ever(sent, client):
    response = client.post(WHERE, {"days": 30} | sent)
    assert response.status_code == 422
    assert not AuthToken.objects.exists()


def test_guessing_the_password_here_is_locked_like_a_log_in(client, alice, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        client.post(WHERE, {"days": 30, "password": "wrong"})
    assert client.post(WHERE, {"days": 30, "password": PASSWORD}).status_code in {403, 422, 429}
    assert not AuthToken.objects.exists()
    assert Event.objects.filter(verb="account.confirmation_failed", actor_id=alice.pk).exists()


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
