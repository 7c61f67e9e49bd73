"""Service accounts and their tokens."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from accounts.models import Role, User
from accounts.tokens import issue_token
from audit.models import Event

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """The command's standard output: the token and nothing else."""
    out = StringIO()
    call_command("service_account", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def status_with(token: str) -> int:
    return Client(headers={"Authorization": f"Token {token}"}).get(reverse("api:cases")).status_code


def test_the_command_makes_an_account_whose_token_comes_in(department):
    token = run("scanner-room-2", "--department", "fetal-medicine")
    user = User.objects.get(username="scanner-room-2")
    assert token.startswith("ventra_")
    assert status_with(token) == 200
    assert user.is_service
    assert not user.has_usable_password()
    assert [m.role for m in user.memberships.all()] == [Role.READER]


def test_the_command_is_written_down_without_the_token(department):
    token = run("scanner-room-2", "--department", "fetal-medicine", "--days", "7")
    created, issued = Event.objects.order_by("pk")
    assert (created.verb, created.door) == ("account.service_created", "command")
    assert created.detail == {"department": "fetal-medicine", "role": "reader"}
    assert (issued.verb, issued.detail) == ("account.token_issued", {"days": 7})
    assert token not in str([event.detail for event in (created, issued)])


def test_the_database_holds_no_token(department):
    token = run("scanner-room-2", "--department", "fetal-medicine")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(knox_authtoken::text, ' ') FROM knox_authtoken")
        [kept] = cursor.fetchone()
    assert token not in kept
    assert token.removeprefix("ventra_") not in kept


def test_renewing_replaces_the_token_and_revoking_takes_it_away(department):
    old = run("scanner-room-2", "--department", "fetal-medicine")
    new = run("scanner-room-2", "--renew")
    assert (status_with(old), status_with(new)) == (401, 200)
    run("scanner-room-2", "--revoke")
    assert status_with(new) == 401
    assert Event.objects.filter(verb="account.token_revoked").count() == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new"], "needs --department"),
        (["new", "--department", "nowhere"], "There are: fetal-medicine."),
        (["two words", "--department", "fetal-medicine"], "Enter a valid username"),
        (["alice", "--department", "fetal-medicine"], "already exists"),
        (["alice", "--renew"], "no service account"),
        (["new", "--department", "fetal-medicine", "--days", "0"], "at least 1"),
    ],
)
def test_a_wrong_command_says_what_is_wrong_and_changes_nothing(department, alice, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert not User.objects.filter(is_service=True).exists()
    assert not AuthToken.objects.exists()


def test_a_service_account_cannot_log_in_on_the_page(department):
    run("scanner-room-2", "--department", "fetal-medicine")
    client = Client()
    client.post(reverse("account_login"), {"login": "scanner-room-2", "password": ""})
    assert "_auth_user_id" not in client.session


def test_an_expired_token_is_removed_when_it_is_used(alice):
    assert status_with(issue_token(alice, lifetime=timedelta(seconds=-1))) == 401
    assert not AuthToken.objects.exists()
