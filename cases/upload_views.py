"""Files that arrive on the case page, one by one from its script or all at once from the plain form.

And scans that should not be there.
"""

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.gate import PersonRequest, people_only
from cases import intake, withdrawal
from cases.access import require_writer
from cases.forms import ScanWithdrawalForm, UploadForm
from cases.models import Case, Scan
from cases.refusals import CannotDo
from inference.formats.errors import FormatError
from language.stored import said


@dataclass(frozen=True)
class Outcome:
    """What became of one file. outcome: added, known or refused; status: HTTP's word for it."""

    file: str
    outcome: str
    sentence: str
    code: str
    status: int
    scan: int | None


@require_POST
@people_only
def upload(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Add files to a case. A file that is already there is not added twice."""
    case = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
    if not Case.objects.writable_by(request.user).filter(pk=case.pk).exists():
        raise PermissionDenied(gettext("Only readers of the department add scans."))
    form = UploadForm(request.POST, request.FILES)
    wants_json = "application/json" in request.headers.get("Accept", "")
    if not form.is_valid():
        return _not_understood(request, case, form, wants_json=wants_json)
    outcomes = [
        _receive(case, file, form.cleaned_data["modality"], request) for file in form.cleaned_data["scans"]
    ]
    if wants_json:
        status = outcomes[0].status if len(outcomes) == 1 else 207
        return JsonResponse({"outcomes": [asdict(outcome) for outcome in outcomes]}, status=status)
    return _page(request, case, outcomes)


def _receive(case: Case, file: "UploadedFile[bytes]", modality: Any, request: PersonRequest) -> Outcome:
    name = (file.name or "")[:200]
    try:
        scan, added = intake.receive(case, file, modality=modality, by=request.user, file_name=name)
    except FormatError as refusal:
        return Outcome(name, "refused", said(refusal.detail), refusal.code, refusal.status, None)
    except CannotDo as refusal:
        return Outcome(name, "refused", str(refusal), refusal.code, 422, None)
    if added:
        sentence = gettext("Added as scan {number}.").format(number=scan.number)
        return Outcome(name, "added", sentence, "", 201, scan.number)
    sentence = gettext("Already here as scan {number}.").format(number=scan.number)
    return Outcome(name, "known", sentence, "", 200, scan.number)


def _not_understood(
    request: PersonRequest, case: Case, form: UploadForm, *, wants_json: bool
) -> HttpResponse:
    sentence = " ".join(str(error) for errors in form.errors.values() for error in errors)
    if wants_json:
        return JsonResponse({"outcomes": [], "sentence": sentence, "code": "invalid"}, status=400)
    messages.warning(request, " ".join([sentence, gettext("Nothing was added.")]))
    return redirect(case)


def _page(request: PersonRequest, case: Case, outcomes: list[Outcome]) -> HttpResponse:
    refused = [outcome for outcome in outcomes if outcome.outcome == "refused"]
    if not refused:
        return redirect(f"{case.get_absolute_url()}?scan={outcomes[-1].scan}")
    status = refused[0].status if len(outcomes) == 1 else 422
    context = {"section": "worklist", "case": case, "outcomes": outcomes}
    return render(request, "cases/uploaded.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def withdraw(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a scan out of its case; the form comes back filled when that is refused."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    require_writer(scan.case, request.user)
    form = ScanWithdrawalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            withdrawal.withdraw_scan(scan, by=request.user, **form.cleaned_data)
        except CannotDo as refusal:
            form.add_error("note" if refusal.code == "reason_needed" else None, str(refusal))
        else:
            messages.success(request, gettext("Scan {number} was withdrawn.").format(number=scan.number))
            return redirect(scan.case)
    context = {"section": "worklist", "case": scan.case, "scan": scan, "form": form}
    return render(request, "cases/withdraw_scan.html", context, status=422 if form.errors else 200)
