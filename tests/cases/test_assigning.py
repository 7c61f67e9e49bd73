"""A case is given to a colleague: whoever is none, or is not there, is the same to whoever asks."""

import pytest
from conftest import member

from accounts.models import Role, User

pytestmark = pytest.mark.django_db


def give(client, case, name: str) -> tuple[int, list[str]]:
    response = client.post(f"/cases/{case.pk}/assign/", {"to": name}, follow=True)
    return response.status_code, [str(message) for message in response.context["messages"]]


def test_a_colleague_is_given_the_case(case, alice, bob, client_of):
    assert give(client_of(alice), case, "bob") == (200, [])
    case.refresh_from_db()
    assert case.assignee == bob


def test_a_stranger_an_unknown_name_and_who_only_looks_get_one_answer(
    case, alice, charlie, auditor, department, client_of
):
    left = member("left", department, Role.READER)
    User.objects.filter(pk=left.pk).update(is_active=False, first_name="Somebody", last_name="Known")
    User.objects.filter(pk=charlie.pk).update(first_name="Charlie", last_name="Elsewhere")
    client = client_of(alice)
    answers = {
        name: give(client, case, name) for name in ("charlie", "nobody-here", "auditor", "left", "ALICE")
    }
    assert len({str(answer) for answer in answers.values()}) == 1
    assert answers["charlie"] == (200, ["There is no reader of this name in the department."])
    case.refresh_from_db()
    assert case.assignee is None
