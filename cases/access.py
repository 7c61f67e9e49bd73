"""The one guard of what a person writes to a case: visible, a reader's, held, and not signed.

Every service through which a person writes to a case begins with `lock_for_writing`, inside its transaction;
what is only checked begins with `lock_for_checking`, an addendum with `lock_for_addendum`, and a read, its
confirmation and its signature with `lock_for_judging`, as an adjudicator may come from elsewhere. What is
about one scan begins with `lock_scan_for_writing` or `lock_scan_for_checking`: a withdrawn one takes nothing.
"""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext

from accounts.models import User
from cases.models import Advised, Case, Scan, ScanWithdrawal
from inference.models import Job
from refusals import Refusal


def lock_for_writing(case: Case, by: User) -> Case:
    """The case as it is now, held until the transaction ends. Raises PermissionDenied, case_signed.

    What is written may call for other advice on the next acquisition (`advising.catch_up`).
    """
    require_writer(case, by)
    return _to_be_advised_anew(_refuse_signed(_held(case)))


def lock_for_judging(case: Case, by: User) -> Case:
    """The same for the department's readers and the adjudicator it has named. Raises as lock_for_writing."""
    _require_judge(case, by)
    return _to_be_advised_anew(_refuse_signed(_held(case)))


def lock_scan_for_writing(scan: Scan, by: User) -> Case:
    """The same for what is written about one scan. Raises scan_withdrawn as well."""
    held = lock_for_writing(scan.case, by)
    _refuse_withdrawn(scan)
    return held


def lock_for_checking(case: Case, by: User) -> Case:
    """The case, held, for whoever may see it, such as an auditor; signed or not. Raises PermissionDenied.

    A check compares what is stored and changes none of it, so that a signed case is checked like any other.
    """
    if not Case.objects.visible_to(by).filter(pk=case.pk).exists():
        raise PermissionDenied(gettext("You may not see this case."))
    return _held(case)


def lock_scan_for_checking(scan: Scan, by: User) -> Case:
    """The same for what is checked about one scan. Raises scan_withdrawn as well."""
    held = lock_for_checking(scan.case, by)
    _refuse_withdrawn(scan)
    return held


def lock_for_addendum(case: Case, by: User) -> Case:
    """A signed case, held until the transaction ends. Raises PermissionDenied, not_signed.

    The department's readers add to it, and an adjudicator from elsewhere to what they have adjudicated.
    """
    _require_judge(case, by)
    held = _held(case)
    refuse_other_stage(held, is_addendum=True)
    return held


def refuse_other_stage(case: Case, *, is_addendum: bool) -> None:
    """An addendum is for a signed case, everything else for any other. Raises not_signed, case_signed."""
    if is_addendum and case.stage != Case.Stage.SIGNED:
        raise Refusal("not_signed", gettext("The case is not signed yet: file another read instead."))
    if not is_addendum and case.stage == Case.Stage.SIGNED:
        raise Refusal("case_signed", gettext("The case is signed: it takes addenda, and nothing else."))


def refuse_moving(job: Job) -> None:
    """Work on a signed case or a withdrawn scan is moved by nobody, from the queue's page either.

    Raises Refusal.
    """
    scan = Scan.objects.select_related("case").filter(image=job.image_id).first() if job.image_id else None
    if scan is None:
        return
    _refuse_signed(_held(scan.case))
    _refuse_withdrawn(scan)


def require_writer(case: Case, user: User) -> None:
    """Raises PermissionDenied for whoever is no reader of the case's department."""
    if not Case.objects.writable_by(user).filter(pk=case.pk).exists():
        raise PermissionDenied(gettext("You are not a reader of this department."))


def _require_judge(case: Case, user: User) -> None:
    if not Case.objects.judged_by(user).filter(pk=case.pk).exists():
        raise PermissionDenied(gettext("You are not a reader of this department."))


def _held(case: Case) -> Case:
    rows = Case.objects.select_for_update(of=("self",)).select_related("department", "patient")
    return rows.get(pk=case.pk)


def _to_be_advised_anew(held: Case) -> Case:
    Advised.objects.filter(case=held).delete()
    return held


def _refuse_signed(held: Case) -> Case:
    refuse_other_stage(held, is_addendum=False)
    return held


def _refuse_withdrawn(scan: Scan) -> None:
    if ScanWithdrawal.objects.filter(scan=scan).exists():
        raise Refusal("scan_withdrawn", gettext("The scan was withdrawn: it no longer counts for anything."))
