"""Taking a scan out of a case that should not be there: it stays on record and counts for nothing."""

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from cases import events
from cases.access import lock_scan_for_writing
from cases.models import Scan, ScanWithdrawal
from cases.review import service as review
from inference.jobs import state as jobs
from inference.results.store import digest
from language.stored import english
from refusals import Refusal


@transaction.atomic
def withdraw_scan(scan: Scan, *, by: User, reason: str, note: str = "") -> ScanWithdrawal:
    """Let a scan no longer count; what is still to be done about it is cancelled.

    reason: a ScanWithdrawal.Reason. Raises reason_needed, scan_withdrawn, case_signed,
    PermissionDenied.
    """
    case = lock_scan_for_writing(scan, by)
    if reason == ScanWithdrawal.Reason.OTHER and not note.strip():
        raise Refusal(
            "reason_needed", gettext("Say in a few words why the scan should not be here."), field="note"
        )
    row = ScanWithdrawal.objects.create(scan=scan, withdrawn_by=by, reason=reason, note=note.strip()[:300])
    with english():
        words = str(row)
    record(
        "scan.withdrawn",
        actor=by,
        subject=row,
        thread=case.thread,
        scan=scan.number,
        reason=words,
        digest=digest(row),
    )
    jobs.cancel_all(scan.image, by=by)
    events.scan_withdrawn(row)
    review.move_on(case)
    return row
