"""Reading a case: filing reads, signing, amending, and what a signature binds.

A read, a signature and an addendum never change. What readers do next is Case.stage, and `stage_of` says what
it must be; nothing else moves it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from accounts.models import User
from audit.models import Event
from audit.trail import record
from cases import events
from cases.access import lock_for_addendum, lock_for_judging
from cases.case_page.summary import summarise
from cases.models import Addendum, Case, Confirmation, Read, ReadingRules, SignOff
from cases.report.content import Draft, draft, moment
from cases.report.signed import signed_block
from cases.review import drafts
from cases.review.calls import call_of
from cases.review.changes import changes, refuse_if_changed
from cases.review.panel import ReviewPanel, review_panel
from cases.review.policy import current_reads, stage_after
from cases.review.shown import Shown
from digests import canonical_json, sha256_hex
from inference.results.store import digest
from refusals import Refusal

Kind = Read.Kind
Stage = Case.Stage
JUDGING = frozenset({Kind.FINAL, Kind.ADJUDICATION, Kind.JOINT})
"""Reads whose finding may become the case's, and that say why where it is not the models'."""
TELLING_LOOKS = ("explanation.viewed", "prediction.viewed")
"""Events of looking at what a model says; other looks tell in their detail whether they showed any of it."""
MEANING = gettext_noop("I have read this case, and this is my finding.")
"""What is signed, in every language: a signature covers these words, and pages may show them in others."""


@transaction.atomic
def file_read(
    case: Case,
    *,
    by: User,
    kind: str,
    finding: str,
    shown: Shown,
    laterality: str = "",
    note: str = "",
    reason: str = "",
) -> Read:
    """File a read.

    Raises not_now when another is due, changed_since, reason_needed, case_signed, PermissionDenied.
    kind, shown: what the reader believed to be filing and had before their eyes, so that a page left open
    files nothing by mistake.
    """
    case = lock_for_judging(case, by)
    panel = review_panel(case, by)
    _refuse_unless_due(panel, kind, shown)
    called = call_of(case)
    agrees = called.agrees(finding) if called else None
    if kind in JUDGING and agrees is False and not reason.strip():
        raise Refusal("reason_needed", gettext("Your finding differs from the models' call: say why."))
    read = Read.objects.create(
        case=case,
        reader=by,
        kind=kind,
        finding=finding,
        laterality=laterality if finding == Read.Finding.VENTRICULOMEGALY else "",
        note=note.strip(),
        called=called.label if called else Read.Called.NOBODY,
        agrees=agrees,
        reason=reason.strip() if agrees is False else "",
        seen=called.as_json() if called and not panel.hidden else [],
        scans=[scan.original_sha256 for scan in case.scans.active().order_by("number")],
        shown=shown.as_json() | {"sha256": shown.sha256},
        unblinded=not panel.hidden or _has_looked(case, by) if kind in {Kind.BLIND, Kind.SECOND} else None,
        seconds=_seconds(case, by),
    )
    drafts.forget(case, by)
    record(
        "read.filed",
        actor=by,
        subject=read,
        thread=case.thread,
        read=kind,
        finding=finding,
        digest=digest(read),
    )
    move_on(case)
    return read


def _refuse_unless_due(panel: ReviewPanel, kind: str, shown: Shown) -> None:
    since = [] if shown == panel.shown else changes(panel, shown)
    if not panel.context.has_scans:
        raise Refusal("not_now", gettext("There is no scan to read."), since)
    if panel.due is None or panel.due != kind:
        sentence = gettext("The case has moved on since this page was opened. Nothing was filed.")
        raise Refusal("not_now", sentence, since)
    refuse_if_changed(panel, shown)


def _has_looked(case: Case, user: User) -> bool:
    """Whether the user has opened the case while it showed answers or others' findings."""
    looks = Event.objects.filter(thread=case.thread, actor_id=user.pk)
    return looks.filter(Q(verb__in=TELLING_LOOKS) | Q(detail__contains={"unblinded": True})).exists()


def _seconds(case: Case, user: User) -> int | None:
    """Since the reader first opened the case after the read they filed before, if any."""
    looks = Event.objects.filter(thread=case.thread, verb="case.viewed", actor_id=user.pk)
    if last := case.reads.filter(reader=user).aggregate(last=Max("created_at"))["last"]:
        looks = looks.filter(occurred_at__gt=last)
    first = looks.order_by("occurred_at").values_list("occurred_at", flat=True).first()
    return None if first is None else max(0, round((timezone.now() - first).total_seconds()))


def stage_of(case: Case) -> Stage:
    """What readers do next, from everything that was filed."""
    if SignOff.objects.filter(case=case).exists():
        return Stage.SIGNED
    return stage_after(current_reads(case), ReadingRules.of(case.department).second_reader)


@transaction.atomic
def confirm_joint(case: Case, *, by: User, shown: Shown) -> Confirmation:
    """Stand for the joint read that the other reader filed. The caller has confirmed the password.

    Raises not_now, changed_since, case_signed, PermissionDenied.
    """
    case = lock_for_judging(case, by)
    panel = review_panel(case, by)
    read = panel.context.proposed
    if read is None or not panel.context.may_confirm:
        raise Refusal("not_now", gettext("No joint read waits for your word now."))
    refuse_if_changed(panel, shown)
    row = Confirmation.objects.create(read=read, confirmed_by=by)
    record("read.confirmed", actor=by, subject=row, thread=case.thread, digest=digest(row))
    move_on(case)
    return row


@transaction.atomic
def sign(case: Case, *, by: User, shown: Shown) -> SignOff:
    """Sign the read that counts, as the page showed it. The caller has confirmed the password.

    Raises not_now, changed_since, case_signed, PermissionDenied.
    """
    case = lock_for_judging(case, by)
    panel = review_panel(case, by)
    read = panel.counting
    if case.stage != Stage.TO_SIGN or read is None:
        raise Refusal("not_now", gettext("There is nothing to sign yet."))
    if not panel.may_sign:
        sentence = gettext("{name} filed the read that counts, and signs it.")
        raise Refusal("not_now", sentence.format(name=read.reader.full_name))
    refuse_if_changed(panel, shown)
    signed_at = timezone.now()
    content = signed_content(case, by=by, at=signed_at)
    content.keep_pictures()
    signature = SignOff.objects.create(
        case=case,
        read=read,
        signed_by=by,
        name=by.full_name,
        meaning=MEANING,
        content=content.said,
        content_sha256=sha256_hex(canonical_json(content.said)),
        signed_at=signed_at,
    )
    record(
        "case.signed",
        actor=by,
        subject=signature,
        thread=case.thread,
        finding=read.finding,
        sha256=signature.content_sha256,
        shown_sha256=shown.sha256,
        digest=digest(signature),
    )
    drafts.forget(case)
    events.signed(case, signature)
    move_on(case)
    return signature


def signed_content(case: Case, *, by: User, at: datetime) -> Draft:
    """Everything a signature stands for, which is the report as it will be printed from now on."""
    panel = review_panel(case, by)
    found = draft(case, summarise(case), panel, panel.called)
    found.said["signature"] = signed_block(by.full_name, MEANING, moment(at), by.username)
    return found


@transaction.atomic
def add_addendum(case: Case, *, by: User, text: str) -> Addendum:
    """Add to a signed case; each addendum holds the hash of what stood before. Raises not_signed."""
    case = lock_for_addendum(case, by)
    signature = SignOff.objects.get(case=case)
    last = case.addenda.last()
    previous = last.content_sha256 if last else signature.content_sha256
    panel = timezone.now()
    content = addendum_content(text.strip(), by.full_name, previous, panel)
    addendum = Addendum.objects.create(
        case=case,
        text=text.strip(),
        written_by=by,
        name=by.full_name,
        previous_sha256=previous,
        content_sha256=sha256_hex(canonical_json(content)),
        written_at=panel,
    )
    drafts.forget(case, by, drafts.Form.ADDENDUM)
    record("case.amended", actor=by, subject=addendum, thread=case.thread, digest=digest(addendum))
    events.amended(case, addendum)
    return addendum


def addendum_content(text: str, name: str, previous_sha256: str, panel: datetime) -> dict[str, str]:
    """What an addendum's hash covers."""
    return {"text": text, "name": name, "previous": previous_sha256, "written_at": panel.isoformat()}


def move_on(case: Case) -> None:
    """Let the case stand at the stage that everything filed so far puts it at."""
    stage = stage_of(case)
    if stage != case.stage:
        Case.objects.filter(pk=case.pk).update(stage=stage)
        case.stage = stage
        events.stage_reached(case)
