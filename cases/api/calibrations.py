"""How large the pixels of a scan are whose file states no scale: who has said so, and saying it."""

import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from cases import calibrations
from cases.api import visible
from cases.api.permissions import ReadersWrite
from cases.api.serializers import NumberField, RequestSerializer, TextField
from cases.models import Calibration, Scan
from cases.review.measurements import Points


def _pair(**said: Any) -> serializers.ListField:
    """Two numbers: rows, then columns."""
    return serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2, **said)


class CalibrationSerializer(serializers.ModelSerializer[Calibration]):
    """The length of a line on one frame, and what follows for all frames of the scan."""

    scan = serializers.UUIDField(source="scan_id", read_only=True)
    start = _pair(read_only=True)
    end = _pair(read_only=True)
    pixel_spacing = _pair(
        source="spacing", read_only=True, help_text="mm between rows, then between columns."
    )
    made_by = serializers.CharField(source="made_by.username", read_only=True)
    withdrawn = serializers.SerializerMethodField(help_text="Why it no longer counts; null while it does.")
    from_marks = serializers.SerializerMethodField(
        help_text="The line is that which was proposed along the marks of a depth scale."
    )

    class Meta:
        model = Calibration
        fields: ClassVar = [
            "id", "scan", "frame", "start", "end", "length_mm", "pixel_spacing", "note", "from_marks",
            "made_by", "withdrawn", "created_at",
        ]  # fmt: skip

    def get_from_marks(self, one: Calibration) -> bool:
        """Whether nobody moved an end of it."""
        return one.marks is not None

    def get_withdrawn(self, one: Calibration) -> str | None:
        """The reason."""
        return str(one.withdrawal) if one.is_withdrawn else None


class CalibratingSerializer(RequestSerializer):
    """A line between two points of a frame, and its length; start and end are (row, column) in pixels."""

    frame = NumberField(min_value=0, max_value=2**31 - 1)
    start = _pair()
    end = _pair()
    length_mm = serializers.FloatField(min_value=0.1, max_value=1000)
    mark_mm = serializers.FloatField(
        min_value=0.1,
        max_value=1000,
        required=False,
        allow_null=True,
        default=None,
        help_text="What a mark stands for, where the line is that which depth-marks proposes.",
    )
    note = TextField(
        max_length=200, required=False, allow_blank=True, default="", help_text="What the line runs along."
    )


class Calibrations(GenericAPIView[Scan]):
    """What a scan is calibrated by, whose file states no scale."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class: Any = CalibrationSerializer
    pagination_class = None
    filter_backends = ()
    queryset = Scan.objects.none()

    def get_queryset(self) -> QuerySet[Scan]:
        """Those of visible cases."""
        return Scan.objects.visible_to(self.request.user).select_related("case", "image")

    @extend_schema(
        summary="List a scan's calibrations", tags=["scans"], responses=CalibrationSerializer(many=True)
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Oldest first; of those that nobody has withdrawn the last one counts."""
        rows = Calibration.objects.of_case(self.get_object().case).filter(scan=pk)
        return Response(CalibrationSerializer(rows, many=True).data)

    @extend_schema(
        summary="Calibrate a scan",
        tags=["scans"],
        request=CalibratingSerializer,
        responses={
            201: OpenApiResponse(CalibrationSerializer, "What is measured from now on rests on it."),
            422: OpenApiResponse(
                description="The file states its scale, the line is too short or beside the scan, no scanner "
                "has such pixels, or the case is signed."
            ),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Measurements made before stay as they are; versions that measure are asked again."""
        scan = self.get_object()  # first: nothing is said of a request about what one may not see
        body = CalibratingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        points = Points(said["frame"], tuple(said["start"]), tuple(said["end"]))
        row = calibrations.calibrate(
            scan,
            points,
            by=visible.user_of(request),
            length_mm=said["length_mm"],
            note=said["note"],
            mark_mm=said["mark_mm"],
        )
        found = Calibration.objects.of_case(scan.case).get(pk=row.pk)
        return Response(CalibrationSerializer(found).data, status=status.HTTP_201_CREATED)


class ProposedLineSerializer(serializers.Serializer[Any]):
    """A line along the marks of a depth scale; nothing is measured by it until somebody calibrates."""

    frame = serializers.IntegerField()
    start = _pair(help_text="(row, column) of the first mark.")
    end = _pair(help_text="(row, column) of the last mark.")
    steps = serializers.IntegerField(help_text="Spacings from the first mark to the last.")
    marks = serializers.ListField(child=_pair(), help_text="(row, column) of each mark that was found.")
    depth = serializers.FloatField(help_text="The picture's height in spacings.")
    spacing_px = serializers.FloatField(help_text="Pixels between neighbouring marks.")
    error = serializers.FloatField(help_text="Relative standard deviation of the spacing.")
    choices_mm = serializers.ListField(
        child=serializers.FloatField(), help_text="What a mark may stand for, by the depth that follows."
    )


class FoundMarksSerializer(serializers.Serializer[Any]):
    """found: null where no marks are seen beyond doubt, or the file states its scale."""

    found = ProposedLineSerializer(allow_null=True)


class DepthMarks(GenericAPIView[Scan]):
    """What is proposed from a frame's own depth scale."""

    serializer_class: Any = FoundMarksSerializer
    pagination_class = None
    filter_backends = ()
    queryset = Scan.objects.none()

    def get_queryset(self) -> QuerySet[Scan]:
        """Those of visible cases."""
        return Scan.objects.visible_to(self.request.user).select_related("case", "image")

    @extend_schema(
        summary="Look for the marks of a depth scale", tags=["scans"], responses=FoundMarksSerializer
    )
    def get(self, request: Request, pk: uuid.UUID, index: int) -> Response:  # noqa: ARG002
        """Stores nothing: whoever agrees sends the line, with its length, to the scan's calibrations."""
        try:
            found = calibrations.proposed_line(self.get_object(), index)
        except IndexError:
            raise Http404("The scan has no such frame.") from None
        return Response({"found": found.as_json() if found else None})


class WithdrawingCalibrationSerializer(RequestSerializer):
    """Why nothing is to be measured by it any more."""

    reason = TextField(max_length=200)


class WithdrawCalibration(GenericAPIView[Calibration]):
    """A calibration that was wrong."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class = WithdrawingCalibrationSerializer
    pagination_class = None
    filter_backends = ()
    queryset = Calibration.objects.none()

    def get_queryset(self) -> QuerySet[Calibration]:
        """Those of visible cases."""
        scans = Scan.objects.visible_to(self.request.user)
        rows = Calibration.objects.filter(scan__in=scans)
        return rows.select_related("scan__case", "scan__image", "made_by", "withdrawal")

    @extend_schema(
        summary="Withdraw a calibration",
        tags=["scans"],
        responses={
            201: OpenApiResponse(
                CalibrationSerializer, "It stays on record; what rests on it counts no more."
            ),
            422: OpenApiResponse(description="Withdrawn before, no reason, or the case is signed."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """An earlier one that stands counts again; versions that measure are asked again."""
        one = self.get_object()  # first: nothing is said of a request about what one may not see
        body = WithdrawingCalibrationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        calibrations.withdraw(one, by=visible.user_of(request), **body.validated_data)
        found = self.get_queryset().get(pk=pk)
        return Response(CalibrationSerializer(found).data, status=status.HTTP_201_CREATED)
