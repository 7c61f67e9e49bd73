"""What came of a job: answers, and why."""

import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from audit.models import AppendOnly
from blobs.models import Blob
from inference.engine.records import SLICES_ACROSS
from inference.engine.uncertainty.undecided import Said
from inference.models.image import Image
from inference.models.job import Job
from inference.models.registry import ModelVersion


class PredictionQuerySet(models.QuerySet["Prediction"]):
    """Answers that people see, and answers of candidates that they do not."""

    def shown(self) -> Self:
        """Without what candidates answered unseen."""
        return self.exclude(job__kind=Job.Kind.SHADOW)


class Prediction(AppendOnly):
    """What one model version said about one image (inference.engine Answer at rest)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="answer")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")
    analysable = models.BooleanField()
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_reason = models.CharField(max_length=500, blank=True)
    label = models.CharField(max_length=20, blank=True)
    probability = models.FloatField(null=True, help_text="Calibrated P(ventriculomegaly).")
    probability_low = models.FloatField(
        null=True, help_text="Least probability among slightly changed views of the picture."
    )
    probability_high = models.FloatField(null=True, help_text="The greatest.")
    doubt = models.FloatField(null=True, help_text="Chance that another view would turn the call; 0 to 0.5.")
    threshold = models.FloatField()
    threshold_target = models.CharField(max_length=120)
    temperature = models.FloatField()
    logits = models.JSONField(null=True)
    frame_logits = models.JSONField(default=list)
    frames = models.JSONField(default=list)
    frame_rule = models.CharField(max_length=300, blank=True)
    quality = models.JSONField(default=dict)
    input_sha256 = models.CharField(max_length=64)
    weights_sha256 = models.CharField(max_length=64)
    preprocessing = models.CharField(max_length=60)
    preprocessing_sha256 = models.CharField(max_length=64)
    backend = models.CharField(max_length=20)
    device = models.CharField(max_length=40)
    versions = models.JSONField(default=dict)
    measurement = models.JSONField(
        null=True, help_text="Calipers of a version that measures (inference.results.proposals reads them)."
    )
    seconds = models.FloatField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(analysable=False, probability__isnull=True, label="")
                | models.Q(analysable=True, probability__gte=0, probability__lte=1),
                name="an_answer_or_a_refusal",
            ),
            # What explanations are bound to: see the composite foreign key in the migration.
            models.UniqueConstraint(
                fields=["id", "input_sha256", "weights_sha256", "preprocessing_sha256"],
                name="prediction_binding",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.probability:.2f}" if self.analysable else self.refusal_reason

    @property
    def percent(self) -> float | None:
        """The probability in percent, for people."""
        return None if self.probability is None else 100 * self.probability

    @property
    def said(self) -> Said:
        """What the rule for undecided calls asks of an answer."""
        return Said(
            label=self.label,
            threshold=self.threshold,
            low=self.probability_low,
            high=self.probability_high,
            doubt=self.doubt,
            slices_across=self.quality.get(SLICES_ACROSS),
        )

    @property
    def turns(self) -> bool:
        """Whether slightly changed views of the picture fall on both sides of the threshold."""
        return self.said.turns


class Explanation(AppendOnly):
    """Where a model looked. The database refuses one whose hashes are not its prediction's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.PROTECT, related_name="explanations")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="explanations")
    method = models.CharField(max_length=40)
    class_label = models.CharField(max_length=20)
    explains_prediction = models.BooleanField(help_text="False for a class that was not predicted.")
    heatmap = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+", help_text="float16 .npy")
    segments = models.ForeignKey(
        Blob, null=True, on_delete=models.PROTECT, related_name="+", help_text="int32 .npy"
    )
    signed = models.BooleanField()
    unit = models.CharField(max_length=60)
    frames = models.JSONField()
    parameters = models.JSONField(default=dict)
    seed = models.BigIntegerField()
    metrics = models.JSONField(default=dict)
    input_sha256 = models.CharField(max_length=64)
    weights_sha256 = models.CharField(max_length=64)
    preprocessing = models.CharField(max_length=60)
    preprocessing_sha256 = models.CharField(max_length=64)
    seconds = models.FloatField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "method", "class_label"], name="one_explanation_per_job"),
        ]

    def __str__(self) -> str:
        return f"{self.method} of {self.class_label}"


class Repetition(AppendOnly):
    """A stored answer and its explanations, run again and compared (inference.results.reproduce)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.PROTECT, related_name="repetitions")
    job = models.OneToOneField(
        Job, null=True, on_delete=models.PROTECT, related_name="repetition", help_text="None: by command."
    )
    verdicts = models.JSONField(help_text="subject, verdict and the first thing that differs, for each row")
    machine = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.verdict}: {self.first}" if self.first else self.verdict

    @property
    def verdict(self) -> str:
        """The worst of all: identical, within tolerance, or different."""
        found = {one["verdict"] for one in self.verdicts}
        return next(word for word in ("different", "within tolerance", "identical") if word in found)

    @property
    def first(self) -> str:
        """What differs first in the first row that has this verdict; "" when nothing does."""
        return next(str(one["first"]) for one in self.verdicts if one["verdict"] == self.verdict)
