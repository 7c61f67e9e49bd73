"""Lists of cases on the trail: each department's auditors learn of their own cases, and of no other's."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from accounts.models import User
from accounts.roles import READ_CASES, departments_where
from audit.trail import record
from cases.models import Case


def note_listing(user: User, shown: Iterable[Case], *, numbered: bool = False, **detail: Any) -> None:
    """One line for each department whose cases were shown; one for all of the user's where none was.

    numbered: with the cases' numbers instead of how many they were. detail: what was asked for, and nothing
    of a patient.
    """
    found: dict[int, list[str]] = defaultdict(list)
    for case in shown:
        found[case.department_id].append(case.number)
    if not found:
        _note(user, departments_where(user, READ_CASES).values_list("pk", flat=True), [], numbered, detail)
    for department, numbers in found.items():
        _note(user, [department], numbers, numbered, detail)


def _note(
    user: User, departments: Iterable[int], numbers: list[str], numbered: bool, detail: dict[str, Any]
) -> None:
    said: dict[str, Any] = {"cases": numbers} if numbered else {"rows": len(numbers)}
    record("case.listed", actor=user, departments=departments, **detail, **said)
