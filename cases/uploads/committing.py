"""A session becomes scans: what was shown is what comes of it, and every guard of a single file holds.

Everything that can be refused by the headers alone is asked before anything is stored: the patient of each
group, and series that are scans already. Then one group after another becomes a scan, each in a transaction
of its own, so that a commit that is cut short goes on where it stopped. It also stops by itself before the
web server's patience ends, and says how many groups are left.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from blobs import store
from cases import access, identity, intake, late_slices, withdrawal
from cases.late_slices import Choice, Slices
from cases.models import Case, Scan, ScanWithdrawal, UploadedPart, UploadSession
from cases.uploads import service, staging
from inference.formats.series import Group
from refusals import Refusal

PATIENCE_SECONDS = 12.0
"""After which a commit begins no further group."""


@dataclass(frozen=True)
class Committed:
    """What became of one group. status: added, known (it was a scan already) or refused.

    key: of the group. scan: its key; "" where it was refused. detail: one sentence, as it was refused.
    """

    key: str
    status: str
    scan: str = ""
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Progress:
    """left: groups that a further commit goes on with."""

    done: tuple[Committed, ...]
    left: int = 0


def outcome_of(session: UploadSession) -> Progress:
    """What has become of the session so far."""
    return Progress(tuple(Committed(**one) for one in session.outcome))


def known_scan(session: UploadSession, group: Group) -> Scan | None:
    """The scan that the slices of this group come late for; None where it is new, or all there already."""
    if not group.is_slice or group.becomes == "left_out":
        return None
    own = [uuid.UUID(one.scan) for one in outcome_of(session).done if one.scan]
    return late_slices.scans_of_series(session.case, group.series, own).first()


def commit(
    session: UploadSession,
    *,
    by: User,
    mismatch_reason: str = "",
    known_series: Choice = "",
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Make scans of what was understood. A committed session answers the same again.

    known_series: what becomes of slices whose series is a scan of the case already. Raises PermissionDenied,
    case_signed, patient_mismatch, series_known, nothing_to_add, BlobUnavailable: no scan was added then.
    """
    with transaction.atomic():
        access.lock_for_writing(session.case, by)
    session.refresh_from_db()
    if session.state == UploadSession.State.COMMITTED:
        return outcome_of(session)
    if known_series == "join":
        _bring(session)
    groups = [group for group in service.understood(session) if group.becomes != "left_out"]
    groups = _to_add(session, groups, known_series)
    if not groups and not session.outcome:
        raise Refusal("nothing_to_add", gettext("None of these files becomes a scan: see why beside each."))
    for group in groups:
        identity.refuse_another_patient(session.case, group.identity, reason=mismatch_reason)
    until = clock() + PATIENCE_SECONDS
    for place, group in enumerate(groups):
        if place and clock() > until:
            return replace(outcome_of(session), left=len(groups) - place)
        _note(session, _taken(session, group, by=by, reason=mismatch_reason, choice=known_series))
    _close(session, by)
    return outcome_of(session)


def _to_add(session: UploadSession, groups: Sequence[Group], choice: Choice) -> list[Group]:
    """Without those that are done, and those left out by choice. Raises series_known where nobody said."""
    done = {one.key for one in outcome_of(session).done}
    found = []
    for group in groups:
        known = known_scan(session, group)
        if group.key in done or (known and choice == "leave_out"):
            continue
        if known and not choice and not _is_whole(known, group):
            raise late_slices.question(known)
        found.append(group)
    return found


def _is_whole(known: Scan, group: Group) -> bool:
    """Whether the scan was made of just these files: then it is there already, and nothing is late."""
    return sorted(hashes_of(known)) == sorted(file.sha256 for file in group.files)


def hashes_of(scan: Scan) -> list[str]:
    """The originals of a scan, in the order of its slices."""
    return list(scan.files.values_list("blob_id", flat=True)) or [scan.original_sha256]


def _bring(session: UploadSession) -> None:
    """Let the slices of known scans lie beside the late ones, as parts of the session."""
    for group in service.understood(session):
        known = known_scan(session, group)
        for place, sha256 in enumerate(hashes_of(known) if known else ()):
            with store.open_unverified(sha256) as file:
                staged = staging.put(session.pk, file.chunks())
            UploadedPart.objects.get_or_create(
                session=session,
                sha256=staged.sha256,
                defaults={"name": f"scan-{known.number if known else 0}/{place}", "size": staged.size},
            )


def _taken(session: UploadSession, group: Group, *, by: User, reason: str, choice: Choice) -> Committed:
    """One group as a scan, or why it became none."""
    known = known_scan(session, group)
    makes_way = known if choice == "join" and known and _holds(group, known) else None
    beside = {uuid.UUID(one.scan) for one in outcome_of(session).done if one.scan}
    came = Slices(choice=choice, beside=frozenset(beside | ({makes_way.pk} if makes_way else set())))
    modality = service.modality_of(session)
    try:
        scan, added = intake.take(
            session.case, group, modality=modality, by=by, mismatch_reason=reason, came=came
        )
    except Refusal as refusal:
        if refusal.is_late:
            raise
        return Committed(group.key, "refused", code=refusal.code, detail=str(refusal))
    if makes_way and makes_way.pk != scan.pk:
        _make_way(makes_way, scan, by)
    return Committed(group.key, "added" if added else "known", str(scan.pk))


def _holds(group: Group, known: Scan) -> bool:
    return set(hashes_of(known)) <= {file.sha256 for file in group.files}


def _make_way(known: Scan, joined: Scan, by: User) -> None:
    """The scan whose slices are all in the new one counts no more."""
    note = f"Joined with late slices of its series as scan {joined.number}."
    withdrawal.withdraw_scan(known, by=by, reason=ScanWithdrawal.Reason.OTHER, note=note)


@transaction.atomic
def _note(session: UploadSession, one: Committed) -> None:
    held = UploadSession.objects.select_for_update().get(pk=session.pk)
    others = [known for known in held.outcome if known["key"] != one.key]
    outcome: list[dict[str, Any]] = [*others, asdict(one)]
    UploadSession.objects.filter(pk=session.pk).update(outcome=outcome, touched_at=Now())
    session.outcome = outcome


@transaction.atomic
def _close(session: UploadSession, by: User) -> None:
    """The files that became scans are blobs now; what was left out is kept no longer."""
    case: Case = access.lock_for_writing(session.case, by)
    held = UploadSession.objects.select_for_update().get(pk=session.pk)
    if held.state == UploadSession.State.COMMITTED:
        return
    UploadSession.objects.filter(pk=session.pk).update(state=UploadSession.State.COMMITTED)
    session.state = UploadSession.State.COMMITTED
    counts = {
        status: sum(one["status"] == status for one in session.outcome) for status in ("added", "refused")
    }
    record("upload.committed", actor=by, subject=session, thread=case.thread, **counts)
    transaction.on_commit(lambda: staging.forget(session.pk))
