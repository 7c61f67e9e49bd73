"""Advice on the next acquisition, for programs at the scanner: read it, and say what became of it."""

import uuid
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.trail import record
from cases.advice.rank import STOPS
from cases.advice.service import answer, current_advice, scan_of_case, stop_of, visible_advice
from cases.api import visible
from cases.api.serializers import NumberField, RequestSerializer, TextField
from cases.case_page.summary import summarise
from cases.models import Advice, AdviceAnswer, Case
from cases.review.panel import review_panel
from inference.api.serializers import NOTICE


class ReasonSerializer(serializers.Serializer[Any]):
    """One measured value beyond its limit. where: two opposite corners (row, column) in the frame."""

    name = serializers.CharField()
    words = serializers.CharField()
    value = serializers.FloatField()
    threshold = serializers.FloatField()
    scan = serializers.IntegerField(allow_null=True)
    frame = serializers.IntegerField(allow_null=True)
    where = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    detail = serializers.CharField(allow_blank=True)
    checker = serializers.CharField(help_text="Name and version of what measured it.")
    rule = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # the metaclass takes it for a field
        help_text='Where the limit comes from; "local setting" for one of our own.'
    )


class SuggestionSerializer(serializers.Serializer[Any]):
    """One action. scan: its number, null for the whole case."""

    action = serializers.CharField()
    says = serializers.CharField()
    seconds = serializers.FloatField()
    scan = serializers.IntegerField(allow_null=True)
    expected_bits = serializers.FloatField(allow_null=True, help_text="null: never simulated")
    must = serializers.BooleanField(help_text="Asked for whatever the models say.")
    why = ReasonSerializer(many=True)


class UnknownSerializer(serializers.Serializer[Any]):
    """What could not be assessed, and why."""

    name = serializers.CharField()
    why = serializers.CharField()
    scan = serializers.IntegerField(allow_null=True)


class AdviceAnswerSerializer(serializers.ModelSerializer[AdviceAnswer]):
    """What became of one suggestion; it never changes."""

    answered_by = serializers.CharField(source="answered_by.username", read_only=True)
    follow_up = serializers.IntegerField(source="follow_up.number", allow_null=True, read_only=True)

    class Meta:
        model = AdviceAnswer
        fields: ClassVar = ["id", "place", "outcome", "reason", "follow_up", "answered_by", "created_at"]


class AdviceSerializer(serializers.ModelSerializer[Advice]):
    """At most three suggestions, best first, or why there are none. It never changes a prediction."""

    suggestions = SuggestionSerializer(many=True)
    stop = serializers.SerializerMethodField(help_text="Why nothing is advised; empty while something is.")
    not_assessable = UnknownSerializer(many=True)
    answers = AdviceAnswerSerializer(many=True)
    notice = serializers.SerializerMethodField()

    class Meta:
        model = Advice
        fields: ClassVar = [
            "id", "is_informed", "suggestions", "stop", "not_assessable", "answers", "rules_version",
            "rules_sha256", "values_sha256", "created_at", "notice",
        ]  # fmt: skip

    def get_stop(self, advice: Advice) -> str:
        """In words."""
        return STOPS.get(stop_of(advice, self.context["panel"]), "")

    def get_notice(self, _advice: Advice) -> str:
        """Said wherever an advice is shown."""
        return NOTICE


class CurrentAdviceSerializer(serializers.Serializer[Any]):
    """advice is null while a scan is being read, before there is one, and once the case is signed."""

    advice = serializers.SerializerMethodField()

    @extend_schema_field(AdviceSerializer(allow_null=True))
    def get_advice(self, found: Advice | None) -> Any:
        """As the case stands now."""
        return None if found is None else AdviceSerializer(found).data


class GivenAnswerSerializer(RequestSerializer):
    """What the technologist says. follow_up: the number of the scan that came of it."""

    place = NumberField(min_value=0, help_text="Index of the suggestion, from 0.")
    outcome = serializers.ChoiceField(choices=AdviceAnswer.Outcome.choices)
    reason = TextField(max_length=300, required=False, allow_blank=True, default="")
    follow_up = NumberField(min_value=1, required=False, allow_null=True, default=None)


class CurrentAdvice(GenericAPIView[Case]):
    """What could be acquired next."""

    serializer_class: Any = CurrentAdviceSerializer
    queryset = Case.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        summary="Read the advice on the next acquisition", tags=["cases"], responses=CurrentAdviceSerializer
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """As far as this reader may know: without the models' answers while these are hidden."""
        user = visible.user_of(request)
        case = get_object_or_404(visible.cases(user), pk=pk)
        panel = review_panel(case, user)
        record("case.viewed", actor=user, subject=case, thread=case.thread, unblinded=panel.unblinds)
        found = current_advice(panel, summarise(case))
        return Response({"advice": found and AdviceSerializer(found, context={"panel": panel}).data})


class AnswerAdvice(GenericAPIView[Advice]):
    """What became of an advice."""

    serializer_class: Any = GivenAnswerSerializer
    queryset = Advice.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        summary="Answer an advice",
        tags=["cases"],
        request=GivenAnswerSerializer,
        responses={
            201: AdviceAnswerSerializer,
            422: OpenApiResponse(description="Answered before, no such suggestion or scan, or no reason."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Done with its follow-up scan, not possible, or declined with a reason. Once for each suggestion."""
        user = visible.user_of(request)
        advice = visible_advice(user, pk)
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        follow_up = scan_of_case(advice.case, said["follow_up"])
        row = answer(
            advice,
            said["place"],
            by=user,
            outcome=said["outcome"],
            reason=said["reason"],
            follow_up=follow_up,
        )
        return Response(AdviceAnswerSerializer(row).data, status=status.HTTP_201_CREATED)
