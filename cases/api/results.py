"""Jobs, answers and explanations: seen by whoever may see the case of their scan."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from audit.trail import record
from cases import services
from cases.api import visible
from cases.api.permissions import ReadersWrite
from cases.api.serializers import ExplainSerializer
from inference.api.serializers import (
    ExplanationSerializer,
    PredictionSerializer,
    WaitingJobSerializer,
)
from inference.models import Explanation, Job, Prediction


@extend_schema(summary="Watch a job", tags=["jobs"])
class OneJob(RetrieveAPIView[Job]):
    """Its state, its stage, its place in the queue, and the way to what it published.

    Watching leaves no audit line: a job says nothing about the patient.
    """

    serializer_class = WaitingJobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        """Those of visible scans."""
        return visible.jobs(self.request.user)


class CancelJob(GenericAPIView[Job]):
    """Stop a job that is not over."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class = WaitingJobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        """Those of visible scans."""
        return visible.jobs(self.request.user)

    @extend_schema(
        summary="Cancel a job",
        tags=["jobs"],
        request=None,
        responses={
            200: WaitingJobSerializer,
            409: OpenApiResponse(description="The job is already over."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """A worker that is already at it publishes nothing."""
        job = self.get_object()
        services.cancel_job(job, by=visible.user_of(request))
        return Response(self.get_serializer(self.get_object()).data)


@extend_schema(summary="Read an answer", tags=["answers"])
class OnePrediction(RetrieveAPIView[Prediction]):
    """Everything that was stored about one answer; it never changes."""

    serializer_class = PredictionSerializer
    queryset = Prediction.objects.none()

    def get_queryset(self) -> QuerySet[Prediction]:
        """Those about visible scans."""
        return visible.predictions(self.request.user)

    def get_object(self) -> Prediction:
        """The answer; seeing it is recorded in its case's thread."""
        prediction = super().get_object()
        user = visible.user_of(self.request)
        visible.refuse_if_hidden(user, prediction.image)
        record("prediction.viewed", actor=user, subject=prediction, thread=prediction.job.thread)
        return prediction


class PredictionAsked(GenericAPIView[Prediction]):
    """Asks for more about an answer: what the two addresses below share."""

    pagination_class = None
    queryset = Prediction.objects.none()

    def get_queryset(self) -> QuerySet[Prediction]:
        """Those about visible scans."""
        return visible.predictions(self.request.user)

    def job(self, job: Job, code: int) -> Response:
        """The job as its own address shows it."""
        found = visible.jobs(self.request.user).get(pk=job.pk)
        data = WaitingJobSerializer(found, context=self.get_serializer_context()).data
        return Response(data, status=code, headers={"Location": str(data["url"])})


class Explain(PredictionAsked):
    """Another explanation of an answer."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class: Any = ExplainSerializer  # what is sent; what comes back is the job

    @extend_schema(
        summary="Explain an answer",
        tags=["answers"],
        responses={
            200: OpenApiResponse(WaitingJobSerializer, "This job has made it, or is about to."),
            202: OpenApiResponse(WaitingJobSerializer, "The new job."),
            422: OpenApiResponse(description="The scan is not analysable: there is nothing to explain."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """By any method, for either class; an explanation of the class that was not called says so."""
        prediction = self.get_object()
        body = ExplainSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = {"class_label": prediction.label, **body.validated_data}
        job, asked = services.explain(prediction, by=visible.user_of(request), **wanted)
        return self.job(job, status.HTTP_202_ACCEPTED if asked else status.HTTP_200_OK)


class RunAgain(PredictionAsked):
    """A stored answer, checked."""

    permission_classes = (IsAuthenticated,)
    serializer_class: Any = WaitingJobSerializer

    @extend_schema(
        summary="Run an answer again",
        tags=["answers"],
        request=None,
        responses={202: OpenApiResponse(WaitingJobSerializer, "The new job.")},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """With its explanations, and compares; the answer then lists the verdict among its repetitions."""
        job = services.run_again(self.get_object(), by=visible.user_of(request))
        return self.job(job, status.HTTP_202_ACCEPTED)


@extend_schema(summary="Read an explanation", tags=["answers"])
class OneExplanation(RetrieveAPIView[Explanation]):
    """How an explanation was made and how far to trust it; the heat itself is a file of its own."""

    serializer_class = ExplanationSerializer
    queryset = Explanation.objects.none()

    def get_queryset(self) -> QuerySet[Explanation]:
        """Those of answers about visible scans."""
        return visible.explanations(self.request.user)

    def get_object(self) -> Explanation:
        """The explanation; seeing it is recorded in its case's thread."""
        explanation = super().get_object()
        user = visible.user_of(self.request)
        visible.refuse_if_hidden(user, explanation.prediction.image)
        record("explanation.viewed", actor=user, subject=explanation, thread=explanation.job.thread)
        return explanation
