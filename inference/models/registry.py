"""Model versions, and when each of them answered."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from audit.models import AppendOnly
from blobs.models import Blob
from inference.engine.measuring.width_evidence import MEMBER
from inference.engine.records import ATRIUM
from inference.models.image import Image


class ModelVersion(models.Model):
    """A network with its weights, preprocessing, threshold and card.

    Only `state` ever changes: a database trigger refuses anything else.
    """

    class State(models.TextChoices):
        DRAFT = "draft", gettext_lazy("Draft")
        EVALUATED = "evaluated", gettext_lazy("Evaluated")
        ACTIVE = "active", gettext_lazy("Active")
        RETIRED = "retired", gettext_lazy("Retired")
        QUARANTINED = "quarantined", gettext_lazy("Quarantined")

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
    code_version = models.CharField(max_length=40, blank=True, help_text="Of Ventra, when it was registered.")
    training = models.ForeignKey(
        "Job", null=True, on_delete=models.PROTECT, related_name="trained", help_text="The job that made it."
    )
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
    def takes_a_scale(self) -> bool:
        """Whether millimetres on ultrasound decide what it says: it measures, or has a member that does."""
        return ATRIUM in (self.network, (self.card.get(MEMBER) or {}).get("network"))

    @property
    def weights_sha256(self) -> str:
        """The weights' content hash, which is also their name in the blob store."""
        return self.weights_id


class _Interval(models.Func):
    """tstzrange(started_at, ended_at): closed at its start, open at its end."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Activation(models.Model):
    """An interval in which one version answered. The open interval is the active version.

    role: the seat a version holds; each network has its own, so that several answer a scan.
    "shadow:" and a network is the seat of a candidate: it answers the same scans, and nobody is shown it.
    """

    SHADOW = "shadow:"

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
            # At any moment of the past one version answered, so "which one?" has one answer.
            ExclusionConstraint(
                name="one_version_at_any_time",
                expressions=[
                    ("modality", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (_Interval("started_at", "ended_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_version} as {self.role}"

    @property
    def is_unseen(self) -> bool:
        """Whether nobody was shown what the version answered."""
        return self.role.startswith(self.SHADOW)


class Evaluation(AppendOnly):
    """One measurement of a version on a labelled data set; figures as inference.training writes them.

    Who recorded it stands on its audit line.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    data = models.CharField(max_length=120, help_text="What it was measured on, in a few words.")
    figures = models.JSONField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.model_version} on {self.data}"
