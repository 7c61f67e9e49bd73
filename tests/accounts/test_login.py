"""Logging in and out, being locked out, changing one's password, and that nobody signs up."""

import pytest
from conftest import PASSWORD
from django.conf import settings as project
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import User
from audit.models import Event
from config import settings as written

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a different horse battery"


def log_in(client: Client, name: str, password: str, address: str = "192.0.2.1"):
    said = {"login": name, "password": password}
    return client.post(reverse("account_login"), said, REMOTE_ADDR=address)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_right_password_comes_in_and_is_written_down(client, alice):
    response = log_in(client, "alice", PASSWORD)
    assert response.status_code == 302
    event = Event.objects.get(verb="account.logged_in")
    assert (event.actor_name, event.door, event.ip_address) == ("alice", "page", "192.0.2.1")


def test_a_wrong_password_stays_out_and_is_written_down(client, alice):
    response = log_in(client, "alice", "wrong")
    assert response.status_code in {200, 422}
    assert not is_in(client)
    assert Event.objects.get(verb="account.login_failed").actor_name == "alice"


def test_a_wrong_name_gets_the_same_words_as_a_wrong_password(alice):
    pages = [log_in(Client(), name, "wrong") for name in ("alice", "nobody")]
    errors = [page.context["form"].errors.as_json() for page in pages]
    assert errors[0] == errors[1]


def test_an_inactive_user_stays_out(client, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    log_in(client, "alice", PASSWORD)
    assert not is_in(client)


def test_logging_out_needs_a_post_and_is_written_down(client_of, alice):
    client = client_of(alice)
    client.get(reverse("account_logout"))
    assert is_in(client)
    client.post(reverse("account_logout"))
    assert not is_in(client)
    assert Event.objects.filter(verb="account.logged_out", actor_name="alice").count() == 1


def test_the_session_has_a_new_name_after_logging_in(client, alice):
    session = client.session
    session["visited"] = True
    session.save()
    before = session.session_key
    client.cookies[project.SESSION_COOKIE_NAME] = before
    log_in(client, "alice", PASSWORD)
    assert client.session.session_key != before


def change_password(client: Client, old: str, new: str):
    said = {"oldpassword": old, "password1": new, "password2": new}
    return client.post(reverse("account_change_password"), said)


def test_changing_the_password_ends_every_other_session_and_is_written_down(client_of, alice):
    here, there = client_of(alice), client_of(alice)
    change_password(here, PASSWORD, NEW_PASSWORD)
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert there.get(reverse("account_change_password")).status_code == 302
    assert Event.objects.filter(verb="account.password_changed", actor_name="alice").count() == 1


@pytest.mark.parametrize("new", ["short", "password1234", "alice alice alice"])
def test_a_weak_password_is_refused(client_of, alice, new):
    User.objects.filter(pk=alice.pk).update(first_name="alice alice alice")
    change_password(client_of(alice), PASSWORD, new)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_the_old_password_is_asked_for(client_of, alice):
    change_password(client_of(alice), "wrong", NEW_PASSWORD)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_nobody_signs_up(client, department):
    said = {"username": "eve", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(reverse("account_signup"), said)
    assert not User.objects.filter(username="eve").exists()


def test_passwords_are_hashed_with_argon2():
    assert written.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"


def test_the_account_pages_are_these_and_no_others():
    names = {route.name for route in get_resolver("accounts.urls").url_patterns}
    assert names == {
        "account_overview",
        "account_login",
        "account_logout",
        "account_change_password",
        "account_signup",
        "account_inactive",
    }


def test_no_password_is_reset_by_mail(client):
    assert client.post("/account/password/reset/", {"email": "somebody@example.org"}).status_code == 404
