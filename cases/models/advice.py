"""What was advised on a case, what became of it, and what it brought."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from audit.models import AppendOnly
from cases.models.case import Case, Scan
from inference.models import Job

WORK_LOOKED_BACK = timedelta(days=1)
"""How far back ended work is looked for."""


class Advice(AppendOnly):
    """What was advised when the case stood as it did: at most three actions, or why there are none.

    suggestions: [{action, says, seconds, scan, expected_bits, must, why: [{name, value, threshold,
    where, source, ...}]}], best first. before: for each scan {probability, bits, checks} at that time; no
    probability where it was given to readers who had not read yet (is_informed is False).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="advice")
    state_sha256 = models.CharField(max_length=64, help_text="Of everything the advice rests on.")
    is_informed = models.BooleanField(help_text="Whether it rests on what models and readers said.")
    suggestions = models.JSONField(default=list)
    stop = models.CharField(max_length=16, blank=True)
    not_assessable = models.JSONField(default=list)
    before = models.JSONField(default=dict)
    rules_version = models.CharField(max_length=20)
    rules_sha256 = models.CharField(max_length=64)
    values_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("created_at",)
        verbose_name_plural = "advice"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "state_sha256"], name="one_advice_for_a_state"),
        ]

    def __str__(self) -> str:
        return self.suggestions[0]["says"] if self.suggestions else self.stop


class Advised(models.Model):
    """That a case was advised on as it stood at a moment. No record: a mark for `advising.catch_up`."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.case_id} at {self.at}"

    @classmethod
    def due(cls) -> "models.QuerySet[Case, uuid.UUID]":
        """Keys of cases that were never advised on, or whose work has ended since; oldest first."""
        open_ = Case.objects.exclude(stage=Case.Stage.SIGNED).filter(
            Exists(Scan.objects.filter(case=OuterRef("pk")))
        )
        unmarked = ~Exists(cls.objects.filter(case=OuterRef("pk")))
        marked = cls.objects.filter(case__scans__image=OuterRef("image"), at__lt=OuterRef("finished_at"))
        ended = Job.objects.filter(Exists(marked), finished_at__gt=Now() - WORK_LOOKED_BACK)
        worked_on = Scan.objects.filter(image__in=ended.values("image")).values("case")
        return (
            open_.filter(Q(unmarked) | Q(pk__in=worked_on)).order_by("opened_at").values_list("pk", flat=True)
        )


class AdviceAnswer(AppendOnly):
    """What a technologist made of one suggestion. follow_up: the scan that came of it."""

    class Outcome(models.TextChoices):
        DONE = "done", gettext_lazy("Done")
        NOT_POSSIBLE = "not_possible", gettext_lazy("Not possible")
        DECLINED = "declined", gettext_lazy("Declined")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advice = models.ForeignKey(Advice, on_delete=models.PROTECT, related_name="answers")
    place = models.PositiveSmallIntegerField(help_text="Index of the suggestion, from 0.")
    outcome = models.CharField(max_length=12, choices=Outcome)
    reason = models.CharField(max_length=300, blank=True)
    follow_up = models.ForeignKey(Scan, null=True, on_delete=models.PROTECT, related_name="follows_advice")
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("created_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["advice", "place"], name="one_answer_for_a_suggestion"),
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()

    @property
    def suggestion(self) -> dict[str, object]:
        """What was suggested."""
        found: dict[str, object] = self.advice.suggestions[self.place]
        return found

    @property
    def seconds(self) -> float:
        """What the suggestion was said to cost."""
        return float(str(self.suggestion["seconds"]))

    @property
    def key(self) -> tuple[str, int | None]:
        """Action and number of the scan: what is not asked for twice."""
        scan = self.suggestion["scan"]
        return str(self.suggestion["action"]), scan if isinstance(scan, int) else None


class FollowUp(AppendOnly):
    """What the follow-up scan of a suggestion brought, once it was checked and answered about."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.OneToOneField(AdviceAnswer, on_delete=models.PROTECT, related_name="effect")
    before = models.JSONField(help_text="probability, bits and checks of the scan that was advised on")
    after = models.JSONField(help_text="the same of the follow-up scan")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"Effect of {self.answer}"
