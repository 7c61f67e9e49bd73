"""Accounts are managed by administrators, through the one log-in page, with an audit line for each change."""

import pytest
from conftest import PASSWORD
from django.contrib import admin
from django.urls import reverse

from accounts.models import Department, Membership, Role, User
from audit.models import Event
from cases.models import ReadingRules
from config import administration

pytestmark = pytest.mark.django_db
NO_MEMBERSHIPS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
NEW_PASSWORD = "a different horse battery"
NEW_PASSWORD_TWICE = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}


@pytest.fixture
def office(client_of, administrator):
    return client_of(administrator)


def form_of(user: User, **change: object) -> dict:
    names = ("username", "first_name", "last_name", "email", "time_zone")
    said = {name: getattr(user, name) for name in names} | {"is_active": "on"} | NO_MEMBERSHIPS
    return said | change


def test_only_accounts_are_registered():
    assert set(administration.site._registry) == {User, Department, ReadingRules}
    assert administration.site is not admin.site


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


def test_a_new_user_leaves_an_audit_line(office, administrator):
    office.post("/admin/accounts/user/add/", {"username": "dora"} | NEW_PASSWORD_TWICE | NO_MEMBERSHIPS)
    dora = User.objects.get(username="dora")
    event = Event.objects.get(verb="account.changed")
    assert (event.actor_name, event.subject_id) == ("administrator", str(dora.pk))
    assert event.detail["change"] == [{"added": {}}]


def test_a_membership_leaves_an_audit_line_with_the_role(office, alice, department):
    mine = Membership.objects.get(user=alice)
    said = {"id": mine.pk, "user": alice.pk, "department": department.pk, "role": Role.AUDITOR}
    row = {f"memberships-0-{name}": value for name, value in said.items()}
    row |= {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1}
    office.post(f"/admin/accounts/user/{alice.pk}/change/", form_of(alice, **row))
    [event] = Event.objects.filter(verb="account.changed")
    assert event.detail["name"] == "alice"
    [change] = event.detail["change"]
    assert change["changed"]["object"] == "alice: Auditor in Fetal medicine"
    assert change["changed"]["fields"] == ["Role"]


def test_shutting_an_account_leaves_an_audit_line_and_ends_its_sessions(office, client_of, alice):
    her_browser = client_of(alice)
    office.post(f"/admin/accounts/user/{alice.pk}/change/", form_of(alice, is_active=""))
    assert Event.objects.get(verb="account.changed").detail["change"] == [{"changed": {"fields": ["Active"]}}]
    assert her_browser.get(reverse("account_change_password")).status_code == 302


def test_a_password_set_by_an_administrator_leaves_an_audit_line_without_the_password(office, alice):
    office.post(f"/admin/accounts/user/{alice.pk}/password/", NEW_PASSWORD_TWICE | {"set-password": "yes"})
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    event = Event.objects.get(verb="account.changed")
    assert event.detail == {"name": "alice", "change": [{"changed": {"fields": ["password"]}}]}


def test_deleting_leaves_an_audit_line(office, other_department):
    office.post(f"/admin/accounts/department/{other_department.pk}/delete/", {"post": "yes"})
    assert not Department.objects.filter(slug="elsewhere").exists()
    assert Event.objects.get(verb="account.deleted").detail["name"] == "Elsewhere"


def test_a_user_who_opened_cases_cannot_be_deleted(office, alice, case):
    office.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_password_of_an_administrator_is_not_a_way_around_the_log_in_page(client, administrator):
    response = client.post("/admin/login/", {"username": "administrator", "password": PASSWORD})
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session
