"""Bytes for the viewer. Each scan or heatmap is one line in the audit for each view of a page."""

import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.decorators import PersonRequest, people_only
from audit.models import Event
from audit.trail import record
from cases import calibrations
from cases.models import Scan
from cases.review.policy import may_see_answers
from cases.viewer import pixels
from inference.models import Explanation, Image
from inference.results.planes import Plane, plane_of
from inference.results.superpixels import of_frame
from language.stored import english

BYTES = "application/octet-stream"
A_SHIFT = timedelta(hours=12)  # as long as a session: the same page view cannot last longer


@require_safe
@people_only
def frame(request: PersonRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """One frame, row by row: unsigned little-endian integers of image.bits each."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    try:
        content = pixels.frame_bytes(scan.image, number)
    except IndexError:
        raise Http404("The scan has no such frame.") from None
    _tell_once(request, "scan.viewed", scan, scan)
    return _binary(content, scan.image, f"uint{scan.image.bits}")


@require_safe
@people_only
def cut(request: PersonRequest, pk: uuid.UUID, number: int, across: str) -> HttpResponse:
    """One cut through all frames of a volume, as `frame` sends a frame: the last frame's row first."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    plane = plane_of(scan.image, across)
    if plane is None:
        raise Http404("The scan has no such plane.")
    try:
        content = pixels.cut_bytes(scan.image, across, number)
    except IndexError:
        raise Http404("The plane has no such cut.") from None
    _tell_once(request, "scan.viewed", scan, scan)
    return _binary(content, plane, f"uint{scan.image.bits}")


@require_safe
@people_only
def heatmap(request: PersonRequest, pk: uuid.UUID, row: int) -> HttpResponse:
    """One frame of a heatmap at the scan's size: little-endian float16."""
    explanation, scan = _explained(request, pk)
    try:
        content = pixels.heatmap_bytes(explanation, row)
    except IndexError:
        raise Http404("The heatmap has no such frame.") from None
    _tell_once(request, "explanation.viewed", explanation, scan)
    return _binary(content, explanation.prediction.image, "float16")


@require_safe
@people_only
def pieces(request: PersonRequest, pk: uuid.UUID, row: int) -> JsonResponse:
    """The superpixels of one frame of an explanation, with all that they are bound to."""
    explanation, scan = _explained(request, pk)
    try:
        found = of_frame(explanation, row)
    except IndexError:
        raise Http404("The explanation has no such frame.") from None
    if not found:
        raise Http404("This method has no pieces.")
    _tell_once(request, "explanation.viewed", explanation, scan)
    with english():
        version = str(explanation.prediction.model_version)
    return JsonResponse(
        {
            "explanation": str(explanation.pk),
            "method": explanation.method,
            "model_version": version,
            "class_label": explanation.class_label,
            "unit": explanation.unit,
            "frame": explanation.frames[row],
            "seed": explanation.seed,
            "parameters": explanation.parameters,
            "segments_sha256": explanation.segments_id,
            "heatmap_sha256": explanation.heatmap_id,
            "input_sha256": explanation.input_sha256,
            "weights_sha256": explanation.weights_sha256,
            "preprocessing": explanation.preprocessing,
            "preprocessing_sha256": explanation.preprocessing_sha256,
            "pieces": [asdict(piece) for piece in found],
        }
    )


@require_safe
@people_only
def depth_marks(request: PersonRequest, pk: uuid.UUID, number: int) -> JsonResponse:
    """The line that is proposed along the marks of a frame's depth scale; null where none is."""
    scan = get_object_or_404(Scan.objects.visible_to(request.user).select_related("case", "image"), pk=pk)
    try:
        found = calibrations.proposed_line(scan, number)
    except IndexError:
        raise Http404("The scan has no such frame.") from None
    return JsonResponse({"found": found.as_json() if found else None})


def _explained(request: PersonRequest, pk: uuid.UUID) -> tuple[Explanation, Scan]:
    """An explanation that this reader may see by now, and its scan."""
    rows = Explanation.objects.select_related("prediction__image", "prediction__model_version")
    explanation = get_object_or_404(rows, pk=pk)
    scans = Scan.objects.visible_to(request.user).select_related("case__department")
    scan = get_object_or_404(scans, image=explanation.prediction.image)
    if not may_see_answers(scan.case, request.user):
        raise PermissionDenied(gettext("The models' answers are hidden until you have filed your read."))
    return explanation, scan


def _binary(content: bytes, picture: Image | Plane, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=BYTES)
    response.headers["X-Picture"] = f"{picture.rows} x {picture.columns} {kind} little-endian"
    return response


def _tell_once(request: PersonRequest, verb: str, subject: Scan | Explanation, scan: Scan) -> None:
    """One line for each view of a page; without the page's name every request is told."""
    view = request.GET.get("view", "")[:36]
    told = Event.objects.filter(
        thread=scan.case.thread,
        verb=verb,
        actor_id=request.user.pk,
        subject_id=str(subject.pk),
        detail__view=view,
        occurred_at__gt=Now() - A_SHIFT,
    )
    if not view or not told.exists():
        method: dict[str, Any] = {"method": subject.method} if isinstance(subject, Explanation) else {}
        record(
            verb, actor=request.user, subject=subject, thread=scan.case.thread,
            scan=scan.number, view=view, **method,
        )  # fmt: skip
