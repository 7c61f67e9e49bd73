"""Which case one reader takes up next: the most urgent, then the one that has waited longest."""

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from cases.models import Case, Scan
from cases.models.case import OPEN
from cases.review.policy import reading_context

MOST = 50
"""Cases that are looked at: where this many wait for somebody else, the worklist is the place to choose."""


def next_case(user: User) -> Case | None:
    """A case in which it is this reader's turn, and that nobody else has taken; None where there is none."""
    scans = Scan.objects.active().filter(case=OuterRef("pk"))
    waiting = Case.objects.judged_by(user).at_stage(OPEN).filter(Exists(scans))
    free = waiting.filter(Q(assignee=None) | Q(assignee=user)).select_related("department", "patient")
    return next((case for case in free.in_order("urgent")[:MOST] if _is_due(case, user)), None)


def _is_due(case: Case, user: User) -> bool:
    """Whether the user may file a read of it now, or sign it."""
    context = reading_context(case, user)
    return context.due is not None or (case.stage == Case.Stage.TO_SIGN and context.signer == user.pk)
