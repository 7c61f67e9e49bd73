"""The models. Jobs, answers and explanations are reached through the scan they belong to: see cases.api."""

from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated

from inference.api.filters import ModelVersionFilter, SeatFilter
from inference.api.permissions import MaySeeModels
from inference.api.serializers import ModelVersionSerializer, SeatSerializer
from inference.models import Activation, ModelVersion

VERSIONS = ModelVersion.objects.prefetch_related("activations", "evaluations")


@extend_schema(summary="List model versions", tags=["models"])
class Models(ListAPIView[ModelVersion]):
    """Every version there is or was, newest first."""

    permission_classes = (IsAuthenticated, MaySeeModels)
    serializer_class = ModelVersionSerializer
    filterset_class = ModelVersionFilter
    queryset = VERSIONS
    ordering = "-created_at"


@extend_schema(summary="Which versions answered at a moment", tags=["models"])
class Seats(ListAPIView[Activation]):
    """One version for each modality and role; a role that nobody held then is not listed."""

    permission_classes = (IsAuthenticated, MaySeeModels)
    serializer_class = SeatSerializer
    filterset_class = SeatFilter
    queryset = Activation.objects.all()
    ordering = "-started_at"


@extend_schema(summary="Read one model version", tags=["models"])
class Model(RetrieveAPIView[ModelVersion]):
    """One version with its card and the intervals in which it answered."""

    permission_classes = (IsAuthenticated, MaySeeModels)
    serializer_class = ModelVersionSerializer
    queryset = VERSIONS
