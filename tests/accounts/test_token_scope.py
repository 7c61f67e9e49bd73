"""A token says what it is for, and one that only reads changes nothing."""

from datetime import timedelta

import pytest
from conftest import PASSWORD
from django.test import Client
from knox.models import AuthToken

from accounts.models import TokenScope
from accounts.tokens import issue_token
from audit.models import Event
from cases.models import Case

pytestmark = pytest.mark.django_db
CHANGING = ("post", "put", "patch", "delete")


def program(user, **scope) -> Client:
    token = issue_token(user, lifetime=timedelta(hours=1), **scope)
    return Client(headers={"Authorization": f"Token {token}"})


def test_a_token_that_only_reads_reads_and_is_refused_whatever_it_would_change(case, alice):
    reads = program(alice, reads_only=True)
    assert reads.get(f"/api/v1/cases/{case.pk}/").status_code == 200
    for address in ("/api/v1/cases/", f"/api/v1/cases/{case.pk}/", f"/api/v1/cases/{case.pk}/scans/"):
        for method in CHANGING:
            answer = getattr(reads, method)(address, {}, content_type="application/json")
            assert (answer.status_code, answer.json()["code"]) == (403, "read_only_token"), (method, address)
    assert Case.objects.count() == 1


def test_any_other_token_may_do_what_its_owner_may(alice, department):
    body = {"department": department.slug, "patient_id": "P-9"}
    made = program(alice).post("/api/v1/cases/", body, content_type="application/json")
    assert made.status_code == 201


def test_the_page_issues_a_named_token_that_only_reads_and_lists_it(alice, client_of):
    client = client_of(alice)
    sent = {"name": "Statistics", "scope": "read", "days": 30, "password": PASSWORD}
    issued = client.post("/account/tokens/", sent).context["issued"]
    scope = TokenScope.objects.get(token=AuthToken.objects.get())
    assert (scope.name, scope.reads_only) == ("Statistics", True)
    page = client.get("/account/tokens/").content.decode()
    assert "<td>Statistics</td><td>only read</td>" in page
    assert issued not in page, "it was shown once"
    detail = Event.objects.get(verb="account.token_issued").detail
    assert (detail["name"], detail["reads_only"]) == ("Statistics", True)


def test_a_token_of_before_names_had_may_do_all_that_its_owner_may(alice, client_of):
    AuthToken.objects.create(user=alice, expiry=timedelta(hours=1))
    page = client_of(alice).get("/account/tokens/").content.decode()
    assert "<td>–</td><td>do all that I may</td>" in page
