"""The doors through which readers read, measure, sign and amend."""

import uuid

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.gate import PersonRequest, people_only
from cases import measuring, review, services
from cases.desk import desk
from cases.models import Case, Measurement, Scan
from cases.outcomes import carried_out, refused
from cases.refusals import CannotDo
from cases.review_forms import AddendumForm, AssignForm, MeasurementForm, ReadForm, SignForm, WithdrawalForm


@require_POST
@people_only
def file_read(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """File a read; the page then shows what it was hiding."""
    case = _case(request, pk)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return refused(request, case, str(next(iter(form.errors.values()))[0]))
    return carried_out(request, case, lambda: review.file_read(case, by=request.user, **form.cleaned_data))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def sign(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """What will be signed, and the password."""
    case = _case(request, pk)
    form = SignForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return carried_out(request, case, lambda: review.sign(case, by=request.user))
    context = {"section": "worklist", "case": case, "form": form, "desk": desk(case, request.user)}
    context["meaning"] = review.MEANING
    return render(request, "cases/sign.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@people_only
def add_addendum(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """An addendum to a signed case."""
    case = _case(request, pk)
    form = AddendumForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        return carried_out(request, case, lambda: review.add_addendum(case, by=request.user, text=text))
    context = {"section": "worklist", "case": case, "form": form}
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
        found = measuring.measure(
            scan,
            form.points(),
            by=request.user,
            tool=said["tool"],
            side=said["side"],
            checklist=said["checklist"],
        )
    except CannotDo as refusal:
        return JsonResponse({"code": refusal.code, "detail": str(refusal)}, status=422)
    return JsonResponse({"id": str(found.pk), "title": found.title, "value": str(found)}, status=201)


@require_POST
@people_only
def withdraw(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Let a measurement no longer count; it stays on record."""
    scans = Scan.objects.visible_to(request.user)
    one = get_object_or_404(Measurement.objects.select_related("scan__case"), pk=pk, scan__in=scans)
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        return refused(request, one.scan.case, gettext("Say why the measurement no longer counts."))
    reason = form.cleaned_data["reason"]
    return carried_out(
        request, one.scan.case, lambda: measuring.withdraw(one, by=request.user, reason=reason)
    )


@require_safe
@people_only
def findings(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """The measurements and what follows from them, again: after the viewer has stored one."""
    case = _case(request, pk)
    return render(request, "cases/findings.html", {"case": case, "desk": desk(case, request.user)})


def _case(request: PersonRequest, pk: uuid.UUID) -> Case:
    cases = Case.objects.visible_to(request.user).select_related("department", "patient", "assignee")
    return get_object_or_404(cases, pk=pk)
