"""Taking a scan out of its case."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from cases import withdrawal
from cases.api import visible
from cases.api.permissions import ReadersWrite
from cases.api.serializers import RequestSerializer, ScanSerializer, TextField
from cases.models import Scan, ScanWithdrawal


class WithdrawingSerializer(RequestSerializer):
    """Why the scan should not be in its case."""

    reason = serializers.ChoiceField(choices=ScanWithdrawal.Reason.choices)
    note = TextField(
        max_length=300,
        required=False,
        allow_blank=True,
        default="",
        help_text="Needed where reason is other.",
    )


class WithdrawScan(GenericAPIView[Scan]):
    """A scan that should not be in its case."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class = WithdrawingSerializer  # what is sent; what comes back is the scan
    pagination_class = None
    queryset = Scan.objects.none()

    def get_queryset(self) -> QuerySet[Scan]:
        """Those of visible cases."""
        return visible.scans(self.request.user)

    @extend_schema(
        summary="Withdraw a scan",
        tags=["scans"],
        responses={
            201: OpenApiResponse(ScanSerializer, "It stays on record, and counts for nothing."),
            422: OpenApiResponse(description="Withdrawn before, no reason, or the case is signed."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Before the case is signed. What was still to be done about the scan is cancelled."""
        scan = self.get_object()  # first: nothing is said of a request about what one may not see
        body = WithdrawingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        withdrawal.withdraw_scan(scan, by=visible.user_of(request), **body.validated_data)
        data = ScanSerializer(
            visible.scans(request.user).get(pk=pk), context=self.get_serializer_context()
        ).data
        return Response(data, status=status.HTTP_201_CREATED)
