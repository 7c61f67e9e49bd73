"""Bytes: frames, originals, heatmaps. Always a download, never something a browser would run."""

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from audit.trail import record
from blobs import store
from cases import originals
from cases.api import visible
from cases.models import Scan
from inference.models import Explanation
from inference.results import images

NPY = "application/octet-stream"
SANDBOX = "sandbox; default-src 'none'"
# What we found the file to be, never what the client said it was.
ORIGINALS = {
    "png": ("image/png", "png"),
    "jpeg": ("image/jpeg", "jpg"),
    "tiff": ("image/tiff", "tif"),
    "bmp": ("image/bmp", "bmp"),
    "gif": ("image/gif", "gif"),
    "mp4": ("video/mp4", "mp4"),
    "avi": ("video/x-msvideo", "avi"),
    "mpeg": ("video/mpeg", "mpg"),
    "dicom": ("application/dicom", "dcm"),
    "nifti": ("application/octet-stream", "nii"),
}


class AsStored(BaseContentNegotiation):
    """Bytes are what they are, whatever the client says it would accept."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> None:
        """None: nothing is parsed, these addresses are only read."""

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """The first; it is never asked to render."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class Bytes(APIView):
    """A view that answers with a file."""

    content_negotiation_class = AsStored


@extend_schema(summary="Read one frame's pixels", tags=["scans"], responses={(200, NPY): OpenApiTypes.BINARY})
class Frame(Bytes):
    """An .npy file: rows x columns, uint8 or little-endian uint16, more signal is brighter."""

    def get(self, request: Request, pk: uuid.UUID, index: int) -> HttpResponse:
        """Frames count from 0."""
        scan = get_object_or_404(visible.scans(request.user), pk=pk)
        try:
            pixels = images.frame(scan.image.pixels_id, index)
        except IndexError:
            raise Http404 from None
        record("scan.viewed", actor=request.user, subject=scan, thread=scan.case.thread, frame=index)
        return _npy(images.npy(pixels), f"{_name(scan)}-frame-{index}")


@extend_schema(
    summary="Download the original file", tags=["scans"], responses={(200, "*/*"): OpenApiTypes.BINARY}
)
class Original(Bytes):
    """The file as it was submitted; of a scan made of several, a ZIP of them. DICOM may name the patient."""

    def get(self, request: Request, pk: uuid.UUID) -> FileResponse:
        """Its content type is what the file was found to be."""
        scan = get_object_or_404(visible.scans(request.user), pk=pk)
        record("scan.original_downloaded", actor=request.user, subject=scan, thread=scan.case.thread)
        content_type, suffix = ORIGINALS[scan.image.source_format]
        file = originals.as_zip(scan) if scan.files.exists() else store.open_unverified(scan.original_sha256)
        if scan.files.exists():
            content_type, suffix = "application/zip", "zip"
        name = f"{_name(scan)}.{suffix}"
        response = FileResponse(file, content_type=content_type, as_attachment=True, filename=name)
        response.headers["Content-Security-Policy"] = SANDBOX
        return response


@extend_schema(summary="Read a heatmap", tags=["answers"], responses={(200, NPY): OpenApiTypes.BINARY})
class Heatmap(Bytes):
    """An .npy file: float16, frames x rows x columns in scan coordinates."""

    def get(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """Checked against its hash before it is sent."""
        explanation = _seen(request, pk)
        return _npy(store.read(explanation.heatmap_id), f"{explanation.method}-{explanation.class_label}")


@extend_schema(
    summary="Read a heatmap's superpixels", tags=["answers"], responses={(200, NPY): OpenApiTypes.BINARY}
)
class Segments(Bytes):
    """An .npy file: int32 superpixel labels in the heatmap's shape."""

    def get(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """404 for a method without superpixels."""
        explanation = _seen(request, pk)
        if explanation.segments_id is None:
            raise Http404
        return _npy(store.read(explanation.segments_id), f"{explanation.method}-segments")


def _seen(request: Request, pk: uuid.UUID) -> Explanation:
    explanations: QuerySet[Explanation] = visible.explanations(request.user)
    explanation = get_object_or_404(explanations, pk=pk)
    visible.refuse_if_hidden(visible.user_of(request), explanation.prediction.image)
    record("explanation.viewed", actor=request.user, subject=explanation, thread=explanation.job.thread)
    return explanation


def _npy(content: bytes, name: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.npy")
    headers = {"Content-Disposition": disposition or "attachment", "Content-Security-Policy": SANDBOX}
    return HttpResponse(content, content_type=NPY, headers=headers)


def _name(scan: Scan) -> str:
    return f"case-{scan.case.number}-scan-{scan.number}"
