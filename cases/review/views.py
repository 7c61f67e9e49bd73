"""The doors through which readers read, measure, sign and amend."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import kept
from accounts.decorators import PersonRequest, people_only
from accounts.reauthentication import ConfirmedForm
from cases import calibrations, patients, services
from cases.case_page.outcomes import back_to, carried_out, carried_out_form
from cases.case_page.page import case_page
from cases.case_page.page_forms import PageForms, Sent, offered
from cases.models import Calibration, Case, Measurement, Scan
from cases.review import atria, drafts, measurements
from cases.review import service as review
from cases.review.forms import (
    WHICH,
    AddendumForm,
    AssignForm,
    JointForm,
    MeasurementForm,
    ReadForm,
    SignForm,
    focused,
    points_of,
)
from cases.review.panel import measurement_words, review_panel
from cases.review.shown import Shown
from refusals import Refusal


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def file_read(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """File a read; the page then shows what it was hiding. A refused form comes back as it was filled in."""
    case = _case(request, pk)
    if request.method != "POST":  # whoever loads again the page that a refused form came back on
        return redirect(case)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return case_page(request, case, form=form, status=422)
    shown = Shown.sent(request.POST)
    try:
        review.file_read(case, by=request.user, shown=shown, **form.cleaned_data)
    except Refusal as refusal:
        if refusal.code == "reason_needed":
            form.add_error(refusal.field, str(refusal))
            return case_page(request, case, form=form, status=422)
        case.refresh_from_db()
        return case_page(request, case, form=form, refusal=refusal)
    kept.forget(request, unless=WHICH)
    return redirect(back_to(request, case))


@require_POST
@people_only
def keep_draft(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Keep what is being typed, for its author alone."""
    case, form = _case(request, pk), request.POST.get("form", "")
    if form not in drafts.KEPT:
        return HttpResponse(status=400)
    try:
        drafts.keep(case, by=request.user, form=form, words=request.POST.dict())
    except Refusal as refusal:
        return JsonResponse({"code": refusal.code, "detail": str(refusal)}, status=409)
    kept.forget(request, unless=WHICH)
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def sign(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """What will be signed, and the password: on a page of its own, or at the foot of the case page."""
    case = _case(request, pk)
    if request.method == "POST" and "beside" in request.POST:
        return _signed_beside_the_scan(request, case)
    return _confirmed(request, case, SignForm, review.sign, "cases/sign.html")


def _signed_beside_the_scan(request: PersonRequest, case: Case) -> HttpResponse:
    """Sign without losing the picture; what is refused comes back on the case page."""
    form = SignForm(request, request.POST)
    if not form.is_valid():
        return case_page(request, case, sign_form=form, status=422)
    try:
        review.sign(case, by=request.user, shown=Shown.sent(request.POST))
    except Refusal as refusal:
        case.refresh_from_db()
        return case_page(request, case, refusal=refusal)
    return redirect(back_to(request, case))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def joint(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The joint read that the other reader filed, and the password of whoever stands for it as well."""
    return _confirmed(request, _case(request, pk), JointForm, review.confirm_joint, "cases/joint.html")


def _confirmed(
    request: PersonRequest,
    case: Case,
    kind: type[ConfirmedForm],
    act: Callable[..., Any],
    template: str,
) -> HttpResponse:
    """A page that shows what somebody stands for with the password; 409 when it is no longer that."""
    form = kind(request, request.POST or None)
    refused: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            act(case, by=request.user, shown=Shown.sent(request.POST))
        except Refusal as refusal:
            refused = {"changes": refusal.sentences, "refusal_code": refusal.code}
            case.refresh_from_db()
        else:
            return redirect(back_to(request, case))
    status = 409 if refused else 422 if form.errors else 200
    panel = review_panel(case, request.user)
    context = {"section": "worklist", "case": case, "form": focused(form), "panel": panel, **refused}
    context |= {"shown": panel.shown.fields, "meaning": review.MEANING}
    return render(request, template, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def add_addendum(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """An addendum to a signed case."""
    case = _case(request, pk)
    page = reverse("cases:add_addendum", args=[case.pk])
    typed = drafts.kept(case, request.user, drafts.Form.ADDENDUM) | kept.waiting(request, page)
    form = AddendumForm(request, request.POST or None, initial=typed)
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            review.add_addendum(case, by=request.user, text=text)
        except Refusal as refusal:
            form.add_error("text", str(refusal))
        else:
            kept.forget(request)
            return redirect(back_to(request, case))
    context = {"section": "worklist", "case": case, "form": focused(form)}
    context["ticket"] = kept.ticket(request.user, page)
    return render(request, "cases/addendum.html", context, status=422 if form.errors else 200)


@require_POST
@people_only
def assign(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Claim a case, release it, or give it to a colleague."""
    case = _case(request, pk)
    form = AssignForm(request.POST)
    if not form.is_valid():
        raise Http404
    name = form.cleaned_data["to"]

    def give() -> None:
        services.assign(case, services.colleague(case, name) if name else None, by=request.user)

    return carried_out(request, case, give)


@require_POST
@people_only
def measure(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Store what the viewer's calipers measured."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    form = MeasurementForm(request.POST)
    if not form.is_valid():
        return JsonResponse(
            {"code": "invalid", "detail": gettext("The viewer sent no measurement.")}, status=400
        )
    said = form.cleaned_data
    try:
        found = measurements.measure(
            scan,
            form.points(),
            by=request.user,
            tool=said["tool"],
            side=said["side"],
            checklist=said["checklist"],
            proposed=form.proposed(),
        )
    except Refusal as refusal:
        return JsonResponse({"code": refusal.code, "detail": str(refusal)}, status=422)
    said = {"id": str(found.pk), "title": found.title, "value": measurement_words(found)}
    said["withdraw"] = reverse("cases:withdraw", args=[found.pk])
    return JsonResponse(said | {"provisional": measurements.is_provisional(found)}, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def withdraw(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Let a measurement no longer count; it stays on record."""
    scans = Scan.objects.visible_to(request.user)
    one = get_object_or_404(Measurement.objects.select_related("scan__case"), pk=pk, scan__in=scans)

    def take_back(*, reason: str) -> None:
        measurements.withdraw(one, by=request.user, reason=reason)

    return carried_out_form(request, one.scan.case, Sent.by(request, "withdraw", one.pk), take_back)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def calibrate(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Say how long a line on a scan is whose file states no scale."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)

    def store(*, length_mm: float, note: str, mark_mm: float | None, **points: Any) -> None:
        line = points_of(points)
        calibrations.calibrate(scan, line, by=request.user, length_mm=length_mm, note=note, mark_mm=mark_mm)

    return carried_out_form(request, scan.case, Sent.by(request, "calibrate", scan.pk), store, scan=scan)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def withdraw_calibration(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Let a calibration no longer count; it stays on record."""
    scans = Scan.objects.visible_to(request.user)
    rows = Calibration.objects.select_related("scan__case", "scan__image")
    one = get_object_or_404(rows, pk=pk, scan__in=scans)

    def take_back(*, reason: str) -> None:
        calibrations.withdraw(one, by=request.user, reason=reason)

    sent = Sent.by(request, "withdraw_calibration", one.pk)
    return carried_out_form(request, one.scan.case, sent, take_back, scan=one.scan)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def state_atrium(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Say why the atrium of one side cannot be measured, or that it can after all."""
    case = _case(request, pk)

    def state(**said: str) -> None:
        atria.state(case, by=request.user, **said)

    sent = Sent.by(request, "state_atrium", request.POST.get("side", ""))
    return carried_out_form(request, case, sent, state)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def correct_birth_date(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Mend a mistyped birth date of the patient."""
    case = _case(request, pk)

    def correct(**said: Any) -> None:
        patients.correct_birth_date(case, by=request.user, **said)

    return carried_out_form(request, case, Sent.by(request, "correct_birth_date", case.pk), correct)


@require_safe
@people_only
def findings(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The measurements and what follows from them, again: after the viewer has stored one."""
    case = _case(request, pk)
    number = request.GET.get("scan", "")
    number = number if number.isdecimal() else ""
    panel, address = review_panel(case, request.user), case.get_absolute_url()
    scan = case.scans.active().select_related("image").filter(number=number[:9] or 0).first()
    context = {
        "case": case,
        "panel": panel,
        "shown_scan": number,
        "ticket": kept.ticket(request.user, address),
    }
    context["page_forms"] = PageForms(offered(panel, scan, None, []))
    return render(request, "cases/findings.html", context)


def _case(request: PersonRequest, pk: uuid.UUID) -> Case:
    cases = Case.objects.visible_to(request.user).select_related("department", "patient", "assignee")
    return get_object_or_404(cases, pk=pk)
