"""How a department reads, what its readers found, and what was signed."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Department
from audit.models import AppendOnly
from cases.models.case import Case
from cases.severity import SCHEMES, Scheme
from inference.engine.uncertainty.undecided import Limits


class ReadingRules(models.Model):
    """How a department reads its cases. A department without a row reads by the defaults."""

    class Mode(models.TextChoices):
        READER_FIRST = (
            "reader_first",
            gettext_lazy("Reader first: answers are hidden until a blind read is filed"),
        )
        CONCURRENT = "concurrent", gettext_lazy("Concurrent: answers are shown at once")

    class SecondReader(models.TextChoices):
        NEVER = "never", gettext_lazy("Never")
        DISAGREEMENT = (
            "disagreement",
            gettext_lazy("When reader and models disagree, or the models are undecided"),
        )
        ALWAYS = "always", gettext_lazy("Always")

    department = models.OneToOneField(
        Department,
        primary_key=True,
        on_delete=models.PROTECT,
        related_name="reading_rules",
        verbose_name=gettext_lazy("department"),
    )
    mode = models.CharField(gettext_lazy("mode"), max_length=12, choices=Mode, default=Mode.READER_FIRST)
    second_reader = models.CharField(
        gettext_lazy("second reader"),
        max_length=12,
        choices=SecondReader,
        default=SecondReader.DISAGREEMENT,
    )
    second_reader_sees = models.BooleanField(
        gettext_lazy("the second reader sees the first read"),
        default=False,
        help_text=gettext_lazy(
            "Show the second reader the answers and the first reader's finding; such a read is kept, and "
            "shown, as not blind."
        ),
    )
    adjudicator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=gettext_lazy("adjudicator from elsewhere"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=gettext_lazy(
            "A senior reader of another department, who sees and adjudicates the cases of this one whose "
            "two readers differ, and sees no others."
        ),
    )
    severity_scheme = models.CharField(
        gettext_lazy("severity scheme"),
        max_length=20,
        choices=[(name, scheme.title) for name, scheme in SCHEMES.items()],
        default="smfm-45",
    )
    undecided_if_turns = models.BooleanField(
        gettext_lazy("undecided when the interval crosses the threshold"),
        default=Limits.turns,
        help_text=gettext_lazy("The call of the leading version is then undecided."),
    )
    undecided_doubt = models.FloatField(
        gettext_lazy("undecided from this doubt on"),
        default=Limits.doubt,
        validators=[MinValueValidator(0.01), MaxValueValidator(0.5)],
        help_text=gettext_lazy(
            "Chance that another view of the picture turns the leading call, 0.01 to 0.5."
        ),
    )
    undecided_opposed = models.FloatField(
        gettext_lazy("undecided from this share of contradicting versions on"),
        default=Limits.opposed,
        validators=[MinValueValidator(0.01), MaxValueValidator(1.0)],
        help_text=gettext_lazy(
            "Share of the other versions in use that say the opposite of the leading one, 0.01 to 1."
        ),
    )

    class Meta:
        verbose_name = gettext_lazy("reading rules")
        verbose_name_plural = gettext_lazy("reading rules")

    def __str__(self) -> str:
        return gettext("Reading rules of {department}").format(department=self.department)

    @classmethod
    def of(cls, department: Department) -> "ReadingRules":
        """The department's rules, or the defaults."""
        stated = cls.objects.filter(department=department).select_related("adjudicator").first()
        return stated or cls(department=department)

    @property
    def undecided(self) -> Limits:
        """From when on the models' answers decide nothing."""
        return Limits(self.undecided_if_turns, self.undecided_doubt, self.undecided_opposed)

    @property
    def scheme(self) -> Scheme:
        """The severity scheme by its name."""
        return SCHEMES[self.severity_scheme]


class Read(AppendOnly):
    """What one reader found in a case. It never changes: whoever thinks again files another.

    scans, seen, shown: what the form showed when it was filled in. seen: the answers, as {prediction,
    network, label, probability}; empty for a blind read. shown: scans, answers, measurements and other reads
    by their keys, and the SHA-256 of all that; None for reads from before it was kept. unblinded: whether a
    blind or second reader had been shown answers or others' findings; None for other kinds. called: what the
    models called the case then (cases.review.calls), "" where none had answered. agrees: with that call, None
    where it or the finding is no decision. seconds: since the reader first opened the case.
    """

    class Kind(models.TextChoices):
        BLIND = "blind", gettext_lazy("Blind read")
        FINAL = "final", gettext_lazy("Final read")
        SECOND = "second", gettext_lazy("Second read")
        ADJUDICATION = "adjudication", gettext_lazy("Adjudication")
        JOINT = "joint", gettext_lazy("Joint read")

    class Finding(models.TextChoices):
        NORMAL = "normal", gettext_lazy("Normal")
        VENTRICULOMEGALY = "ventriculomegaly", gettext_lazy("Ventriculomegaly")
        INDETERMINATE = "indeterminate", gettext_lazy("Indeterminate")
        NOT_DIAGNOSTIC = "not_diagnostic", gettext_lazy("Not diagnostic")

    class Called(models.TextChoices):
        NORMAL = "normal", gettext_lazy("Normal")
        VENTRICULOMEGALY = "ventriculomegaly", gettext_lazy("Ventriculomegaly")
        UNDECIDED = "undecided", gettext_lazy("Undecided")
        NOT_ANALYSABLE = "not_analysable", gettext_lazy("Not analysable")
        NOBODY = "", gettext_lazy("No answer")

    class Laterality(models.TextChoices):
        LEFT = "left", gettext_lazy("Left")
        RIGHT = "right", gettext_lazy("Right")
        BOTH = "both", gettext_lazy("Both sides")
        NOT_SAID = "", gettext_lazy("Not said")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reads")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    finding = models.CharField(max_length=16, choices=Finding)
    laterality = models.CharField(max_length=5, choices=Laterality, blank=True, default=Laterality.NOT_SAID)
    note = models.TextField(blank=True, max_length=4000)
    called = models.CharField(max_length=16, choices=Called, blank=True, default=Called.NOBODY)
    agrees = models.BooleanField(null=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why the models were overridden.")
    seen = models.JSONField(default=list)
    scans = models.JSONField(help_text="SHA-256 of every scan that was read.")
    shown = models.JSONField(null=True)
    unblinded = models.BooleanField(null=True)
    seconds = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("created_at",)
        indexes: ClassVar = [models.Index(fields=["case", "created_at"], name="read_of_case")]

    def __str__(self) -> str:
        side = f", {self.get_laterality_display().lower()}" if self.laterality else ""
        return f"{self.get_finding_display()}{side}"


class Confirmation(AppendOnly):
    """The other reader's word for a joint read, given with the password: from then on it counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    read = models.OneToOneField(Read, on_delete=models.PROTECT, related_name="confirmation")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return gettext("Confirmed by {name}").format(name=self.confirmed_by.full_name)


class SignOff(AppendOnly):
    """A reader's signature under a case: name, time, meaning and the hash of what was signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="sign_off")
    read = models.OneToOneField(Read, on_delete=models.PROTECT, related_name="sign_off")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=300, help_text="As it stood on the day of signing.")
    meaning = models.CharField(max_length=200)
    content = models.JSONField(help_text="Everything that was signed.")
    content_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    def __str__(self) -> str:
        return gettext("Signed by {name}").format(name=self.name)


class Addendum(AppendOnly):
    """What was found out after the signature. previous_sha256: of the signature or the addendum before."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="addenda")
    text = models.TextField(max_length=4000)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=300)
    previous_sha256 = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("written_at",)
        verbose_name_plural = "addenda"

    def __str__(self) -> str:
        return gettext("Addendum by {name}").format(name=self.name)
