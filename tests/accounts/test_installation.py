"""The demo comes once, to an empty place; where people work nobody has a password that everybody may read."""

import io
from datetime import timedelta

import pytest
from conftest import PASSWORD, member
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from knox.models import AuthToken

from accounts import installation
from accounts.installation import PUBLISHED_PASSWORD
from accounts.models import Department, Installation, Membership, Role, User
from accounts.tokens import issue_token
from audit.models import Event
from cases import demo
from cases.models import Case

pytestmark = pytest.mark.django_db
DEMO = {"reader", "senior", "models", "auditor", "admin"}


def run(command: str, *words: str) -> str:
    said = io.StringIO()
    call_command(command, *words, stdout=said, stderr=said)
    return said.getvalue()


def lets_in(name: str, password: str = PUBLISHED_PASSWORD) -> bool:
    sent = {"login": name, "password": password}
    return Client().post("/account/login/", sent).status_code == 302


def names() -> set[str]:
    return set(User.objects.values_list("username", flat=True))


@pytest.fixture
def earlier(db) -> Department:
    """What an earlier version planted at every start, before anything was decided."""
    department = demo.people()
    Installation.objects.all().delete()
    return department


def test_an_empty_installation_becomes_the_demo_and_says_how_to_log_in():
    said = run("installation")
    assert names() == DEMO
    assert installation.is_demo()
    assert all(name in said for name in DEMO)
    assert lets_in("admin")


def test_a_demo_account_that_was_renamed_or_closed_does_not_come_back():
    run("installation")
    User.objects.filter(username="admin").update(username="chief")
    User.objects.filter(username="senior").update(is_active=False)
    User.objects.filter(username="auditor").delete()
    reader = User.objects.get(username="reader")
    reader.username = "somebody"
    reader.set_password(PASSWORD)
    reader.save()
    before = names()
    said = run("installation")
    assert names() == before
    assert "chief" in said, "who still has the published password is told of"
    assert "somebody" not in said
    assert Case.objects.count() == len(demo.HEADS)


def test_one_of_somebodys_own_never_becomes_the_demo():
    said = run("installation", "--own")
    assert "./manage first_administrator NAME" in said
    run("installation")
    with pytest.raises(CommandError, match="the demo does not come here"):
        run("demo")
    with pytest.raises(CommandError, match="no demo"):
        run("installation", "--data", ".")
    assert names() == set()
    assert installation.is_demo() is False


@pytest.mark.parametrize("people", [["alice"], ["charlie", "administrator"]])
def test_where_people_work_already_the_demo_does_not_come(people, request):
    for name in people:
        request.getfixturevalue(name)
    run("installation")
    assert names() == set(people)
    assert installation.is_demo() is False


def test_what_an_earlier_version_planted_stays_the_demo_where_nobody_else_is(earlier):
    run("installation")
    assert installation.is_demo()
    assert names() == DEMO


@pytest.mark.parametrize("leaves", ["a department of their own came", "the start says so"])
def test_leaving_the_demo_closes_every_published_password(leaves, earlier):
    User.objects.filter(username="admin").update(username="chief")
    kept = member("head", earlier, Role.READER)
    program = issue_token(User.objects.get(username="reader"), lifetime=timedelta(days=1))
    assert lets_in("chief")
    if leaves == "the start says so":
        said = run("installation", "--own")
    else:
        Department.objects.create(name="Fetal medicine", slug="fetal-medicine")
        said = run("installation")
    assert "chief had the demo's published password" in said
    assert not any(lets_in(name) for name in [*DEMO, "chief"])
    assert lets_in(kept.username, PASSWORD)
    assert Client(headers={"Authorization": f"Token {program}"}).get("/api/v1/cases/").status_code == 401
    assert not AuthToken.objects.exists()
    assert Event.objects.filter(verb="account.password_closed").count() == len(DEMO)
    assert run("installation", "--own").count("published") == 0, "once"


def test_nobody_chooses_the_published_password(alice, client_of):
    sent = {"oldpassword": PASSWORD, "password1": PUBLISHED_PASSWORD, "password2": PUBLISHED_PASSWORD}
    page = client_of(alice).post("/account/password/change/", sent).content.decode()
    assert "which is published" in page
    assert lets_in("alice", PASSWORD)


def test_the_mark_is_one_row():
    installation.decide(own=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Installation.objects.create(only=False, is_demo=True)


def link_of(said: str) -> str:
    return said[said.index("/account/") :].strip()


def test_the_first_administrator_chooses_a_password_by_a_link_that_works_once(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://ventra.hospital.example"]
    said = run("first_administrator", "chief", "--department", "Fetal medicine")
    assert "https://ventra.hospital.example/account/" in said
    chief = User.objects.get()
    assert not chief.has_usable_password()
    assert Membership.objects.get().role == "administrator"
    sent = {"new_password1": PASSWORD, "new_password2": PASSWORD, "link": link_of(said).partition("=")[2]}
    browser = Client()
    browser.post("/account/new-password/", {"link": sent["link"], "open": "1"})
    assert browser.post("/account/new-password/", sent).status_code == 302
    assert browser.post("/account/new-password/", sent).status_code == 410
    assert lets_in("chief", PASSWORD)
    chief.refresh_from_db()
    client = Client()
    client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/").status_code == 200
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert verbs >= {"account.administrator_made", "account.link_made", "account.password_chosen"}


def test_there_is_one_first_administrator_who_may_get_a_new_link(administrator):
    with pytest.raises(CommandError, match="administrator can make further accounts"):
        run("first_administrator", "another")
    assert "/account/new-password/?link=" in run("first_administrator", "administrator")
    assert not lets_in("administrator", PASSWORD), "the old password ends with it"


@pytest.mark.parametrize("name", ["alice", "", "not a name!"])
def test_a_name_that_cannot_be_an_administrators_is_refused(name, alice):
    with pytest.raises(CommandError):
        run("first_administrator", name)
    assert names() == {"alice"}


def test_a_department_whose_short_name_is_taken_is_refused_and_nobody_is_made(other_department):
    with pytest.raises(CommandError, match="already exists"):
        run("first_administrator", "chief", "--department", "elsewhere!")
    assert names() == set()


def test_the_demo_has_its_administrator():
    run("installation")
    with pytest.raises(CommandError, match="--no-demo"):
        run("first_administrator", "chief")
