"""The scans of a case, and the way to submit them."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from audit.trail import record
from blobs.store import BlobUnavailable
from cases import intake
from cases.api import visible
from cases.api.parsers import UploadParser
from cases.api.permissions import ReadersWrite
from cases.api.serializers import RequestSerializer, ScanSerializer, TextField
from cases.models import Case, Scan
from inference.models import Image
from language.stored import said
from refusals import Refusal

LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[201, 202], description="Where it is."
)


class ScanSubmissionSerializer(RequestSerializer):
    """A file, or several, and what they were acquired with; everything else is read from the file."""

    file = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=None),
        allow_empty=False,
        help_text="DICOM, NIfTI, a picture (PNG, JPEG, TIFF, BMP) or a clip (MP4, AVI, MPEG, GIF); "
        "the part may be repeated, and each file becomes a scan",
    )
    modality = serializers.ChoiceField(choices=Image.Modality.choices)
    mismatch_reason = TextField(
        max_length=300,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why a DICOM file that names another patient belongs to this case all the same.",
    )


class SubmissionOutcomeSerializer(serializers.Serializer[Any]):
    """What became of one of several files."""

    file = serializers.CharField(help_text="As it was called.")
    status = serializers.IntegerField(
        help_text="What a request with this file alone would have been answered."
    )
    code = serializers.CharField(allow_blank=True, help_text="Why it was refused; empty where it was not.")
    detail = serializers.CharField(allow_blank=True)
    scan = ScanSerializer(allow_null=True)


class SubmissionOutcomesSerializer(serializers.Serializer[Any]):
    """One outcome for each file, in the order they were sent."""

    outcomes = SubmissionOutcomeSerializer(many=True)


class Scans(ListAPIView[Scan]):
    """The scans of a case, and the way to submit one."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    parser_classes = (UploadParser,)
    serializer_class = ScanSerializer
    queryset = Scan.objects.none()
    filter_backends = ()
    ordering = "number"

    def get_queryset(self) -> QuerySet[Scan]:
        """Those of a visible case; Http404 for any other case."""
        case = get_object_or_404(visible.cases(self.request.user), pk=self.kwargs["pk"])
        return visible.scans(self.request.user).filter(case=case)

    @extend_schema(summary="List the scans of a case", tags=["scans"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In the order they were added."""
        response = super().get(request, *args, **kwargs)
        case = Case.objects.get(pk=kwargs["pk"])
        record("case.viewed", actor=request.user, subject=case, thread=case.thread)
        return response

    @extend_schema(
        summary="Submit a scan",
        tags=["scans"],
        parameters=[LOCATION],
        request={"multipart/form-data": ScanSubmissionSerializer},
        responses={
            200: OpenApiResponse(ScanSerializer, "This file is already a scan of this case."),
            202: OpenApiResponse(ScanSerializer, "Stored; will_be_answered says whether jobs wait."),
            207: OpenApiResponse(SubmissionOutcomesSerializer, "Several files: what became of each."),
            409: OpenApiResponse(description="This file is a scan of the case already, of another modality."),
            422: OpenApiResponse(
                description="The file cannot be read, or names another patient; the code says why."
            ),
            429: OpenApiResponse(description="Too many jobs of this service account wait; see Retry-After."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Stores each file and queues a job for every active model version of its modality."""
        case = visible.case_to_write(visible.user_of(request), pk)
        body = ScanSubmissionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        if len(sent["file"]) > 1:
            outcomes = [self._outcome(case, file, sent) for file in sent["file"]]
            return Response({"outcomes": outcomes}, status=status.HTTP_207_MULTI_STATUS)
        data, added = self._received(case, sent["file"][0], sent)
        if not added:
            return Response(data)
        return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": str(data["url"])})

    def _received(self, case: Case, file: Any, sent: dict[str, Any]) -> tuple[Any, bool]:
        """The scan as it is shown, and whether it is new."""
        scan, added = intake.receive(
            case,
            file,
            modality=sent["modality"],
            by=visible.user_of(self.request),
            file_name=file.name,
            mismatch_reason=sent["mismatch_reason"],
        )
        return self.get_serializer(visible.scans(self.request.user).get(pk=scan.pk)).data, added

    def _outcome(self, case: Case, file: Any, sent: dict[str, Any]) -> dict[str, Any]:
        """What became of one of several files; a refused one leaves the others alone."""
        try:
            data, added = self._received(case, file, sent)
        except Refusal as refusal:
            code, words, number = refusal.code, said(str(refusal)), refusal.status
        except BlobUnavailable:
            code, words, number = "storage_unavailable", gettext(intake.NO_STORAGE), 503
        else:
            return {
                "file": file.name,
                "status": 202 if added else 200,
                "code": "",
                "detail": "",
                "scan": data,
            }
        return {"file": file.name, "status": number, "code": code, "detail": words, "scan": None}
