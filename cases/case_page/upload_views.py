"""Files that arrive on the case page, one by one from its script or all at once from the plain form.

And scans that should not be there.
"""

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.decorators import PersonRequest, people_only
from accounts.models import User
from blobs.store import BlobUnavailable
from cases import intake, prospects, withdrawal
from cases.access import require_writer
from cases.case_page.forms import ScanWithdrawalForm
from cases.case_page.page import case_page
from cases.case_page.page_forms import Sent
from cases.models import Case, Scan
from cases.review.forms import focused
from cases.uploads import service as uploads
from inference.formats import archives
from inference.formats.headers import dicom
from language.stored import said
from refusals import CODES, FILES, Refusal

LOOKED_AT = 132
"""Bytes of a file that say whether it is DICOM or an archive."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file. outcome: added, known or refused; status: HTTP's word for it.

    unanswered_because: a code of cases.prospects where no model version will answer. page: where the person
    is asked what becomes of it; nothing is a scan until they have said.
    """

    file: str
    outcome: str
    sentence: str
    code: str
    status: int
    scan: int | None = None
    will_be_answered: bool = False
    unanswered_because: str = ""
    page: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def upload(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Add files to a case. A file that is already there is not added twice."""
    case = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
    if not Case.objects.writable_by(request.user).filter(pk=case.pk).exists():
        raise PermissionDenied(gettext("Only readers of the department add scans."))
    if request.method != "POST":  # whoever loads again the page that a refused form came back on
        return redirect(case)
    sent = Sent.by(request, "upload", case.pk)
    wants_json = "application/json" in request.headers.get("Accept", "")
    if not sent.form.is_valid():
        return _not_understood(request, case, sent, wants_json=wants_json)
    filled = sent.form.cleaned_data
    if not wants_json and _belong_together(filled["scans"]):
        return _looked_at_together(request, case, sent)
    outcomes = [
        _receive(request, case, file, filled["modality"], filled["mismatch_reason"])
        for file in filled["scans"]
    ]
    if wants_json:
        status = outcomes[0].status if len(outcomes) == 1 else 207
        return JsonResponse({"outcomes": [asdict(outcome) for outcome in outcomes]}, status=status)
    return _page(request, case, sent, outcomes)


def _belong_together(files: "list[UploadedFile[bytes]]") -> bool:
    """Whether the files are looked at together first: an archive, or several of which some are DICOM."""
    starts = []
    for file in files:
        starts.append(file.read(LOOKED_AT))
        file.seek(0)
    are_dicom = [start[128:132] == dicom.PREFIX for start in starts]
    return any(map(archives.is_archive, starts)) or (len(files) > 1 and any(are_dicom))


def _looked_at_together(request: PersonRequest, case: Case, sent: Sent) -> HttpResponse:
    """An upload session with all files, and the page that shows what they will become."""
    filled = sent.form.cleaned_data
    try:
        session = uploads.open_session(case, filled["modality"], by=request.user)
        for file in filled["scans"]:
            uploads.add_part(session, file, by=request.user)
    except Refusal as refusal:
        status = 409 if refusal.is_late else refusal.status
        if refusal.code not in FILES:
            return case_page(request, case, sent=sent.refused(refusal), status=status)
        sentence = f"{said(refusal.detail)} ({refusal.code}) {gettext('Nothing of it was kept.')}"
        sent.form.add_error("scans", ValidationError(sentence, code=refusal.code))
        return case_page(request, case, sent=sent, status=status)
    return redirect(session)


def _receive(
    request: PersonRequest, case: Case, file: "UploadedFile[bytes]", modality: Any, reason: str
) -> Outcome:
    name = (file.name or "")[:200]
    try:
        scan, added = intake.receive(
            case, file, modality=modality, by=request.user, file_name=name, mismatch_reason=reason
        )
    except Refusal as refusal:
        page = _asked(case, file, modality, by=request.user) if refusal.code == "series_known" else ""
        return Outcome(name, "refused", said(str(refusal)), refusal.code, refusal.status, page=page)
    except BlobUnavailable:
        if len(request.FILES.getlist("scans")) == 1:
            raise
        return Outcome(name, "refused", gettext(intake.NO_STORAGE), "storage_unavailable", 503)
    code = prospects.unanswered_because(scan, scan.image.jobs.shown())
    without = prospects.sentence(scan, code)
    if without:
        messages.warning(request, without)  # the script goes on to the case page, and so does the plain form
    words = gettext("Added as scan {number}.") if added else gettext("Already here as scan {number}.")
    sentence = f"{words.format(number=scan.number)} {without}".strip()
    outcome, status = ("added", 201) if added else ("known", 200)
    return Outcome(name, outcome, sentence, "", status, scan.number, not code, code)


def _asked(case: Case, file: "UploadedFile[bytes]", modality: Any, *, by: User) -> str:
    """The page that asks what becomes of a late slice, which waits there; "" where no session begins."""
    try:
        session = uploads.open_session(case, modality, by=by)
        uploads.add_part(session, file, by=by)
    except Refusal:
        return ""
    return session.get_absolute_url()


def _not_understood(request: PersonRequest, case: Case, sent: Sent, *, wants_json: bool) -> HttpResponse:
    sentence = " ".join(str(error) for errors in sent.form.errors.values() for error in errors)
    if wants_json:
        return JsonResponse({"outcomes": [], "sentence": sentence, "code": "invalid"}, status=400)
    sent.form.add_error(None, gettext("Nothing was added. Choose the files again."))
    return case_page(request, case, sent=sent, status=422)


def _page(request: PersonRequest, case: Case, sent: Sent, outcomes: list[Outcome]) -> HttpResponse:
    """What became of each file; where one was refused, beside the form as it was filled in."""
    refused = [outcome for outcome in outcomes if outcome.outcome == "refused"]
    if not refused:
        return redirect(f"{case.get_absolute_url()}?scan={outcomes[-1].scan}")
    if len(outcomes) == 1 and outcomes[0].page:
        return redirect(outcomes[0].page)
    for one in outcomes:
        if one.outcome == "refused":
            field = CODES[one.code].field or "scans"
            kept = gettext("Nothing of it was kept.")
            error = ValidationError(f"{one.file}: {one.sentence} ({one.code}) {kept}", code=one.code)
            sent.form.add_error(field, error)
        else:
            messages.success(request, f"{one.file}: {one.sentence}")
    case.refresh_from_db()
    status = refused[0].status if len(outcomes) == 1 else 422
    is_late = {one.code for one in refused} == {"case_signed"}
    return case_page(request, case, sent=sent, status=409 if is_late else status)


@require_http_methods(["GET", "HEAD", "POST"])
@people_only
def withdraw(request: PersonRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a scan out of its case; the form comes back filled when that is refused."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    require_writer(scan.case, request.user)
    is_sent, is_late, code = request.method == "POST", False, "invalid"
    form = ScanWithdrawalForm(request.POST if is_sent else None)
    if form.is_valid():
        try:
            withdrawal.withdraw_scan(scan, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            is_late, code = refusal.is_late, refusal.code
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, gettext("Scan {number} was withdrawn.").format(number=scan.number))
            return redirect(scan.case)
    context = {"section": "worklist", "case": scan.case, "scan": scan, "form": focused(form), "code": code}
    status = (409 if is_late else 422) if is_sent else 200
    return render(request, "cases/withdraw_scan.html", context, status=status)
