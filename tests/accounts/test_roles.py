"""Which role may do what, and in which department."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import roles
from accounts.models import Membership, Role, User
from cases import services
from cases.models import Case

pytestmark = pytest.mark.django_db

READS = {Role.READER, Role.SENIOR_READER, Role.AUDITOR}
WRITES = {Role.READER, Role.SENIOR_READER}


@pytest.fixture
def dora(department) -> User:
    """Somebody without any role yet."""
    return User.objects.create_user("dora")


@pytest.mark.parametrize("role", Role)
def test_a_role_sees_and_changes_what_the_table_says(case, dora, department, role):
    Membership.objects.create(user=dora, department=department, role=role)
    assert Case.objects.visible_to(dora).exists() == (role in READS)
    assert Case.objects.writable_by(dora).exists() == (role in WRITES)


@pytest.mark.parametrize("role", Role)
def test_no_role_in_another_department_sees_anything(case, dora, other_department, role):
    Membership.objects.create(user=dora, department=other_department, role=role)
    assert not Case.objects.visible_to(dora).exists()
    assert not Case.objects.writable_by(dora).exists()


def test_without_a_role_nothing_is_seen(case, dora):
    assert not Case.objects.visible_to(dora).exists()


def test_a_visitor_sees_nothing(case):
    assert not Case.objects.visible_to(AnonymousUser()).exists()
    assert not roles.holds(AnonymousUser(), roles.READ_CASES)


def test_a_superuser_sees_no_case_without_a_role(case, dora):
    dora.is_superuser = dora.is_staff = True
    dora.save()
    assert not Case.objects.visible_to(dora).exists()


def test_an_inactive_user_holds_no_role(case, alice):
    alice.is_active = False
    assert not Case.objects.visible_to(alice).exists()
    assert not roles.holds(alice, roles.READ_CASES)


def test_several_roles_show_a_case_once(case, alice, department):
    Membership.objects.create(user=alice, department=department, role=Role.AUDITOR)
    assert Case.objects.visible_to(alice).count() == 1


def test_each_department_shows_its_own_cases_only(case, alice, charlie, other_department):
    theirs, _ = services.open_case(by=charlie, department=other_department, patient_id="C-1")
    assert list(Case.objects.visible_to(alice)) == [case]
    assert list(Case.objects.visible_to(charlie)) == [theirs]
    Membership.objects.create(user=alice, department=other_department, role=Role.AUDITOR)
    assert set(Case.objects.visible_to(alice)) == {case, theirs}
    assert set(Case.objects.writable_by(alice)) == {case}


def test_the_same_patient_identifier_in_two_departments_is_two_patients(case, charlie, other_department):
    theirs, _ = services.open_case(by=charlie, department=other_department, patient_id="P-1")
    assert theirs.patient != case.patient
