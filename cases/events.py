"""Who is told what happened to a case: other software by webhooks, people by notices; in its transaction.

Neither names what models or readers found: webhooks lead to the API, whose rules decide who may read on.
"""

from typing import Any

from accounts.models import Department, User
from cases.models import Addendum, Advice, AdviceAnswer, Case, Scan, ScanWithdrawal, SignOff
from cases.review.policy import may_see_answers, reading_context
from inference.models import About
from notices.telling import tell, withdraw
from webhooks.outbox import announce

WANTED = {
    Case.Stage.SECOND: "read.second_wanted",
    Case.Stage.ADJUDICATION: "read.adjudication_wanted",
}
"""What the readers whose turn it may be are told when a case comes to a stage."""

ABOUT_A_SCAN = (
    "scan.answered",
    "scan.not_analysable",
    "answer.failed",
    "explanation.failed",
    "repetition.failed",
)
"""What people are told of the work on one scan; none of it matters once that is withdrawn."""


def about(scan: Scan) -> About:
    """How work on a scan names it to those who are told how it ended."""
    return About(scan.case.department_id, {**_names(scan.case), "scan_number": scan.number})


def assigned(case: Case, assignee: User | None, *, by: User) -> None:
    """Tell whom the case was given to, unless they took it; what the one before was told no longer holds."""
    withdraw(["case.assigned"], subject=str(case.pk))
    if assignee and assignee != by:
        _tell("case.assigned", [assignee.pk], case, by=by.full_name)


def stage_reached(case: Case) -> None:
    """Tell the readers whose turn it may be, and no longer those whose turn it was."""
    withdraw(list(WANTED.values()), subject=str(case.pk))
    if code := WANTED.get(Case.Stage(case.stage)):
        people, from_elsewhere = _may_judge(case)
        _tell(code, people, case)
        tell(code, from_elsewhere, subject=str(case.pk), **_names(case))


def adjudicator_changed(department: Department, before: User | None, now: User | None) -> None:
    """What waits for an adjudication waits for whom the department names now, no longer for the other."""
    code = WANTED[Case.Stage.ADJUDICATION]
    waiting = Case.objects.filter(department=department, stage=Case.Stage.ADJUDICATION)
    for case in waiting.select_related("department", "opened_by"):
        able = reading_context(case, case.opened_by).adjudicators
        if before and before.pk not in able:
            withdraw([code], subject=str(case.pk), people=[before.pk])
        if now and now.pk in able:
            tell(code, [now.pk], subject=str(case.pk), **_names(case))


def advised(case: Case, advice: Advice) -> None:
    """An advice was given: those who added the scans it names are told, if they may know what it rests on."""
    _announce(
        "advice.given",
        case,
        advice=str(advice.pk),
        is_informed=advice.is_informed,
        suggestions=[_suggestion(one) for one in advice.suggestions],
        stop=advice.stop,
        rules_version=advice.rules_version,
        rules_sha256=advice.rules_sha256,
        values_sha256=advice.values_sha256,
    )
    numbers = {one["scan"] for one in advice.suggestions if one["scan"]}
    technologists = User.objects.filter(
        pk__in=case.scans.active().filter(number__in=numbers).values("added_by")
    )
    told = [one.pk for one in technologists if _may_know(advice, case, one)]
    _tell("advice.given", told, case)


def advice_answered(case: Case, answer: AdviceAnswer) -> None:
    """Somebody has said what became of a suggestion. The reason is their own words, and stays here."""
    _announce(
        "advice.answered",
        case,
        advice=str(answer.advice_id),
        place=answer.place,
        action=answer.suggestion["action"],
        outcome=answer.outcome,
        follow_up=answer.follow_up.number if answer.follow_up else None,
    )


def scan_withdrawn(row: ScanWithdrawal) -> None:
    """A scan was taken out of its case: whoever added it is told, and of its answers nobody any more."""
    case, number = row.scan.case, row.scan.number
    withdraw(ABOUT_A_SCAN, subject=f"{case.pk}:{number}")
    _announce("scan.withdrawn", case, scan=str(row.scan_id), scan_number=number, reason=row.reason)
    if row.scan.added_by_id != row.withdrawn_by_id:
        subject = f"{case.pk}:{number}"
        names = {**_names(case), "scan_number": number, "by": row.withdrawn_by.full_name}
        place = case.department_id
        tell("scan.withdrawn", [row.scan.added_by_id], subject=subject, department=place, **names)


def signed(case: Case, signature: SignOff) -> None:
    """A case was signed; the finding is to be read through the API."""
    _announce("case.signed", case, content_sha256=signature.content_sha256)


def amended(case: Case, addendum: Addendum) -> None:
    """A signed case was added to; the text is to be read there."""
    _announce(
        "case.amended",
        case,
        content_sha256=addendum.content_sha256,
        previous_sha256=addendum.previous_sha256,
    )


def _may_judge(case: Case) -> tuple[list[int], list[int]]:
    """Whose turn it may be: people of the department, and the adjudicator it has named from elsewhere."""
    context = reading_context(case, case.opened_by)
    wanted = context.second_readers if case.stage == Case.Stage.SECOND else context.adjudicators
    return sorted(wanted & set(context.members)), sorted(wanted - set(context.members))


def _may_know(advice: Advice, case: Case, user: User) -> bool:
    """Advice that rests on answers tells something of them."""
    return not advice.is_informed or may_see_answers(case, user)


def _suggestion(one: dict[str, Any]) -> dict[str, Any]:
    """What is advised and why, in codes and numbers."""
    named = ("action", "says", "seconds", "scan", "expected_bits", "must")
    why = ("name", "value", "threshold", "scan", "frame", "checker", "rule", "source")
    return {name: one[name] for name in named} | {
        "why": [{name: reason[name] for name in why} for reason in one["why"]]
    }


def _announce(event: str, case: Case, **data: Any) -> None:
    announce(event, department=case.department_id, **_names(case), **data)


def _tell(code: str, people: list[int], case: Case, **said: Any) -> None:
    tell(code, people, subject=str(case.pk), department=case.department_id, **_names(case), **said)


def _names(case: Case) -> dict[str, Any]:
    return {"case": str(case.pk), "case_number": case.number}
