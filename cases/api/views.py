"""Cases and scans."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from audit.trail import record
from cases import services
from cases.api import visible
from cases.api.filters import CaseFilter
from cases.api.permissions import ReadersWrite
from cases.api.serializers import (
    CaseOpeningSerializer,
    CaseSerializer,
    FramesToReadSerializer,
    ScanSerializer,
)
from cases.models import Case, Scan
from cases.worklist.listing import note_listing
from inference.api.serializers import JobSerializer
from inference.models import Job

READ_AND_WRITE = (IsAuthenticated, ReadersWrite)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Your own. The same key with the same body opens one case, however often it is sent.",
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[201, 202], description="Where it is."
)


class Cases(ListAPIView[Case]):
    """The list of cases, and the way to open one."""

    permission_classes = READ_AND_WRITE
    serializer_class = CaseSerializer
    filterset_class = CaseFilter
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        """Those the user may see."""
        return visible.cases(self.request.user)

    @extend_schema(summary="List cases", tags=["cases"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Newest first. The trail keeps which cases were listed and by which filters."""
        response = super().get(request, *args, **kwargs)
        shown = visible.cases(request.user).filter(pk__in=[case["id"] for case in response.data["results"]])
        note_listing(visible.user_of(request), shown, numbered=True, filters=sorted(request.query_params))
        return response

    @extend_schema(
        summary="Open a case",
        tags=["cases"],
        parameters=[IDEMPOTENCY_KEY, LOCATION],
        request=CaseOpeningSerializer,
        responses={
            200: OpenApiResponse(CaseSerializer, "This key has opened this case before."),
            201: OpenApiResponse(CaseSerializer, "The case is open."),
            422: OpenApiResponse(description="This key has opened another case."),
        },
    )
    def post(self, request: Request) -> Response:
        """A patient the department does not know yet is made known by her identifier."""
        body = CaseOpeningSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        case, opened = _open(request, body.validated_data)
        data = self.get_serializer(visible.cases(request.user).get(pk=case.pk)).data
        if not opened:
            return Response(data)
        return Response(data, status=status.HTTP_201_CREATED, headers={"Location": str(data["url"])})


@extend_schema(summary="Read a case", tags=["cases"])
class OneCase(RetrieveAPIView[Case]):
    """One case."""

    serializer_class = CaseSerializer
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        """Those the user may see."""
        return visible.cases(self.request.user)

    def get_object(self) -> Case:
        """The case; seeing it is recorded."""
        case = super().get_object()
        record("case.viewed", actor=self.request.user, subject=case, thread=case.thread)
        return case


@extend_schema(summary="Read a scan", tags=["scans"])
class OneScan(RetrieveAPIView[Scan]):
    """One scan with its jobs; each finished job leads to its answer."""

    serializer_class = ScanSerializer
    queryset = Scan.objects.none()

    def get_queryset(self) -> QuerySet[Scan]:
        """Those of visible cases."""
        return visible.scans(self.request.user)

    def get_object(self) -> Scan:
        """The scan; seeing it is recorded in its case's thread."""
        scan = super().get_object()
        record("case.viewed", actor=self.request.user, subject=scan, thread=scan.case.thread)
        return scan


class ScanAsked(GenericAPIView[Scan]):
    """Asks the models about a scan once more: what the two addresses below share."""

    permission_classes = READ_AND_WRITE
    pagination_class = None
    queryset = Scan.objects.none()

    def get_queryset(self) -> QuerySet[Scan]:
        """Those of visible cases."""
        return visible.scans(self.request.user)

    def accepted(self, jobs: list[Job]) -> Response:
        """202 with the new jobs."""
        waiting = visible.jobs(self.request.user).filter(pk__in=[job.pk for job in jobs])
        data = JobSerializer(waiting, many=True, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_202_ACCEPTED)


class FramesToRead(ScanAsked):
    """A person's own choice of frames."""

    serializer_class = FramesToReadSerializer

    @extend_schema(
        summary="Choose the frames to read",
        tags=["scans"],
        responses={202: OpenApiResponse(JobSerializer(many=True), "The new jobs; earlier answers stay.")},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Queues the scan again for every active version, on these frames."""
        scan = self.get_object()
        body = FramesToReadSerializer(data=request.data, context={"scan": scan})
        body.is_valid(raise_exception=True)
        frames = body.validated_data["frames"]
        return self.accepted(services.choose_frames(scan, frames, by=visible.user_of(request)))


class TryAgain(ScanAsked):
    """A second chance for answers that are missing."""

    @extend_schema(
        summary="Try again",
        tags=["scans"],
        request=None,
        responses={
            202: OpenApiResponse(JobSerializer(many=True), "The new jobs; none when none is missing.")
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Queues anew what failed or was cancelled, and active versions that were never asked."""
        return self.accepted(services.try_again(self.get_object(), by=visible.user_of(request)))


def _open(request: Request, wanted: dict[str, Any]) -> tuple[Case, bool]:
    key = _idempotency_key(request)
    return services.open_case(by=visible.user_of(request), idempotency_key=key, **wanted)


def _idempotency_key(request: Request) -> str | None:
    key: str | None = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 64 or not all("!" <= character <= "~" for character in key):
        sentence = gettext("1 to 64 printable ASCII characters without spaces.")
        raise ValidationError({"Idempotency-Key": sentence})
    return key
