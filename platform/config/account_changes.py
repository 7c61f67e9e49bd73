"""What an administrator's change leaves behind: lines for its auditors, notices for whom it concerns."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from accounts.models import Membership, Role, User
from audit.departments import of_user
from audit.trail import record
from cases import events
from cases.models import ReadingRules
from notices.telling import tell


class Held(NamedTuple):
    """A role in a department: their keys, and the department's name."""

    department: int
    role: str
    name: str


def roles_of(user: User) -> set[Held]:
    """What somebody holds now."""
    rows = Membership.objects.filter(user=user)
    return {Held(*row) for row in rows.values_list("department", "role", "department__name")}


def tell_roles(user: User, *, before: set[Held], by: User) -> None:
    """A line and a notice for each role given or taken; each line is its own department's."""
    now = roles_of(user)
    _tell_each("account.role_given", user, now - before, by)
    _tell_each("account.role_taken", user, before - now, by)


def tell_change(user: User, change: Any, *, before: set[Held], by: User) -> None:
    """A line for every department of the account, those that it has just left too, and a notice."""
    concerned = {held.department for held in before} | set(of_user(user))
    record(
        "account.changed",
        actor=by,
        subject=user,
        departments=concerned or of_user(by),
        name=user.get_username(),
        change=change,
    )
    if user != by:
        tell("account.changed", [user.pk], subject=str(user.pk), by=by.full_name)


def tell_adjudicator(rules: ReadingRules, *, before: User | None, by: User) -> None:
    """It is a right to see cases: a line for the department and for whom it concerns, and their notice."""
    now = rules.adjudicator
    if now == before:
        return
    for verb, person in (("adjudicator.released", before), ("adjudicator.named", now)):
        if person:
            departments = {rules.department_id, *of_user(person)}
            name, where = person.get_username(), rules.department.name
            record(verb, actor=by, subject=person, departments=departments, name=name, department=where)
            subject = f"{rules.department_id}:{verb}"
            tell(verb, [person.pk], subject=subject, by=by.full_name, where=where)
    events.adjudicator_changed(rules.department, before, now)


def _tell_each(verb: str, user: User, roles: Iterable[Held], by: User) -> None:
    for held in sorted(roles):
        record(
            verb,
            actor=by,
            subject=user,
            departments=[held.department],
            name=user.get_username(),
            role=str(Role(held.role)),
            department=held.name,
        )
        if user != by:
            subject = f"{user.pk}:{held.department}:{held.role}"
            tell(verb, [user.pk], subject=subject, by=by.full_name, role=held.role, where=held.name)
