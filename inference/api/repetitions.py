"""What the API says about answers that were run again."""

from typing import Any, ClassVar

from rest_framework import serializers

from inference.models import Repetition


class VerdictSerializer(serializers.Serializer[Any]):
    """One stored row beside its repetition."""

    subject = serializers.CharField(help_text="answer, or method and class of an explanation")
    verdict = serializers.ChoiceField(choices=["identical", "within tolerance", "different"])
    first = serializers.CharField(help_text="The first thing that differs; empty when nothing does.")


class RepetitionSerializer(serializers.ModelSerializer[Repetition]):
    """An answer and its explanations, run again and compared."""

    verdict = serializers.CharField(read_only=True)
    verdicts = VerdictSerializer(many=True, read_only=True)

    class Meta:
        model = Repetition
        fields: ClassVar = ["id", "verdict", "verdicts", "machine", "created_at"]
