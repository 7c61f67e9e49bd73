"""Images, model versions, jobs and what came of them. No table here knows a patient."""

import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from blobs.models import Blob


class Immutable(models.Model):
    """A row that never changes once written; a database trigger says so too."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; an update raises TypeError."""
        if not self._state.adding:
            raise TypeError(f"A {type(self).__name__} never changes: a new run is a new row.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Always raises TypeError."""
        raise TypeError(f"A {type(self).__name__} is never deleted.")


class Image(models.Model):
    """A decoded, de-identified picture stack (inference.formats.PictureStack at rest)."""

    class Modality(models.TextChoices):
        ULTRASOUND = "ultrasound", "Ultrasound"
        MRI = "mri", "MRI"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    modality = models.CharField(max_length=12, choices=Modality)
    original = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    source_format = models.CharField(max_length=8)
    pixels = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+", help_text="An .npy file.")
    frames = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    bits = models.PositiveSmallIntegerField(help_text="8 or 16 for each pixel.")
    plane = models.CharField(max_length=8, blank=True)
    row_spacing = models.FloatField(null=True, help_text="mm, first value of PixelSpacing")
    column_spacing = models.FloatField(null=True, help_text="mm, second value of PixelSpacing")
    pixel_spacing_source = models.CharField(max_length=60, blank=True)
    slice_spacing = models.FloatField(null=True, help_text="mm; a volume has one, a loop has none")
    rescale_slope = models.FloatField(default=1.0)
    rescale_intercept = models.FloatField(default=0.0)
    window_center = models.FloatField(null=True)
    window_width = models.FloatField(null=True)
    acquisition = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.get_modality_display()} {self.frames} x {self.rows} x {self.columns}"

    @property
    def is_volume(self) -> bool:
        """Neighbouring frames are neighbouring slices, not moments of a loop."""
        return self.slice_spacing is not None


class ModelVersion(models.Model):
    """A network with its weights, preprocessing, threshold and card. Only `state` ever changes."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        EVALUATED = "evaluated", "Evaluated"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        QUARANTINED = "quarantined", "Quarantined"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    network = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    modality = models.CharField(max_length=12, choices=Image.Modality)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    weights = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    preprocessing = models.CharField(max_length=60)
    preprocessing_sha256 = models.CharField(max_length=64)
    labels = models.JSONField()
    threshold = models.FloatField()
    threshold_target = models.CharField(max_length=120)
    temperature = models.FloatField()
    card = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("modality", "network", "-created_at")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["network", "modality", "version"], name="one_row_per_network_modality_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.version} ({self.get_modality_display()})"

    @property
    def weights_sha256(self) -> str:
        """The weights' content hash, which is also their name in the blob store."""
        return self.weights_id


class Activation(models.Model):
    """An interval in which one version answered. The open interval is the active version.

    role: the seat a version holds; each network has its own, so that several answer a scan.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="activations")
    modality = models.CharField(max_length=12, choices=Image.Modality)
    role = models.CharField(max_length=40)
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["modality", "role"],
                condition=models.Q(ended_at__isnull=True),
                name="one_active_version_per_modality_and_role",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="activation_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_version} as {self.role}"


class Job(models.Model):
    """A unit of work. The row is the truth, a message only wakes a worker (see inference.jobs)."""

    class Kind(models.TextChoices):
        PREDICT = "predict", "Classify, with Grad-CAM"
        EXPLAIN = "explain", "Explain"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="jobs")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="jobs")
    prediction = models.ForeignKey(
        "Prediction", null=True, on_delete=models.PROTECT, related_name="explain_jobs"
    )
    parameters = models.JSONField(default=dict, help_text="frames to read; method, class and seed to explain")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    thread = models.CharField(max_length=64, blank=True, help_text="Which audit thread its events join.")
    queue = models.CharField(max_length=40, help_text="Which workers hear its doorbell.")
    priority = models.SmallIntegerField(default=0, help_text="Higher is sooner.")
    stage = models.CharField(max_length=60, blank=True)
    token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(db_default=Now())
    rung_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_detail = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["-priority", "created_at"], condition=models.Q(state="queued"), name="job_waiting"
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="running"), name="job_leased"),
            models.Index(fields=["image", "-created_at"], name="job_of_image"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.state}"

    @property
    def is_over(self) -> bool:
        """No further move is possible."""
        return self.state in {self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED}


class Prediction(Immutable):
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
    seconds = models.FloatField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

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


class Explanation(Immutable):
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
