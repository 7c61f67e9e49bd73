"""The door through which a technologist answers advice."""

import uuid

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from accounts.decorators import PersonRequest, people_only
from cases.advice import service as advice_service
from cases.case_page.outcomes import carried_out_form
from cases.case_page.page_forms import Sent


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def answer_advice(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Done, not possible, or declined with a reason."""
    advice = advice_service.visible_advice(request.user, pk)
    sent = Sent.by(request, "answer_advice", f"{advice.pk}-{request.POST.get('place', '')}")

    def answer(*, place: int, outcome: str, reason: str, follow_up: int | None) -> None:
        scan = advice_service.scan_of_case(advice.case, follow_up)
        advice_service.answer(advice, place, by=request.user, outcome=outcome, reason=reason, follow_up=scan)

    return carried_out_form(request, advice.case, sent, answer)
