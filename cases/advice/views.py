"""The door through which a technologist answers advice."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.decorators import PersonRequest, people_only
from accounts.models import User
from cases.advice import service as advice_service
from cases.case_page.outcomes import carried_out_form
from cases.case_page.page_forms import Sent
from cases.models import Advice, Case, Scan
from cases.review.policy import may_see_answers
from refusals import Refusal


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def answer_advice(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Done, not possible, or declined with a reason."""
    advice = visible_advice(request.user, pk)
    sent = Sent.by(request, "answer_advice", f"{advice.pk}-{request.POST.get('place', '')}")

    def answer(*, place: int, outcome: str, reason: str, follow_up: int | None) -> None:
        scan = scan_of_case(advice.case, follow_up)
        advice_service.answer(advice, place, by=request.user, outcome=outcome, reason=reason, follow_up=scan)

    return carried_out_form(request, advice.case, sent, answer)


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
