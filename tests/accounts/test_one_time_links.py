"""A new password is a link that works once, for a few days, and only for its owner's own choice."""

import re
from datetime import timedelta

import pytest
from conftest import PASSWORD
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from accounts.models import OneTimeLink, User
from audit.models import Event
from config.password_pages import hand_out
from notices.models import Notice

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a different horse battery"


def opened(link: str) -> Client:
    """A browser that has opened the link."""
    client = Client()
    client.post("/account/new-password/", {"link": link.partition("link=")[2], "open": "1"})
    return client


def choose(link: str, password: str = NEW_PASSWORD, again: str | None = None, browser: Client | None = None):
    secret = link.partition("link=")[2]
    said = {"link": secret, "new_password1": password, "new_password2": again or password}
    return (browser or opened(link)).post("/account/new-password/", said)


def may_come_in(user: User, password: str) -> bool:
    client = Client()
    client.post("/account/login/", {"login": user.username, "password": password})
    return "_auth_user_id" in client.session


def test_the_owner_chooses_a_password_and_logs_in_with_it(alice, administrator):
    link = hand_out(alice, by=administrator)
    client = Client()
    page = client.get(link).content.decode()
    assert "alice" in page
    assert "new_password1" not in page, "it is opened first"
    at = client.post("/account/new-password/", {"link": link.partition("link=")[2], "open": "1"}).url
    assert "new_password1" in client.get(at).content.decode()
    assert choose(link, browser=client).url == "/account/login/"
    assert may_come_in(alice, NEW_PASSWORD)


def test_a_link_works_once(alice, administrator):
    link = hand_out(alice, by=administrator)
    choose(link)
    assert Client().get(link).status_code == 410
    assert choose(link, "yet another horse battery").status_code == 410
    assert may_come_in(alice, NEW_PASSWORD)


def test_looking_at_a_link_does_not_spend_it(alice, administrator):
    link = hand_out(alice, by=administrator)
    for _ in range(3):
        assert Client().get(link).status_code == 200
    assert choose(link).status_code == 302


@pytest.mark.parametrize(
    "what_happened",
    [
        lambda _: OneTimeLink.objects.update(expires_at=Now() - timedelta(seconds=1)),
        lambda user: hand_out(user, by=None),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["it is too old", "there is a newer one", "the account is shut"],
)
def test_a_link_that_no_longer_stands_looks_like_one_that_never_did(alice, administrator, what_happened):
    link = hand_out(alice, by=administrator)
    what_happened(alice)
    spent, unknown = choose(link), choose("/account/new-password/?link=guessed")
    assert spent.status_code == unknown.status_code == 410
    words = [re.sub(r'csrf[^>]+value="[^"]+"', "", page.content.decode()) for page in (spent, unknown)]
    assert words[0] == words[1]
    alice.refresh_from_db()
    assert not alice.has_usable_password()


def test_handing_one_out_ends_the_old_password_and_its_sessions(alice, administrator, client_of):
    her_browser = client_of(alice)
    hand_out(alice, by=administrator)
    assert not may_come_in(alice, PASSWORD)
    assert her_browser.get("/account/").status_code == 302


@pytest.mark.parametrize(
    ("new", "again"), [("short", None), ("password1234", None), (NEW_PASSWORD, "another")]
)
def test_a_weak_or_mistyped_password_is_refused_and_the_link_still_stands(alice, administrator, new, again):
    link = hand_out(alice, by=administrator)
    browser = opened(link)
    assert choose(link, new, again, browser).status_code == 422
    assert choose(link, browser=browser).status_code == 302


def test_the_database_holds_no_secret(alice, administrator):
    secret = hand_out(alice, by=administrator).partition("link=")[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(l::text, ' ') FROM accounts_onetimelink l")
        [kept] = cursor.fetchone()
        cursor.execute("SELECT string_agg(e::text, ' ') FROM audit_event e")
        [told] = cursor.fetchone()
    assert secret not in kept + told


def test_the_page_gives_its_own_address_to_nobody(alice, administrator):
    response = Client().get(hand_out(alice, by=administrator))
    assert response["Referrer-Policy"] == "strict-origin"
    assert "no-store" in response["Cache-Control"]


def test_whoever_it_concerns_is_told_and_both_steps_are_on_the_trail(alice, administrator):
    choose(hand_out(alice, by=administrator))
    made, chosen = Event.objects.filter(verb__in=["account.link_made", "account.password_chosen"]).order_by(
        "pk"
    )
    assert (made.actor_name, made.subject_id) == ("administrator", str(alice.pk))
    assert (chosen.actor_name, chosen.subject_id) == ("alice", str(alice.pk))
    [notice] = Notice.objects.visible_to(alice)
    assert "administrator made a one-time link" in notice.sentence
    assert notice.page == "/account/"


def test_a_service_account_has_none(alice):
    alice.is_service = True
    with pytest.raises(ValueError, match="no password"):
        hand_out(alice, by=None)


def test_a_persons_account_shows_their_roles(alice, client_of):
    page = client_of(alice).get("/account/").content.decode()
    assert "Fetal medicine" in page
    assert "Reader" in page


def test_a_link_belongs_to_the_browser_that_opens_it(alice, administrator):
    link = hand_out(alice, by=administrator)
    assert choose(link, browser=Client()).status_code == 200, "nothing is chosen before it is opened"
    alice.refresh_from_db()
    assert not alice.has_usable_password()
    first = opened(link)
    for other in (Client(), opened(link)):
        assert other.get(link).status_code == 410
        assert choose(link, browser=other).status_code == 410
    assert first.get(link).status_code == 200
    assert choose(link, browser=first).status_code == 302
    assert Event.objects.filter(verb="account.link_opened", subject_id=str(alice.pk)).count() == 1


def test_the_administrator_who_made_it_cannot_use_it(alice, administrator, client_of):
    office, link = client_of(administrator), hand_out(alice, by=administrator)
    refused = office.get(link)
    assert refused.status_code == 403
    assert "You are logged in as administrator." in refused.content.decode()
    secret = link.partition("link=")[2]
    assert office.post("/account/new-password/", {"link": secret, "open": "1"}).status_code == 403
    assert choose(link, browser=office).status_code == 403
    assert choose(link).status_code == 302, "it is still alice's"


def test_whoever_opens_it_elsewhere_is_noticed_by_its_owner(alice, administrator):
    link = hand_out(alice, by=administrator)
    opened(link)
    page = Client().get(link)
    assert page.status_code == 410
    assert "If you have not opened it yourself, tell your administrator at once" in page.content.decode()
