"""Patients, cases and scans."""

import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Department, User
from accounts.roles import READ_CASES, WRITE_CASES, departments_where
from inference.models import Image, Job, Prediction


class Patient(models.Model):
    """The person who is pregnant, as the department knows her."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="patients")
    patient_id = models.CharField("patient ID", max_length=64, help_text="The department's own identifier.")
    birth_date = models.DateField(null=True, blank=True, help_text="Compared with what a DICOM file says.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "patient_id"], name="one_patient_per_patient_id"),
        ]

    def __str__(self) -> str:
        return self.patient_id


UIDS = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")
OPEN = "open"
ORDERS: Mapping[str, tuple[str, ...]] = {
    "newest": ("-opened_at", "-pk"),
    "oldest": ("opened_at", "pk"),
    "urgent": ("-priority", "opened_at", "pk"),
}
"""How a list of cases may be sorted; each ends with the key, so that every place in it is known."""


class CaseQuerySet(models.QuerySet["Case"]):
    """The reading rules, as words. Page, API and export all say visible_to."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The cases of the departments in which the user reads or audits, and those lent to the user."""
        own = models.Q(department__in=departments_where(user, READ_CASES))
        return self.filter(own | _lent_to(user) if _is_named(user) else own)

    def judged_by(self, user: User | AnonymousUser) -> Self:
        """The cases in which the user may file or sign a read: a reader's, and those lent to the user."""
        own = models.Q(department__in=departments_where(user, WRITE_CASES))
        return self.filter(own | _lent_to(user))

    def writable_by(self, user: User | AnonymousUser) -> Self:
        """The cases of the departments in which the user is a reader."""
        return self.filter(department__in=departments_where(user, WRITE_CASES))

    def matching(self, text: str) -> Self:
        """The cases whose number or patient ID begins with the text, in any case, or that hold a scan of it.

        Of a scan: an AccessionNumber that begins with it, or a UID or StudyDate that is it.
        A union, so that each part finds its own index: an "or" across two tables reads both whole.
        """
        by_number = Case.objects.filter(number__istartswith=text)
        by_patient = Case.objects.filter(patient__patient_id__istartswith=text)
        by_scan = [
            Case.objects.filter(**{f"scans__identity__{said}": value})
            for said, value in searched(text).items()
        ]
        found = by_number.values("pk").union(by_patient.values("pk"), *(one.values("pk") for one in by_scan))
        return self.filter(pk__in=found)

    def with_scans_of(self, modality: str) -> Self:
        """The cases that hold at least one scan of the modality."""
        return self.filter(models.Exists(_scans_of(OuterRef("pk")).filter(image__modality=modality)))

    def with_progress(self) -> Self:
        """Annotate `progress`: a Case.Progress, from the scans and their jobs as they are now."""
        images = _scans_of(OuterRef(OuterRef("pk"))).values("image")
        jobs = Job.objects.shown().filter(image__in=images)
        open_ = jobs.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
        answers = Prediction.objects.shown()
        answered_after_all = answers.filter(image=OuterRef("image"), model_version=OuterRef("model_version"))
        failed = jobs.filter(kind=Job.Kind.PREDICT, state=Job.State.FAILED).exclude(
            Exists(answered_after_all)
        )
        table = (
            (~Exists(_scans_of(OuterRef("pk"))), Case.Progress.EMPTY),
            (Exists(open_), Case.Progress.WORKING),
            (Exists(failed), Case.Progress.FAILED),
            (Exists(answers.filter(image__in=images)), Case.Progress.ANSWERED),
        )
        return self.annotate(
            progress=models.Case(
                *(models.When(condition, then=models.Value(progress)) for condition, progress in table),
                default=models.Value(Case.Progress.UNANSWERED),
                output_field=models.CharField(),
            )
        )

    def in_progress(self, progress: str) -> Self:
        """The cases that are just so far; needs with_progress."""
        return self.filter(models.Q(progress=progress))

    def in_order(self, order: str) -> Self:
        """By one of ORDERS."""
        return self.order_by(*ORDERS[order])

    def after(self, case: "Case", order: str) -> Self:
        """The cases that follow this one in that order: a page's keyset."""
        follows, equal = models.Q(), models.Q()
        for key in ORDERS[order]:
            name, direction = key.removeprefix("-"), "lt" if key.startswith("-") else "gt"
            value = getattr(case, name)
            follows |= equal & models.Q(**{f"{name}__{direction}": value})
            equal &= models.Q(**{name: value})
        return self.filter(follows)

    def opened_between(self, since: date | None, until: date | None) -> Self:
        """The cases opened from the beginning of one day to the end of another, of whoever looks."""
        found = self
        if since:
            found = found.filter(opened_at__gte=_midnight(since))
        if until:
            found = found.filter(opened_at__lt=_midnight(until + timedelta(days=1)))
        return found

    def at_stage(self, stage: str) -> Self:
        """The cases whose readers do this next; "open" is every stage but signed."""
        return self.exclude(stage=Case.Stage.SIGNED) if stage == OPEN else self.filter(stage=stage)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _is_named(user: User | AnonymousUser) -> bool:
    """Whether any department has named the user as its adjudicator; few have, and the index stays usable."""
    named = Department.objects.filter(reading_rules__adjudicator=user.pk)
    return bool(user.is_active and user.pk and named.exists())


def _lent_to(user: User | AnonymousUser) -> models.Q:
    """Cases of departments that named the user as adjudicator: while that is wanted, and once it was done."""
    if not user.is_active:
        return models.Q(pk__in=[])
    judged = Case.objects.filter(reads__reader=user.pk, reads__kind="adjudication")
    wanted = models.Q(stage=Case.Stage.ADJUDICATION) | models.Q(pk__in=judged.values("pk"))
    return models.Q(department__reading_rules__adjudicator=user.pk) & wanted


def searched(text: str) -> dict[str, Any]:
    """By what of a scan's identity a text can find it: look-ups of ScanIdentity."""
    found: dict[str, Any] = {"accession_number__istartswith": text}
    if re.fullmatch(r"[0-9.]{1,64}", text):
        found |= dict.fromkeys(UIDS, text)
    with suppress(ValueError):
        found["study_date"] = date.fromisoformat(text)
    return found


def _scans_of(case: OuterRef) -> "models.QuerySet[Scan]":
    return Scan.objects.active().filter(case=case)


class Case(models.Model):
    """One question about one fetus: the scans that answer it, and what was made of them."""

    class Priority(models.IntegerChoices):
        ROUTINE = 0, gettext_lazy("Routine")
        SOON = 10, gettext_lazy("Soon")
        URGENT = 20, gettext_lazy("Urgent")

    class Stage(models.TextChoices):
        """What readers do next; cases.review alone moves it."""

        TO_READ = "to_read", gettext_lazy("Awaiting a read")
        TO_CONCLUDE = "to_conclude", gettext_lazy("Blind read filed")
        SECOND = "second", gettext_lazy("Awaiting a second reader")
        ADJUDICATION = "adjudication", gettext_lazy("Awaiting adjudication")
        TO_SIGN = "to_sign", gettext_lazy("Ready to sign")
        SIGNED = "signed", gettext_lazy("Signed")

    class Progress(models.TextChoices):
        """How far the reading of a case is; see CaseQuerySet.with_progress."""

        EMPTY = "empty", gettext_lazy("No scan yet")
        WORKING = "working", gettext_lazy("Being read")
        FAILED = "failed", gettext_lazy("A job failed")
        ANSWERED = "answered", gettext_lazy("Answered")
        UNANSWERED = "unanswered", gettext_lazy("No model answers")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=16, unique=True, editable=False, help_text="e.g. 2026-000142")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="cases")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cases")
    gestational_age_days = models.PositiveSmallIntegerField(
        "gestational age in days", null=True, validators=[MinValueValidator(70), MaxValueValidator(308)]
    )
    priority = models.SmallIntegerField(choices=Priority, default=Priority.ROUTINE)
    stage = models.CharField(
        max_length=12, choices=Stage, default=Stage.TO_READ, help_text="What readers do next; cases.review."
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    question = models.CharField(max_length=500, blank=True, help_text="Why the scan was asked for.")
    is_demo = models.BooleanField(default=False, help_text="Synthetic or public demonstration data.")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    idempotency_key = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001  # unique or absent

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at",)
        indexes: ClassVar = [
            models.Index(fields=["department", "-opened_at", "-id"], name="case_of_department"),
            models.Index(fields=["-opened_at", "-id"], name="case_newest"),
            models.Index(fields=["department", "stage", "-opened_at", "-id"], name="case_at_stage"),
            models.Index(fields=["-priority", "opened_at", "id"], name="case_urgent"),
            models.Index(
                fields=["-priority", "opened_at", "id"],
                condition=~models.Q(stage="signed"),
                name="case_to_do",
            ),
            models.Index(
                fields=["department", "stage"], condition=~models.Q(stage="signed"), name="case_open"
            ),
            models.Index(fields=["assignee", "-opened_at", "-id"], name="case_assigned"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["opened_by", "idempotency_key"], name="one_case_per_idempotency_key"
            ),
        ]

    def __str__(self) -> str:
        return gettext("Case {number}").format(number=self.number)

    def get_absolute_url(self) -> str:
        """The case page."""
        return reverse("cases:case", args=[self.pk])

    @property
    def thread(self) -> str:
        """The audit thread that holds everything done to this case."""
        return f"case:{self.pk}"

    @property
    def gestational_age(self) -> str:
        """Weeks and days as programs read them: 24w3d."""
        if self.gestational_age_days is None:
            return ""
        weeks, days = divmod(self.gestational_age_days, 7)
        return f"{weeks}w{days}d"

    @property
    def age_in_words(self) -> str:
        """The same for people, as their language writes it."""
        if self.gestational_age_days is None:
            return ""
        weeks, days = divmod(self.gestational_age_days, 7)
        return gettext("{weeks}w{days}d").format(weeks=weeks, days=days)


class ScanQuerySet(models.QuerySet["Scan"]):
    """A scan is read by whoever may read its case."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The scans of visible cases."""
        return self.filter(case__in=Case.objects.visible_to(user))

    def active(self) -> Self:
        """Without those that somebody has withdrawn: the scans that count."""
        return self.filter(withdrawal__isnull=True)


class Scan(models.Model):
    """A picture, loop or volume that was acquired for a case.

    One file is one standing scan of its case, by a trigger; once that is withdrawn it may be added again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="scans")
    number = models.PositiveSmallIntegerField(help_text="Counts the scans of a case from 1.")
    image = models.OneToOneField(Image, on_delete=models.PROTECT, related_name="+")
    original_sha256 = models.CharField(max_length=64, editable=False)
    file_name = models.CharField(
        max_length=200, blank=True, help_text="As uploaded; shown, never used as a path."
    )
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ScanQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "number"], name="scan_numbers_count"),
        ]
        indexes: ClassVar = [models.Index(fields=["case", "original_sha256"], name="scan_of_file")]

    def __str__(self) -> str:
        return gettext("Scan {number} of {case}").format(number=self.number, case=self.case)

    @property
    def is_withdrawn(self) -> bool:
        """Whether somebody has taken it out of the case: then it counts for nothing."""
        return hasattr(self, "withdrawal")

    @property
    def frame_numbers(self) -> range:
        """Frame indices of the image, from 0."""
        return range(self.image.frames)

    def facts(self) -> dict[str, Any]:
        """What an audit line says about a scan: nothing that identifies."""
        return {"scan": self.number, "modality": self.image.modality, "sha256": self.original_sha256}
