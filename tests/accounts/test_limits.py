"""A stranger can neither guess a password quickly nor lock its owner out; proxies are believed by name."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network

import pytest
from conftest import PASSWORD
from django.db import connection
from django.db.models import F
from django.test import Client

from accounts import limits
from accounts.addresses import client_address, neighbourhood
from accounts.models import Attempts
from audit.models import Event

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def log_in(client: Client, name: str, password: str = PASSWORD, address: str = HERE, **headers: str):
    said = {"login": name, "password": password}
    return client.post("/account/login/", said, REMOTE_ADDR=address, headers=headers)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def guess(name: str, times: int, address: str = HERE, client: Client | None = None) -> list[int]:
    """What a stranger is answered, each time from a browser that nobody knows."""
    return [log_in(client or Client(), name, "wrong", address).status_code for _ in range(times)]


def later(seconds: float) -> None:
    """As if this time had passed."""
    ago = timedelta(seconds=seconds)
    Attempts.objects.update(last_at=F("last_at") - ago, free_at=F("free_at") - ago)


def browser_of(user) -> Client:
    """Where they have logged in before, and are logged out."""
    client = Client()
    log_in(client, user.username, address=ELSEWHERE)
    assert is_in(client)
    client.post("/account/logout/")
    return client


def test_guessing_one_name_is_slowed_after_five_tries_and_the_wait_doubles(alice):
    assert guess("alice", 6) == [200] * 5 + [429]
    waits = []
    for _ in range(6):
        later(limits_left())
        assert guess("alice", 1) == [200]
        waits.append(round(int(log_in(Client(), "alice")["Retry-After"]), -1))
    assert waits == [20, 40, 80, 160, 300, 300]


def limits_left() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(0, extract(epoch FROM max(free_at) - now())) FROM accounts_attempts")
        return float(cursor.fetchone()[0]) + 0.001


def test_the_right_password_does_not_help_while_one_waits_and_does_afterwards(alice):
    guess("alice", 5)
    client = Client()
    assert log_in(client, "alice").status_code == 429
    assert not is_in(client)
    later(limits_left())
    log_in(client, "alice")
    assert is_in(client)
    assert guess("alice", 5) == [200] * 5, "it begins anew for whoever knew it"


def test_a_stranger_elsewhere_delays_nobody(alice):
    guess("alice", 30, ELSEWHERE)
    client = Client()
    log_in(client, "alice", address=HERE)
    assert is_in(client)


def test_a_stranger_at_the_same_address_does_not_delay_who_has_been_here_before(alice):
    hers = browser_of(alice)
    guess("alice", 30)
    log_in(hers, "alice")
    assert is_in(hers)


def test_a_shared_workstation_knows_everybody_who_works_there(alice, bob):
    shared = browser_of(alice)
    log_in(shared, "bob", address=ELSEWHERE)
    shared.post("/account/logout/")
    guess("alice", 30)
    guess("bob", 30)
    for name in ("alice", "bob"):
        assert log_in(shared, name).status_code == 302
        shared.post("/account/logout/")


def test_a_known_browser_may_not_guess_for_ever_nor_for_others(alice, bob):
    hers = browser_of(alice)
    assert guess("alice", 11, client=hers) == [200] * 10 + [429]
    assert guess("bob", 6, client=hers) == [200] * 5 + [429]


def test_a_cookie_that_was_made_up_is_no_known_browser(alice):
    client = Client()
    client.cookies["ventra_device"] = "eyJpZCI6ICJ4IiwgInVzZXJzIjogWzFdfQ:forged:forged"
    assert guess("alice", 6, client=client) == [200] * 5 + [429]


def test_spraying_over_many_names_is_slowed_too(alice, bob):
    answers = [guess(f"somebody-{number}", 1)[0] for number in range(25)]
    assert answers == [200] * 20 + [429] * 5
    assert guess("bob", 1) == [429]
    later(limits_left())
    assert guess("bob", 2) == [200, 429]


def test_one_address_of_version_six_is_a_whole_customer(alice):
    answers = [guess(f"name-{n}", 1, f"2001:db8:1:2::{n + 1:x}")[0] for n in range(22)]
    assert answers[-1] == 429
    assert neighbourhood("2001:db8:1:2::1") == neighbourhood("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"


def test_an_account_that_is_not_there_is_slowed_with_the_same_words(alice):
    pages = []
    for name in ("alice", "nobody-here"):
        guess(name, 5)
        pages.append(log_in(Client(), name))
    assert [page.status_code for page in pages] == [429, 429]
    words = [re.sub(r'value="\w{64}"|\d+ seconds', "", page.content.decode()) for page in pages]
    assert words[0] == words[1]


def test_asking_for_the_password_again_has_its_own_count(alice, client_of):
    guess("alice", 30)
    client = client_of(alice)
    assert (
        client.post("/account/tokens/", {"days": 30, "scope": "all", "password": PASSWORD}).status_code == 200
    )
    for _ in range(11):
        page = client.post("/account/tokens/", {"days": 30, "scope": "all", "password": "wrong"})
    assert "Too many wrong passwords" in page.content.decode()
    other_session = client_of(alice)
    assert (
        other_session.post("/account/tokens/", {"days": 30, "scope": "all", "password": PASSWORD}).status_code
        == 200
    )


def test_tries_are_forgotten_slowly(alice):
    guess("alice", 4)
    later(2 * 300 + 1)
    assert guess("alice", 4) == [200, 200, 200, 429]


def test_the_trail_is_not_filled_by_whoever_hammers(alice):
    guess("alice", 40)
    assert Event.objects.filter(verb="account.login_failed").count() == 5


def test_no_name_is_kept_that_was_typed(alice):
    guess("my-password-typed-by-mistake", 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(a::text, ' ') FROM accounts_attempts a")
        [kept] = cursor.fetchone()
    assert "mistake" not in kept
    assert HERE not in kept


def test_what_nobody_has_tried_for_a_day_is_forgotten(alice):
    guess("alice", 3)
    later(25 * 60 * 60)
    limits.tidy()
    assert not Attempts.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_are_counted_one_by_one():
    wanted = [limits.Counter("k" * 64, free=5, longest=300, leak=300)]

    def one(_: int) -> int:
        try:
            return limits.take(wanted)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(one, range(48)))
    assert waits.count(0) == 5


PROXY, INNER, CLIENT = "10.0.0.5", "10.0.0.6", "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        (CLIENT, "", CLIENT),
        (CLIENT, "198.51.100.1", CLIENT),  # a stranger may say what they like
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"198.51.100.1, {CLIENT}", CLIENT),  # what the client itself had sent does not count
        (PROXY, f"{CLIENT}, {INNER}", CLIENT),
        (PROXY, f"198.51.100.1, {CLIENT}, {INNER}", CLIENT),
        (PROXY, "", PROXY),
        (PROXY, "unknown", PROXY),
        (PROXY, f"{CLIENT}, nonsense", PROXY),
        (PROXY, "2001:db8::1", "2001:db8::1"),
        (f"::ffff:{PROXY}", CLIENT, CLIENT),
        (PROXY, INNER, INNER),
        ("", CLIENT, ""),
    ],
)
def test_only_what_trusted_proxies_report_is_believed(peer, forwarded, found):
    assert client_address(peer, forwarded, [ip_network("10.0.0.0/24")]) == found
    if peer != CLIENT and peer:
        assert client_address(peer, forwarded, []) in {PROXY}


def test_by_default_nobody_is_believed_by_limits_or_audit(alice):
    for number in range(6):
        answer = log_in(Client(), "alice", "wrong", **{"X-Forwarded-For": f"203.0.113.{number}"})
    assert answer.status_code == 429
    assert set(Event.objects.values_list("ip_address", flat=True)) == {HERE}


def test_a_proxy_that_is_named_is_believed_by_limits_and_audit_alike(alice, settings):
    settings.TRUSTED_PROXIES = [ip_network(f"{HERE}/32")]
    for number in range(6):
        answer = log_in(Client(), "alice", "wrong", **{"X-Forwarded-For": f"9.9.9.9, 203.0.113.{number}"})
    assert answer.status_code == 200
    told = set(Event.objects.filter(verb="account.login_failed").values_list("ip_address", flat=True))
    assert told == {f"203.0.113.{number}" for number in range(6)}


@pytest.mark.parametrize(
    ("trusted", "secure"), [([], False), (["10.0.0.0/24"], False), ([f"{HERE}/32"], True)]
)
def test_only_a_trusted_proxy_says_that_a_client_came_by_tls(settings, trusted, secure):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = [ip_network(one) for one in trusted]
    answer = Client(headers={"X-Forwarded-Proto": "https"}).get("/account/login/", REMOTE_ADDR=HERE)
    assert answer.wsgi_request.is_secure() == secure


def test_whoever_is_behind_a_tls_proxy_says_which_one():
    named = {"BEHIND_TLS_PROXY": "1", "TRUSTED_PROXIES": "10.0.0.5/32"}
    for changed, starts in ((named, True), (named | {"TRUSTED_PROXIES": ""}, False)):
        asked = subprocess.run(
            [sys.executable, "-c", "import config.settings"],
            env={**os.environ, **changed, "PYTHONPATH": "platform"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (asked.returncode == 0) == starts, asked.stderr
    assert "TRUSTED_PROXIES" in asked.stderr
