"""The report of a case as a file and as a page to print."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.decorators import PersonRequest, people_only
from audit.trail import record
from cases.models import Case
from cases.report.pdf import pdf
from cases.report.signed import report_of
from cases.report.words import LATER, NOTICE, UNSIGNED, Report
from cases.review.panel import review_panel


@require_safe
@people_only
def report_pdf(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The report as a file."""
    case, found = _report(request, pk)
    response = HttpResponse(pdf(found), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="ventra-{case.number}.pdf"'
    return response


@require_safe
@people_only
def report_page(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The report as a page to print."""
    case, found = _report(request, pk)
    context = {"section": "worklist", "case": case, "report": found, "notice": gettext(NOTICE)}
    return render(
        request, "cases/report.html", context | {"unsigned": gettext(UNSIGNED), "later": gettext(LATER)}
    )


def _report(request: PersonRequest, pk: uuid.UUID) -> tuple[Case, Report]:
    cases = Case.objects.visible_to(request.user).select_related("department", "patient")
    case = get_object_or_404(cases, pk=pk)
    shows = review_panel(case, request.user).unblinds
    record("case.reported", actor=request.user, subject=case, thread=case.thread, unblinded=shows)
    return case, report_of(case, request.user)
