"""The pages of one case: look up through visible_to, call one service, render."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import PersonRequest, people_only
from accounts.roles import WRITE_CASES, departments_where
from audit.models import Event
from audit.trail import record
from cases import services
from cases.case_page import summary as case_summary
from cases.case_page.forms import ExplainForm, OpenCaseForm
from cases.case_page.outcomes import carried_out_form
from cases.case_page.page import case_page, shown
from cases.case_page.page_forms import Sent
from cases.case_page.presence import be_there
from cases.models import Case, Scan
from cases.review.forms import focused
from cases.review.panel import review_panel
from inference.models import Prediction
from refusals import Refusal


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def open_case(request: PersonRequest) -> HttpResponse:
    """A form, and the case it opens."""
    departments = departments_where(request.user, WRITE_CASES)
    if not departments:
        raise PermissionDenied(gettext("Only readers open cases."))
    form = OpenCaseForm(departments, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            case, _ = services.open_case(by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            again = gettext("This form has already opened another case. Start a new one.")
            is_reused = refusal.code == "idempotency_key_reused"
            form.add_error(refusal.field or None, again if is_reused else str(refusal))
        else:
            return redirect(case)
    context = {"section": "worklist", "form": focused(form), "departments": departments}
    return render(request, "cases/open.html", context, status=422 if form.errors else 200)


@require_safe
@people_only
def case(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """What do I see, what does it say, do I agree?"""
    return case_page(request, _visible(request, pk))


@require_safe
@people_only
def live(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The parts of the case page that change by themselves; 204 while nothing has."""
    found = _visible(request, pk)
    panel = review_panel(found, request.user)
    now = panel.shown
    state = case_summary.summarise(found)
    if state.fingerprint == request.GET.get("seen"):
        return HttpResponse(status=204)
    view = request.GET.get("view", "")[:36]
    if now.answers and not _is_told(found, view):
        record(
            "case.viewed", actor=request.user, subject=found, thread=found.thread, view=view, unblinded=True
        )
    context = shown(request, panel, state, view)
    return render(request, "cases/live.html", context | {"is_update": True})


@require_POST
@people_only
def presence(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Say that this page is open; who else has the case open."""
    return render(request, "cases/others.html", {"others": be_there(_visible(request, pk), request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def choose_frames(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Read other frames of a scan."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    sent = Sent.by(request, "choose_frames", scan.pk)

    def choose(*, frames: list[int]) -> None:
        services.choose_frames(scan, frames, by=request.user)

    return carried_out_form(request, scan.case, sent, choose, scan=scan)


@require_POST
@people_only
def try_again(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask again for the answers that a fault or a cancellation has left out."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    try:
        if not services.try_again(scan, by=request.user):
            messages.info(request, gettext("Nothing is missing: every active model has answered."))
    except Refusal as refusal:
        _warn(request, refusal)
    return _on_scan(scan)


@require_POST
@people_only
def explain(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Explain an answer by another method, or for the other class."""
    prediction, scan = _answer(request, pk)
    form = ExplainForm(prediction, prediction.model_version.labels, request.POST)
    if not form.is_valid():
        messages.warning(request, gettext("Choose a method and a class."))
    else:
        try:
            _, asked = services.explain(prediction, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            _warn(request, refusal)
        else:
            if not asked:
                messages.info(request, gettext("This explanation is already there, or on its way."))
    return _on_scan(scan)


@require_POST
@people_only
def run_again(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Run an answer and its explanations again and compare."""
    prediction, scan = _answer(request, pk)
    try:
        services.run_again(prediction, by=request.user)
    except Refusal as refusal:
        _warn(request, refusal)
    return _on_scan(scan)


def _warn(request: PersonRequest, refusal: Refusal) -> None:
    messages.warning(request, str(refusal), extra_tags=refusal.code)


def _on_scan(scan: Scan) -> HttpResponse:
    return redirect(f"{scan.case.get_absolute_url()}?scan={scan.number}")


def _answer(request: PersonRequest, pk: uuid.UUID) -> tuple[Prediction, Scan]:
    """An answer about a visible scan, and the scan."""
    answers = Prediction.objects.shown().select_related("model_version", "image", "job")
    prediction = get_object_or_404(answers, pk=pk)
    scans = Scan.objects.visible_to(request.user).select_related("case", "image")
    return prediction, get_object_or_404(scans, image=prediction.image_id)


def _visible(request: PersonRequest, pk: uuid.UUID) -> Case:
    cases = Case.objects.visible_to(request.user).select_related(
        "patient", "department", "opened_by", "assignee"
    )
    return get_object_or_404(cases, pk=pk)


def _is_told(case: Case, view: str) -> bool:
    """Whether the audit says already that answers came to this view of the page."""
    told = Event.objects.filter(thread=case.thread, verb="case.viewed", detail__unblinded=True)
    return told.filter(detail__view=view).exists()
