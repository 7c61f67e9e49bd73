"""Accounts are managed by administrators, through the one log-in page, with an audit line for each change."""

import re

import pytest
from conftest import PASSWORD, member
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Department, Membership, OneTimeLink, Role, User
from accounts.roles import CLINICAL
from accounts.tokens import create_service_account
from audit.models import Event
from cases.models import ReadingRules
from config.admin import site
from notices.models import Notice

pytestmark = pytest.mark.django_db
NO_MEMBERSHIPS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
MINE = {"own_password": PASSWORD}


@pytest.fixture
def office(client_of, administrator):
    return client_of(administrator)


def form_of(user: User, **change: object) -> dict:
    names = ("username", "first_name", "last_name", "email", "time_zone")
    said = {name: getattr(user, name) for name in names} | {"is_active": "on"} | NO_MEMBERSHIPS
    return said | MINE | change


def with_role(user: User, department: Department, role: str, **change: object) -> dict:
    """The form of somebody's account, with one more role."""
    said = {"user": user.pk, "department": department.pk, "role": role} | change
    row = {f"memberships-0-{name}": value for name, value in said.items()}
    return form_of(
        user, **row, **{"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": int("id" in said)}
    )


def test_only_accounts_are_registered():
    assert set(site._registry) == {User, Department, ReadingRules}
    assert site is not admin.site


def test_a_visitor_is_sent_to_the_one_log_in_page(client):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == f"{reverse('account_login')}?next=/admin/"


@pytest.mark.parametrize("who", ["alice", "bob", "auditor", "manager"])
def test_nobody_but_an_administrator_comes_in(client_of, request, who):
    response = client_of(request.getfixturevalue(who)).get("/admin/", follow=True)
    assert response.status_code == 403


def test_the_admin_has_no_second_password_page(office):
    assert office.get("/admin/password_change/").url == reverse("account_change_password")


@pytest.mark.parametrize("page", ["", "accounts/user/", "accounts/user/add/", "accounts/department/"])
def test_every_page_is_drawn(office, page):
    assert office.get(f"/admin/{page}").status_code == 200


def test_a_new_user_leaves_an_audit_line_and_a_link_to_a_password(office, administrator):
    page = office.post(
        "/admin/accounts/user/add/", {"username": "dora", "time_zone": "UTC"} | MINE | NO_MEMBERSHIPS
    )
    dora = User.objects.get(username="dora")
    assert not dora.has_usable_password()
    link = re.search(r'id="one-time-link">http://testserver([^<]+)<', page.content.decode())[1]
    assert Client().get(link).status_code == 200
    assert link not in office.get(f"/admin/accounts/user/{dora.pk}/change/").content.decode()
    event = Event.objects.get(verb="account.changed")
    assert (event.actor_name, event.subject_id) == ("administrator", str(dora.pk))
    assert event.detail["change"] == [{"added": {}}]


def test_a_role_given_is_a_line_of_its_department_and_told_to_whom_it_is(
    office, alice, department, other_department, auditor, client_of
):
    elsewhere = member("other-auditor", other_department, Role.AUDITOR)
    office.post(f"/admin/accounts/user/{alice.pk}/change/", with_role(alice, other_department, Role.READER))
    assert Membership.objects.filter(user=alice, department=other_department, role=Role.READER).exists()
    [event] = Event.objects.visible_to(elsewhere).filter(subject_id=str(alice.pk))
    assert (event.verb, event.actor_name) == ("account.role_given", "administrator")
    assert (event.detail["role"], event.detail["department"]) == ("reader", "Elsewhere")
    assert not Event.objects.visible_to(auditor).filter(verb="account.role_given").exists()
    [notice] = Notice.objects.visible_to(alice)
    assert notice.sentence == "administrator gave you the role Reader in Elsewhere."


def test_a_role_changed_is_one_taken_and_one_given(office, alice, department, auditor):
    mine = Membership.objects.get(user=alice)
    change = with_role(alice, department, Role.AUDITOR, id=mine.pk)
    office.post(f"/admin/accounts/user/{alice.pk}/change/", change)
    events = Event.objects.visible_to(auditor).filter(subject_id=str(alice.pk)).order_by("pk")
    assert [(event.verb, event.detail["role"]) for event in events] == [
        ("account.role_given", "auditor"),
        ("account.role_taken", "reader"),
    ]
    assert {notice.code for notice in Notice.objects.visible_to(alice)} == {
        "account.role_given",
        "account.role_taken",
    }


@pytest.mark.parametrize("role", sorted(CLINICAL))
def test_nobody_gives_themselves_a_role_that_shows_patients(office, administrator, department, role):
    where = f"/admin/accounts/user/{administrator.pk}/change/"
    mine = Membership.objects.get(user=administrator)
    staff = {"is_staff": "on", "is_superuser": "on"}
    for change in (
        with_role(administrator, department, role),
        with_role(administrator, department, role, id=mine.pk),
    ):
        response = office.post(where, change | staff)
        assert "Nobody gives themselves the role" in response.content.decode()
    assert set(administrator.memberships.values_list("role", flat=True)) == {Role.ADMINISTRATOR}


def test_an_administrator_may_take_another_departments_administration(
    office, administrator, other_department
):
    change = with_role(administrator, other_department, Role.ADMINISTRATOR) | {
        "is_staff": "on",
        "is_superuser": "on",
    }
    office.post(f"/admin/accounts/user/{administrator.pk}/change/", change)
    assert administrator.memberships.filter(department=other_department).exists()


def test_shutting_an_account_leaves_an_audit_line_and_ends_its_sessions(office, client_of, alice):
    her_browser = client_of(alice)
    office.post(f"/admin/accounts/user/{alice.pk}/change/", form_of(alice, is_active=""))
    assert Event.objects.get(verb="account.changed").detail["change"] == [{"changed": {"fields": ["Active"]}}]
    assert her_browser.get(reverse("account_change_password")).status_code == 302


def test_a_new_password_is_a_link_and_nothing_that_an_administrator_knows(office, alice, client_of, auditor):
    her_browser = client_of(alice)
    page = office.post(f"/admin/accounts/user/{alice.pk}/password/", {"password": PASSWORD}).content.decode()
    assert re.search(r'id="one-time-link">http://testserver/account/new-password/[?]link=[^<]+<', page)
    assert her_browser.get("/account/").status_code == 302
    alice.refresh_from_db()
    assert not alice.has_usable_password()
    assert Event.objects.visible_to(auditor).get(verb="account.link_made").actor_name == "administrator"
    assert Notice.objects.visible_to(alice).get().code == "account.link_made"


def test_nobody_makes_a_link_for_themselves_or_a_program(office, administrator, department):
    program = create_service_account("scanner", department)
    response = office.post(f"/admin/accounts/user/{administrator.pk}/password/", {"password": PASSWORD})
    assert response.url == reverse("account_change_password")
    assert (
        office.post(f"/admin/accounts/user/{program.pk}/password/", {"password": PASSWORD}).status_code == 404
    )
    assert not OneTimeLink.objects.exists()


def doors(alice: User, department: Department) -> dict[str, dict]:
    """Every address of the Administration that stores something, with what would be stored."""
    return {
        "accounts/user/add/": {"username": "dora", "time_zone": "UTC"} | NO_MEMBERSHIPS,
        f"accounts/user/{alice.pk}/change/": with_role(alice, department, Role.AUDITOR)
        | {"own_password": ""},
        f"accounts/user/{alice.pk}/password/": {},
        f"accounts/user/{alice.pk}/delete/": {"post": "yes"},
        "accounts/user/": DELETE_ALL | {"_selected_action": alice.pk},
        "accounts/department/add/": {"name": "New", "slug": "new"},
        f"accounts/department/{department.pk}/change/": {"name": "New", "slug": "new"},
        f"accounts/department/{department.pk}/delete/": {"post": "yes"},
        "accounts/department/": {
            "action": "delete_selected",
            "_selected_action": department.pk,
            "post": "yes",
        },
        "cases/readingrules/add/": RULES | {"department": department.pk},
        f"cases/readingrules/{department.reading_rules.pk}/change/": RULES | {"department": department.pk},
        f"cases/readingrules/{department.reading_rules.pk}/delete/": {"post": "yes"},
        "cases/readingrules/": {
            "action": "delete_selected",
            "_selected_action": department.pk,
            "post": "yes",
        },
    }


DELETE_ALL = {"action": "delete_selected", "post": "yes"}
RULES = {"mode": "reader_first", "second_reader": "always", "severity_scheme": "smfm"}
RULES |= {"undecided_doubt": "0.2", "undecided_opposed": "0.5"}


def accounts() -> str:
    with connection.cursor() as cursor:
        found = []
        for model in (User, Membership, Department, ReadingRules, OneTimeLink):
            cursor.execute(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {model._meta.db_table} t"
            )
            found.append(cursor.fetchone()[0])
    return str(found)


def test_there_is_no_door_without_the_administrators_own_password(office, alice, department):
    before = accounts()
    for door, said in doors(alice, department).items():
        for wrong in ({}, {"own_password": "wrong", "password": "wrong"}):
            response = office.post(f"/admin/{door}", said | wrong)
            assert response.status_code in {200, 302, 422, 429}, door
            assert accounts() == before, door


def test_every_door_of_the_administration_is_in_the_list(alice, department):
    known = {re.sub(r"\d+", "KEY", door) for door in doors(alice, department)}
    for entry in site.urls[0]:
        for inner in getattr(entry, "url_patterns", []):
            path = re.sub(r"<[^>]+>", "KEY", f"{entry.pattern}{inner.pattern}")
            if not path.endswith(("history/", "KEY/")):  # the last leads to the change page
                assert path in known, path


def test_deleting_leaves_an_audit_line(office, other_department):
    office.post(
        f"/admin/accounts/department/{other_department.pk}/delete/", {"post": "yes", "password": PASSWORD}
    )
    assert not Department.objects.filter(slug="elsewhere").exists()
    assert Event.objects.get(verb="account.deleted").detail["name"] == "Elsewhere"


def test_a_user_who_opened_cases_cannot_be_deleted(office, alice, case):
    office.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes", "password": PASSWORD})
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_password_of_an_administrator_is_not_a_way_around_the_log_in_page(client, administrator):
    response = client.post("/admin/login/", {"username": "administrator", "password": PASSWORD})
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session
