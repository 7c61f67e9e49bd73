"""Whose job is next: the most urgent, and among equally urgent ones departments take turns.

A department that sends thousands of scans at once so delays nobody else's by more than a batch.
"""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Department
from inference.models import Job


def next_of(waiting: QuerySet[Job]) -> Job | None:
    """The next of the waiting jobs that nobody else is taking just now, locked; None when there is none."""
    ordered = waiting.order_by("-priority", "created_at")
    top = ordered.values_list("priority", flat=True).first()
    if top is None:
        return None
    equals = ordered.filter(priority=top)
    for department in _by_turn(equals):
        theirs = equals.filter(department=department).exclude(kind=Job.Kind.SHADOW)
        if found := theirs.select_for_update(skip_locked=True).first():
            return found
    # what nobody is shown comes after; and all that is more urgent may be in others' hands
    return ordered.select_for_update(skip_locked=True).first()


def _by_turn(waiting: QuerySet[Job]) -> list[int | None]:
    """Departments with a job among these, the one that was served least recently first; None has a turn too.

    None stands for work on models, which belongs to no department.
    """
    departments: list[int | None] = [None, *Department.objects.values_list("pk", flat=True)]
    turns = [(_served(one), one) for one in departments if waiting.filter(department=one).exists()]
    return [one for _, one in sorted(turns, key=lambda turn: (turn[0] is not None, turn[0], turn[1] or 0))]


def _served(department: int | None) -> datetime | None:
    """When a job of the department was last begun."""
    begun = Job.objects.filter(department=department, started_at__isnull=False)
    return begun.order_by("-started_at").values_list("started_at", flat=True).first()
