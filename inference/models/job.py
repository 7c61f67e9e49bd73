"""Units of work."""

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from accounts.models import Role, User
from accounts.roles import MANAGE_MODELS, READ_CASES, SEE_MODELS, WRITE_CASES, departments_where, holds
from inference.models.image import Image
from inference.models.registry import ModelVersion


@dataclass(frozen=True)
class About:
    """Whose scan work is on, for those who are told how it ended; nothing of it identifies a patient.

    names: {"case": key, "case_number", "scan_number"}.
    """

    department_id: int
    names: dict[str, Any]


class JobQuerySet(models.QuerySet["Job"]):
    """Work whose answers people see, and work whose answers they do not."""

    def shown(self) -> Self:
        """Without the jobs of candidates that answer unseen."""
        return self.exclude(kind=Job.Kind.SHADOW)

    def visible_to(self, user: User) -> Self:
        """Work on the scans of departments in which the user reads, and on models for who sees those."""
        return self._on(user, READ_CASES, SEE_MODELS)

    def movable_by(self, user: User) -> Self:
        """Work that the user may cancel or ask for again."""
        return self._on(user, WRITE_CASES, MANAGE_MODELS)

    def _on(self, user: User, scans: frozenset[Role], models_: frozenset[Role]) -> Self:
        theirs = models.Q(image__isnull=False, department__in=departments_where(user, scans))
        return self.filter(theirs | models.Q(image__isnull=True) if holds(user, models_) else theirs)

    def with_asked_again(self) -> Self:
        """Each with whether the same work was asked for once more since (asked_again)."""
        later = Job.objects.filter(
            models.Q(prediction=models.OuterRef("prediction")) | models.Q(prediction__isnull=True),
            kind=models.OuterRef("kind"),
            image=models.OuterRef("image"),
            model_version=models.OuterRef("model_version"),
            parameters=models.OuterRef("parameters"),
            created_at__gt=models.OuterRef("created_at"),
        )
        return self.annotate(asked_again=models.Exists(later))

    def asked_again(self) -> Self:
        """Only those."""
        return self.with_asked_again().filter(models.Q(("asked_again", True)))


class Job(models.Model):
    """A unit of work. The row is the truth, a message only wakes a worker (see inference.jobs).

    Work on a scan names its image and model version. Work on models has no image, and what it makes is
    its model version.
    """

    class Kind(models.TextChoices):
        PREDICT = "predict", gettext_lazy("Classify")
        EXPLAIN = "explain", gettext_lazy("Explain")
        SHADOW = "shadow", gettext_lazy("Classify, unseen")
        REPEAT = "repeat", gettext_lazy("Run again")
        CHECK = "check", gettext_lazy("Check uploaded weights")
        TRAIN = "train", gettext_lazy("Train")

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("Queued")
        RUNNING = "running", gettext_lazy("Running")
        SUCCEEDED = "succeeded", gettext_lazy("Succeeded")
        FAILED = "failed", gettext_lazy("Failed")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    image = models.ForeignKey(Image, null=True, on_delete=models.PROTECT, related_name="jobs")
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="jobs")
    prediction = models.ForeignKey(
        "Prediction", null=True, on_delete=models.PROTECT, related_name="explain_jobs"
    )
    parameters = models.JSONField(
        default=dict, help_text="frames to read; method, class and seed to explain; what to check or train"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    thread = models.CharField(max_length=64, blank=True, help_text="Which audit thread its events join.")
    department = models.ForeignKey(
        "accounts.Department", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    names = models.JSONField(default=dict, help_text="What people call the scan it is on; see About.")
    queue = models.CharField(max_length=40, help_text="Which workers hear its wake-up.")
    priority = models.SmallIntegerField(default=0, help_text="Higher is sooner.")
    stage = models.CharField(max_length=60, blank=True)
    progress = models.JSONField(default=dict, help_text="Of a training: units of work done, and each epoch.")
    token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    faults = models.JSONField(
        default=dict,
        db_default=models.Value({}, output_field=models.JSONField()),
        help_text="How often what went wrong, by inference.jobs.lease.Fault.",
    )
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(db_default=Now())
    rung_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(
        null=True, help_text="Since when a file of it is missing while the store answers."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_detail = models.CharField(max_length=500, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["-priority", "created_at"], condition=models.Q(state="queued"), name="job_waiting"
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="running"), name="job_leased"),
            models.Index(fields=["image", "-created_at"], name="job_of_image"),
            models.Index(fields=["finished_at"], name="job_finished"),
            models.Index(
                fields=["department", "-priority", "created_at"],
                condition=models.Q(state="queued"),
                name="job_waiting_by_department",
            ),
            models.Index(
                fields=["department", "-started_at"],
                condition=models.Q(started_at__isnull=False),
                name="job_served_by_department",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["check", "train"], image__isnull=True)
                | models.Q(
                    ~models.Q(kind__in=["check", "train"]), image__isnull=False, model_version__isnull=False
                ),
                name="work_on_a_scan_names_it",
            ),
            models.CheckConstraint(
                condition=models.Q(failure_code="") | ~models.Q(state__in=["succeeded", "cancelled"]),
                name="only_what_failed_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.state}"

    @property
    def scan(self) -> tuple[Image, ModelVersion]:
        """What work on a scan is about; raises ValueError for work on models."""
        if self.image is None or self.model_version is None:
            raise ValueError(f"a job of the kind {self.kind} reads no scan")
        return self.image, self.model_version

    @property
    def about(self) -> About | None:
        """Whose scan it is on; None for work on models, and for what nobody is shown."""
        return About(self.department_id, self.names) if self.department_id else None

    @property
    def is_over(self) -> bool:
        """No further move is possible."""
        return self.state in {self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED}
