"""Advice on the next acquisition of a case: given once for each state, answered, and followed up."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language, gettext

from accounts.models import User
from audit.trail import record
from cases import events
from cases.access import lock_for_writing
from cases.advice.basis import Basis, answers_of, assessment_of, basis, qualities_of
from cases.advice.rank import STOPS, Counsel, advise
from cases.advice.rulebook import SHIPPED, Rulebook, rulebook
from cases.advice.values import values
from cases.case_page.summary import CaseSummary, summarise
from cases.models import Advice, AdviceAnswer, Advised, Calibration, Case, FollowUp, Measurement, Scan
from cases.review.panel import ReviewPanel
from cases.review.policy import may_see_answers, reading_context
from digests import canonical_json, sha256_hex
from inference.models import Quality
from inference.results.store import digest
from refusals import Refusal

Outcome = AdviceAnswer.Outcome
MOST_AT_ONCE = 100
MARGIN = timedelta(minutes=1)
"""Work that ends while a case is advised on may be committed later than its time says."""


def rules() -> Rulebook:
    """The rules in force: those of ADVICE_RULES, else the shipped ones. Raises BadRules."""
    return rulebook(Path(settings.ADVICE_RULES or SHIPPED))


def action_words(action: str) -> str:
    """What an action of the rules says, in the active language; its id where the rules no longer have it."""
    book = rules()
    says = next((rule.action.says for rule in book.rules if rule.action.id == action), action)
    return book.in_words(says, get_language())


def given_words(said: str) -> str:
    """What a line of the audit says was advised: the actions by their ids, or why there is none."""
    return "; ".join(gettext(STOPS[one]) if one in STOPS else action_words(one) for one in said.split(", "))


def visible_advice(user: User, pk: uuid.UUID) -> Advice:
    """Advice on a visible case; one that rests on answers is none to a reader who may not see them yet."""
    rows = Advice.objects.filter(case__in=Case.objects.visible_to(user)).select_related("case__department")
    advice = get_object_or_404(rows, pk=pk)
    if advice.is_informed and not may_see_answers(advice.case, user):
        raise Http404("The advice rests on answers that are hidden until your read is filed.")
    return advice


def scan_of_case(case: Case, number: int | None) -> Scan | None:
    """The follow-up scan by its number. Raises no_such_suggestion."""
    if number is None:
        return None
    found = case.scans.active().filter(number=number).first()
    if found is None:
        raise Refusal("no_such_suggestion", gettext("The case has no such scan."))
    return found


def current_advice(panel: ReviewPanel, summary: CaseSummary) -> Advice | None:
    """What is advised as the case stands; None until it was given (`give`). Looking gives none."""
    if not _is_settled(panel.case, summary):
        return None
    state = _state(panel, basis(panel, summary, qualities_of(summary)))
    return Advice.objects.filter(case=panel.case, state_sha256=state).first()


@transaction.atomic
def give(case: Case) -> None:
    """Advise on a case that has settled: those who may know all, and where there are any, blind readers.

    The same state gets the same row, so that giving twice gives one advice.
    """
    held = Case.objects.select_for_update(of=("self",)).select_related("department").get(pk=case.pk)
    summary = summarise(held)
    if not _is_settled(held, summary):
        return
    context = reading_context(held, held.opened_by)
    known = list(Measurement.objects.of_case(held).select_related("withdrawal", "scan__withdrawal"))
    said = list(held.atrium_statements.all())
    calibrations = list(Calibration.objects.of_case(held))
    qualities = qualities_of(summary)
    for hidden in (False, True) if context.somebody_is_blind else (False,):
        seen = ([], []) if hidden else (known, said)
        panel = ReviewPanel(context, *seen, None, [], hidden=hidden, calibrations=calibrations)
        found = basis(panel, summary, qualities)
        _give(panel, summary, found, _counsel(found), _state(panel, found), qualities)


def catch_up() -> int:
    """Give what is due on every case that has changed since it was last advised on; how many there were.

    A change is what a person wrote, which takes the case's mark away, or work that has ended since.
    """
    due = list(Advised.due()[:MOST_AT_ONCE])
    for key in due:
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=key)  # as writers do, before they touch its mark
            Advised.objects.update_or_create(case_id=key, defaults={"at": Now() - MARGIN})
            give(Case(pk=key))
    return len(due)


def _is_settled(case: Case, summary: CaseSummary) -> bool:
    """Nothing is at work, there is something to advise on, and it still matters."""
    return not summary.is_working and bool(summary.scans) and case.stage != Case.Stage.SIGNED


def _counsel(found: Basis) -> Counsel:
    return advise(
        found.findings,
        rules(),
        values(),
        probability=found.probability,
        spent_seconds=found.spent_seconds,
        settled=found.settled,
        is_open=found.is_open,
    )


def stop_of(advice: Advice, panel: ReviewPanel) -> str:
    """Why nothing is advised, as a key of STOPS; "" while something is.

    Advice for blind readers rests on no measurement, so that it tells nothing of any. A blind reader's own
    provisional width still keeps the acquisition from ending.
    """
    return "provisional" if advice.stop == "nothing_helps" and panel.is_open else advice.stop


def _state(panel: ReviewPanel, found: Basis) -> str:
    return sha256_hex(
        canonical_json(
            {
                "rules": rules().sha256,
                "values": values().sha256,
                "informed": not panel.hidden,
                "findings": [one.as_json() for one in found.findings],
                "unknown": [one.as_json() for one in found.unknown],
                "probability": found.probability,
                "settled": [list(key) for key in found.settled],
                **({"open": True} if found.is_open else {}),
            }
        )
    )


@transaction.atomic
def _give(
    panel: ReviewPanel,
    summary: CaseSummary,
    found: Basis,
    counsel: Counsel,
    state: str,
    qualities: Mapping[Any, Quality],
) -> Advice:
    case = panel.case
    row, made = Advice.objects.get_or_create(
        case=case,
        state_sha256=state,
        defaults={
            "is_informed": not panel.hidden,
            "suggestions": [one.as_json() for one in counsel.suggestions],
            "stop": counsel.stop,
            "not_assessable": [one.as_json() for one in found.unknown],
            "before": {
                str(entry.scan.number): assessment_of(entry, qualities, hidden=panel.hidden)
                for entry in summary.scans
            },
            "rules_version": rules().version,
            "rules_sha256": rules().sha256,
            "values_sha256": values().sha256,
        },
    )
    if made:
        actions = ", ".join(one["action"] for one in row.suggestions) or row.stop
        record(
            "advice.given",
            actor=None,
            subject=row,
            thread=case.thread,
            detail=actions,
            rules=f"{row.rules_version} {row.rules_sha256[:12]}",
            digest=digest(row),
        )
        events.advised(case, row)
        if not panel.hidden:
            _close_follow_ups(case, summary, qualities)
    return row


@transaction.atomic
def answer(
    advice: Advice, place: int, *, by: User, outcome: str, reason: str = "", follow_up: Scan | None = None
) -> AdviceAnswer:
    """Say what became of a suggestion. Raises advice_answered, no_such_suggestion, reason_needed,
    case_signed.

    follow_up: the scan that came of it, one of the same case.
    """
    case = lock_for_writing(advice.case, by)
    if not 0 <= place < len(advice.suggestions):
        raise Refusal("no_such_suggestion", gettext("The advice has no such suggestion."))
    if follow_up and follow_up.case_id != case.pk:
        raise Refusal("no_such_suggestion", gettext("The follow-up scan belongs to another case."))
    if outcome != Outcome.DONE and not reason.strip():
        raise Refusal("reason_needed", gettext("Say in a few words why it is not done."))
    if AdviceAnswer.objects.filter(advice=advice, place=place).exists():
        raise Refusal("advice_answered", gettext("This suggestion has been answered."))
    row = AdviceAnswer.objects.create(
        advice=advice,
        place=place,
        outcome=outcome,
        reason=reason.strip()[:300],
        follow_up=follow_up if outcome == Outcome.DONE else None,
        answered_by=by,
    )
    record(
        "advice.answered",
        actor=by,
        subject=row,
        thread=case.thread,
        action=advice.suggestions[place]["action"],
        outcome=outcome,
        reason=row.reason,
        digest=digest(row),
    )
    events.advice_answered(case, row)
    return row


def _close_follow_ups(case: Case, summary: CaseSummary, qualities: Mapping[Any, Quality]) -> None:
    """Keep what each follow-up scan brought, once it has been checked and answered about."""
    entries = {str(entry.scan.pk): entry for entry in summary.scans}
    active = answers_of(case).filter(follow_up__isnull=False, follow_up__withdrawal__isnull=True)
    for one in active.filter(effect__isnull=True):
        entry = entries[str(one.follow_up_id)]
        before = one.advice.before.get(str(one.key[1]), {})
        row = FollowUp.objects.create(
            answer=one, before=before, after=assessment_of(entry, qualities, hidden=False)
        )
        record("advice.followed", actor=None, subject=row, thread=case.thread, digest=digest(row))
