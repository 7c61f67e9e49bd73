"""The case page: what one reader is shown of a case, and the forms that come back on it."""

import logging
import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from accounts import kept
from accounts.decorators import PersonRequest
from audit.trail import record
from blobs.store import BlobCorrupt, BlobUnavailable
from cases.advice.service import current_advice
from cases.advice.words import shown_advice
from cases.case_page import page_forms
from cases.case_page import summary as case_summary
from cases.case_page.page_forms import PageForms, Sent
from cases.case_page.presence import EVERY_SECONDS
from cases.case_page.timeline import timeline
from cases.models import Case
from cases.review.forms import ReadForm, SignForm, focused, read_form_context
from cases.review.measurements import CHECKLIST
from cases.review.panel import ReviewPanel, calipers, review_panel
from cases.review.priors import priors_of, record_shown
from cases.review.service import MEANING
from cases.review.width_chart import width_chart
from cases.viewer import overlays, shortcuts
from cases.viewer.pixels import thumbnail
from refusals import Refusal

logger = logging.getLogger(__name__)


def case_page(
    request: PersonRequest,
    case: Case,
    *,
    form: ReadForm | None = None,
    sign_form: SignForm | None = None,
    refusal: Refusal | None = None,
    sent: Sent | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a visible case. form, refusal: a read's form that was sent, and why it was not filed.

    sign_form: the signature's, where the password was not accepted. sent: another form of the page that was
    refused.
    """
    view = str(uuid.uuid4())
    panel = review_panel(case, request.user)
    # What is answered for is collected first: what arrives in between is asked about, never passed over.
    told: dict[str, Any] = {"view": view, "unblinded": panel.unblinds}
    record("case.viewed", actor=request.user, subject=case, thread=case.thread, **told)
    context = shown(request, panel, case_summary.summarise(case), view, sent=sent)
    earlier = priors_of(case, request.user, panel.rules.scheme)
    record_shown(earlier, case, request.user)
    context |= {"priors": earlier, "width_chart": width_chart(case, panel.width, earlier)}
    context |= read_form_context(request, panel, form)
    if panel.may_sign:
        context |= {"sign_form": focused(sign_form or SignForm(request)), "meaning": MEANING}
    if refusal:
        context |= {"changes": refusal.sentences, "refusal_code": refusal.code}
    return render(request, "cases/case.html", context, status=409 if refusal else status)


def shown(
    request: PersonRequest,
    panel: ReviewPanel,
    found: case_summary.CaseSummary,
    view: str,
    *,
    sent: Sent | None = None,
) -> dict[str, object]:
    """What the page and its live parts are made of. sent: a form that comes back on the page."""
    case, current = panel.case, _current(request, found)
    scan = current.scan if current else None
    may_write = Case.objects.writable_by(request.user).filter(pk=case.pk).exists()
    advice = shown_advice(current_advice(panel, found), panel, current)
    calibration = panel.calibration_of(scan) if scan else None
    address = case.get_absolute_url()
    offered = page_forms.offered(panel, scan, advice["advice"], advice["suggestions"])
    waiting = {} if sent else page_forms.waiting(request, address)
    return {
        "section": "worklist",
        "key_groups": shortcuts.of_case(panel, scan, may_write=may_write),
        "case": case,
        "summary": found,
        "current": current,
        "panel": panel,
        "answers_template": "cases/hidden_answers.html" if panel.hidden else "cases/answers.html",
        "frames_read": current.frames_read if current else [],
        "shown": panel.shown.fields,
        "checklist": CHECKLIST,
        "thumbnails": [(entry, _thumbnail(entry)) for entry in found.scans],
        "picture": overlays.picture(current.scan, current, view, calibration) if current else None,
        "planes": overlays.planes(current.scan.image) if current else [],
        "calibration": calibration,
        "calibrations": [one for one in panel.calibrations if scan and one.scan_id == scan.pk],
        "overlays": overlays.overlays(current) if current and not panel.hidden else [],
        **calipers(panel, current),
        **advice,
        "timeline": timeline(case, hidden=panel.hidden),
        "view": view,
        "may_write": may_write,
        "page_forms": PageForms(offered, sent, waiting),
        "presence_seconds": EVERY_SECONDS,
        "ticket": kept.ticket(request.user, address),
    }


def _current(request: PersonRequest, found: case_summary.CaseSummary) -> case_summary.ScanSummary | None:
    """The scan that is asked for, or that a form stood beside; else the first."""
    first = found.scans[0] if found.scans else None
    wanted = request.GET.get("scan", "") or request.POST.get("scan", "")
    if not wanted:
        return first
    chosen = next((entry for entry in found.scans if str(entry.scan.number) == wanted), None)
    if chosen:
        return chosen
    if request.method == "POST" or any(str(scan.number) == wanted for scan in found.withdrawn):
        return first  # a form keeps its words whatever became of its scan; an older link or notice leads here
    raise Http404("The case has no such scan.")


def _thumbnail(entry: case_summary.ScanSummary) -> str:
    """ "" when the stored pixels are gone: the page must still say everything else."""
    try:
        image = entry.scan.image
        return thumbnail(image.pixels_id, _middle(entry), image.aspect)
    except (BlobCorrupt, BlobUnavailable):
        logger.exception("The pixels of %s cannot be read", entry.scan)
        return ""


def _middle(entry: case_summary.ScanSummary) -> int:
    read = entry.frames_read
    return read[len(read) // 2] if read else entry.scan.image.frames // 2
