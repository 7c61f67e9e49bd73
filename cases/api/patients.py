"""What a department knows of a patient, mended."""

import uuid
from datetime import date

from django.core.validators import MinValueValidator
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from cases import patients
from cases.api import visible
from cases.api.permissions import ReadersWrite
from cases.api.serializers import CaseSerializer, RequestSerializer, TextField
from cases.models import Case


class BirthDateSerializer(RequestSerializer):
    """The right birth date, and why it was another."""

    birth_date = serializers.DateField(validators=[MinValueValidator(date(1900, 1, 1))])
    reason = TextField(max_length=300)

    def validate_birth_date(self, born: date) -> date:
        """Nobody is born tomorrow."""
        if born > timezone.localdate():
            raise serializers.ValidationError(gettext("This date lies in the future."))
        return born


class CorrectBirthDate(GenericAPIView[Case]):
    """A mistyped birth date of a case's patient."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class = BirthDateSerializer  # what is sent; what comes back is the case
    pagination_class = None
    filter_backends = ()
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        """Those one may see."""
        return visible.cases(visible.user_of(self.request))

    @extend_schema(
        summary="Correct the patient's birth date",
        tags=["cases"],
        responses={
            201: OpenApiResponse(CaseSerializer, "It changes in every case of the patient."),
            422: OpenApiResponse(description="The same date, no reason, or a case of the patient is signed."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Before any case of the patient is signed. Both dates stay on record."""
        case = self.get_object()  # first: nothing is said of a request about what one may not see
        body = BirthDateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        patients.correct_birth_date(case, by=visible.user_of(request), **body.validated_data)
        found = self.get_queryset().get(pk=pk)
        data = CaseSerializer(found, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED)
