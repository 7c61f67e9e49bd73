"""How a page says what became of a form: it is carried out, or refused in one sentence with its code."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts import kept
from accounts.decorators import PersonRequest
from cases.advice import service as advice_service
from cases.case_page import page_forms
from cases.case_page.page import case_page
from cases.case_page.page_forms import Sent
from cases.models import Case, Scan
from cases.worklist import query as worklist_query
from refusals import Refusal


def carried_out(request: PersonRequest, case: Case, act: Callable[[], Any]) -> HttpResponse:
    """Carry out what a button asks, or say why not; then the page again, on the scan that was shown.

    What was done may call for other advice: it is given now, so that the page already has it.
    """
    try:
        act()
    except Refusal as refusal:
        messages.warning(request, str(refusal), extra_tags=refusal.code)
        return redirect(back_to(request, case))
    advice_service.give(case)
    return redirect(back_to(request, case))


def carried_out_form(
    request: PersonRequest, case: Case, sent: Sent, act: Callable[..., Any], *, scan: Scan | None = None
) -> HttpResponse:
    """Carry out a form into which somebody typed; act takes its valid fields.

    Refused, the case page comes back with the form as it was filled in: 422, or 409 where the case has moved
    on. Whoever loads that page again is led to the case. scan: the one to show, where the form says none.
    """
    if request.method != "POST":
        return redirect(case)
    if page_forms.waiting(request, case.get_absolute_url()):
        kept.forget(request)
    if not sent.form.is_valid():
        return case_page(request, case, sent=sent, status=422)
    try:
        act(**sent.form.cleaned_data)
    except Refusal as refusal:
        case.refresh_from_db()
        status = 409 if refusal.is_late else 422
        return case_page(request, case, sent=sent.refused(refusal), status=status)
    advice_service.give(case)
    return redirect(back_to(request, case, scan))


def back_to(request: PersonRequest, case: Case, scan: Scan | None = None) -> str:
    """The address of the page that the form stood on."""
    if request.POST.get("back") == "worklist":
        return worklist_query.last(request)
    number = request.POST.get("scan", "") or (str(scan.number) if scan else "")
    return f"{case.get_absolute_url()}?scan={number}" if number.isdecimal() else case.get_absolute_url()
