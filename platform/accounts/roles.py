"""Which roles may do what: one visible table.

An administrator runs accounts and departments and has no need to see a patient; an
auditor sees everything of the department and changes nothing.
"""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import Department, Role, User

READ_CASES = frozenset({Role.READER, Role.SENIOR_READER, Role.AUDITOR})
WRITE_CASES = frozenset({Role.READER, Role.SENIOR_READER})
MANAGE_MODELS = frozenset({Role.MODEL_MANAGER})
SEE_MODELS = frozenset({Role.READER, Role.SENIOR_READER, Role.MODEL_MANAGER, Role.AUDITOR})
SEE_QUEUE = frozenset({Role.MODEL_MANAGER, Role.ADMINISTRATOR, Role.SENIOR_READER})
CLINICAL = READ_CASES
"""Roles that show patients: nobody gives one to themselves."""
READ_AUDIT = frozenset({Role.AUDITOR})
MANAGE_ACCOUNTS = frozenset({Role.ADMINISTRATOR})
MANAGE_WEBHOOKS = frozenset({Role.ADMINISTRATOR})


def departments_where(user: User | AnonymousUser, roles: frozenset[Role]) -> QuerySet[Department]:
    """The departments in which an active user holds one of the roles."""
    if not user.is_active:
        return Department.objects.none()
    return Department.objects.filter(memberships__user_id=user.pk, memberships__role__in=roles).distinct()


def holds(user: User | AnonymousUser, roles: frozenset[Role]) -> bool:
    """Whether an active user holds one of the roles in any department."""
    return departments_where(user, roles).exists()
