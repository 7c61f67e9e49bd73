"""What the API says about jobs, answers, explanations and models. Every field is listed."""

from typing import Any, ClassVar, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from inference.api.measured import MeasuredSerializer
from inference.api.repetitions import RepetitionSerializer
from inference.engine.fitness.rule import Code, State
from inference.jobs import queue
from inference.models import Activation, Explanation, Job, ModelVersion, Prediction
from inference.registry.fitness import fitness_of
from inference.results.proposals import proposals_of

NOTICE = "Research and decision support, not a cleared device."


class ConditionSerializer(serializers.Serializer[Any]):
    """One condition of the rule for use, and what is known of it."""

    code = serializers.ChoiceField(choices=get_args(Code))
    state = serializers.ChoiceField(choices=get_args(State))
    parameters = serializers.DictField(help_text="limit; value, low, high, count, source where known")
    detail = serializers.CharField()


class FitnessSerializer(serializers.Serializer[Any]):
    """Whether a version may be relied on: it meets every condition of the rule for use."""

    holds = serializers.BooleanField()
    conditions = ConditionSerializer(many=True)


class ModelReferenceSerializer(serializers.ModelSerializer[ModelVersion]):
    """Which model version, in short."""

    url = serializers.HyperlinkedIdentityField(view_name="api:model")

    class Meta:
        model = ModelVersion
        fields: ClassVar = ["id", "url", "network", "version", "modality"]


class ActivationSerializer(serializers.ModelSerializer[Activation]):
    """An interval in which the version answered; an open end means now."""

    class Meta:
        model = Activation
        fields: ClassVar = ["role", "started_at", "ended_at", "reason"]


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A network with its weights, preprocessing, threshold, card and history."""

    url = serializers.HyperlinkedIdentityField(view_name="api:model")
    weights_sha256 = serializers.CharField(read_only=True)
    labels = serializers.ListField(child=serializers.CharField(), read_only=True)
    card = serializers.DictField(read_only=True)
    activations = ActivationSerializer(many=True, read_only=True)
    fitness = serializers.SerializerMethodField(
        help_text="What does not meet the rule for use answers where nothing better does, as experimental."
    )

    class Meta:
        model = ModelVersion
        fields: ClassVar = [
            "id",
            "url",
            "network",
            "version",
            "modality",
            "state",
            "weights_sha256",
            "preprocessing",
            "preprocessing_sha256",
            "labels",
            "threshold",
            "threshold_target",
            "temperature",
            "card",
            "fitness",
            "activations",
            "created_at",
        ]

    @extend_schema_field(FitnessSerializer)
    def get_fitness(self, version: ModelVersion) -> Any:
        """By the rule of this release."""
        return FitnessSerializer(fitness_of(version)).data


class SeatSerializer(ActivationSerializer):
    """An interval with the version that held the seat."""

    model_version = ModelReferenceSerializer(read_only=True)

    class Meta(ActivationSerializer.Meta):
        fields: ClassVar = ["modality", "model_version", *ActivationSerializer.Meta.fields]


class FailureSerializer(serializers.Serializer[Any]):
    """Why a job failed, or why its last attempt did."""

    code = serializers.CharField()
    detail = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """A unit of work. `prediction` is what it published or, for an explain job, what it explains."""

    url = serializers.HyperlinkedIdentityField(view_name="api:job")
    model_version = ModelReferenceSerializer(read_only=True)
    parameters = serializers.DictField(read_only=True)
    failure = serializers.SerializerMethodField()
    prediction = serializers.SerializerMethodField()
    explanations = serializers.HyperlinkedRelatedField[Explanation](
        view_name="api:explanation", many=True, read_only=True
    )

    class Meta:
        model = Job
        fields: ClassVar = [
            "id",
            "url",
            "kind",
            "state",
            "stage",
            "model_version",
            "parameters",
            "attempts",
            "failure",
            "prediction",
            "explanations",
            "created_at",
            "started_at",
            "finished_at",
        ]

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, job: Job) -> dict[str, str] | None:
        """None while nothing has gone wrong."""
        return {"code": job.failure_code, "detail": job.failure_detail} if job.failure_code else None

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_prediction(self, job: Job) -> str | None:
        """The address of the answer, once there is one."""
        prediction = job.prediction or getattr(job, "answer", None)
        if prediction is None:
            return None
        return reverse("api:prediction", args=[prediction.pk], request=self.context["request"])


class WaitingJobSerializer(JobSerializer):
    """A job with its place in the queue."""

    position = serializers.SerializerMethodField(
        help_text="1 is next; null when the job is not waiting. More urgent jobs may still overtake."
    )

    class Meta(JobSerializer.Meta):
        fields: ClassVar = [*JobSerializer.Meta.fields, "position"]

    @extend_schema_field(serializers.IntegerField(min_value=1, allow_null=True))
    def get_position(self, job: Job) -> int | None:
        """Counted among the waiting jobs of the same queue."""
        return queue.positions([job.pk]).get(job.pk)


class RefusalSerializer(serializers.Serializer[Any]):
    """Why the scan could not be analysed: an answer, not a fault."""

    code = serializers.CharField()
    reason = serializers.CharField()


class ArraySerializer(serializers.Serializer[Any]):
    """Where an .npy file is, and what it hashes to."""

    url = serializers.URLField()
    sha256 = serializers.CharField()


class ExplanationSerializer(serializers.ModelSerializer[Explanation]):
    """Where a model looked: float16 heat in scan coordinates, and how far to trust it."""

    url = serializers.HyperlinkedIdentityField(view_name="api:explanation")
    prediction = serializers.HyperlinkedRelatedField[Prediction](view_name="api:prediction", read_only=True)
    frames = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    parameters = serializers.DictField(read_only=True)
    metrics = serializers.DictField(read_only=True)
    heatmap = serializers.SerializerMethodField()
    segments = serializers.SerializerMethodField()

    class Meta:
        model = Explanation
        fields: ClassVar = [
            "id",
            "url",
            "prediction",
            "method",
            "class_label",
            "explains_prediction",
            "signed",
            "unit",
            "frames",
            "parameters",
            "seed",
            "metrics",
            "heatmap",
            "segments",
            "input_sha256",
            "weights_sha256",
            "preprocessing",
            "preprocessing_sha256",
            "seconds",
            "created_at",
        ]

    @extend_schema_field(ArraySerializer)
    def get_heatmap(self, explanation: Explanation) -> dict[str, str]:
        """float16, frames x rows x columns."""
        return self._array("api:heatmap", explanation, explanation.heatmap_id)

    @extend_schema_field(ArraySerializer(allow_null=True))
    def get_segments(self, explanation: Explanation) -> dict[str, str] | None:
        """int32 superpixel labels in the heatmap's shape; null for a method without superpixels."""
        sha256 = explanation.segments_id
        return None if sha256 is None else self._array("api:segments", explanation, sha256)

    def _array(self, view: str, explanation: Explanation, sha256: str) -> dict[str, str]:
        url = reverse(view, args=[explanation.pk], request=self.context["request"])
        return {"url": url, "sha256": sha256}


class PredictionSerializer(serializers.ModelSerializer[Prediction]):
    """What one model version said about one scan, with everything needed to check it."""

    url = serializers.HyperlinkedIdentityField(view_name="api:prediction")
    job = serializers.HyperlinkedRelatedField[Job](view_name="api:job", read_only=True)
    model_version = ModelReferenceSerializer(read_only=True)
    refusal = serializers.SerializerMethodField()
    label = serializers.SerializerMethodField(  # type: ignore[assignment]  # a field, not the form label
        help_text="normal or ventriculomegaly; null when refused"
    )
    logits = serializers.ListField(child=serializers.FloatField(), read_only=True, allow_null=True)
    frame_logits = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), read_only=True
    )
    frames = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    quality = serializers.DictField(read_only=True)
    versions = serializers.DictField(child=serializers.CharField(), read_only=True)
    explanations = serializers.HyperlinkedRelatedField[Explanation](
        view_name="api:explanation", many=True, read_only=True
    )
    repetitions = RepetitionSerializer(many=True, read_only=True)
    measurement = serializers.SerializerMethodField()
    experimental = serializers.SerializerMethodField(
        help_text="Do not rely on it: the version does not meet the rule for use now."
    )
    experimental_because = serializers.SerializerMethodField(
        help_text="The conditions that it does not meet."
    )
    notice = serializers.SerializerMethodField()

    class Meta:
        model = Prediction
        fields: ClassVar = [
            "id",
            "url",
            "job",
            "model_version",
            "analysable",
            "refusal",
            "label",
            "probability",
            "probability_low",
            "probability_high",
            "doubt",
            "threshold",
            "threshold_target",
            "temperature",
            "logits",
            "frame_logits",
            "frames",
            "frame_rule",
            "quality",
            "input_sha256",
            "weights_sha256",
            "preprocessing",
            "preprocessing_sha256",
            "backend",
            "device",
            "versions",
            "measurement",
            "seconds",
            "created_at",
            "explanations",
            "repetitions",
            "experimental",
            "experimental_because",
            "notice",
        ]

    @extend_schema_field(RefusalSerializer(allow_null=True))
    def get_refusal(self, prediction: Prediction) -> dict[str, str] | None:
        """None for a scan that was analysed."""
        if prediction.analysable:
            return None
        return {"code": prediction.refusal_code, "reason": prediction.refusal_reason}

    def get_label(self, prediction: Prediction) -> str | None:
        """None rather than an empty word."""
        return prediction.label or None

    @extend_schema_field(MeasuredSerializer(allow_null=True))
    def get_measurement(self, prediction: Prediction) -> dict[str, Any] | None:
        """The calipers that it proposes."""
        said = prediction.measurement
        if said is None:
            return None
        return {
            **{name: said[name] for name in ("frame", "measurable", "scale")},
            "atria": [one.as_json() for one in proposals_of(prediction)],
        }

    def get_experimental(self, prediction: Prediction) -> bool:
        """Whether the answer may not be relied on."""
        return not fitness_of(prediction.model_version).holds

    @extend_schema_field(ConditionSerializer(many=True))
    def get_experimental_because(self, prediction: Prediction) -> Any:
        """Empty where it may be."""
        return ConditionSerializer(fitness_of(prediction.model_version).lacking, many=True).data

    def get_notice(self, _prediction: Prediction) -> str:
        """Said wherever an answer is shown."""
        return NOTICE
