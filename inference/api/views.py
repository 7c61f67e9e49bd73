"""The models. Jobs, answers and explanations are reached through the scan they belong to: see cases.api."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated

from inference import registry
from inference.api.filters import ModelVersionFilter
from inference.api.permissions import MaySeeModels
from inference.api.serializers import ModelVersionSerializer, SeatSerializer
from inference.models import Activation, ModelVersion

VERSIONS = ModelVersion.objects.prefetch_related("activations")


@extend_schema(summary="List model versions", tags=["models"])
class Models(ListAPIView[ModelVersion]):
    """Every version there is or was, newest first."""

    permission_classes = (IsAuthenticated, MaySeeModels)
    serializer_class = ModelVersionSerializer
    filterset_class = ModelVersionFilter
    queryset = VERSIONS
    ordering = "-created_at"


class MomentSerializer(serializers.Serializer[Any]):
    """When; now if nothing is said."""

    at = serializers.DateTimeField(default=timezone.now)


@extend_schema(
    summary="Which versions answered at a moment",
    tags=["models"],
    parameters=[OpenApiParameter("at", OpenApiTypes.DATETIME, description="Now if left out.")],
)
class Seats(ListAPIView[Activation]):
    """One version for each modality and role; a role that nobody held then is not listed."""

    permission_classes = (IsAuthenticated, MaySeeModels)
    serializer_class = SeatSerializer
    queryset = Activation.objects.none()
    filter_backends = ()
    pagination_class = None

    def get_queryset(self) -> QuerySet[Activation]:
        """The intervals that contain the moment."""
        # As a plain dict: of a form, DRF would take "at=" for "not said".
        asked = MomentSerializer(data=self.request.query_params.dict())
        asked.is_valid(raise_exception=True)
        return registry.seats_at(asked.validated_data["at"])


@extend_schema(summary="Read one model version", tags=["models"])
class Model(RetrieveAPIView[ModelVersion]):
    """One version with its card and the intervals in which it answered."""

    permission_classes = (IsAuthenticated, MaySeeModels)
    serializer_class = ModelVersionSerializer
    queryset = VERSIONS
