"""What readers measure on a scan."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_lazy

from audit.models import AppendOnly
from cases.models.calibration import Calibration
from cases.models.case import Case, Scan
from inference.models import Prediction
from language.numbers import decimal

CALIBRATION = ("calibration__made_by", "calibration__withdrawal")


class MeasurementQuerySet(models.QuerySet["Measurement"]):
    """Measurements that stand, and measurements that were withdrawn."""

    def active(self) -> Self:
        """Without those that somebody has withdrawn, alone, with their scan or with their calibration."""
        standing = self.filter(withdrawal__isnull=True, scan__withdrawal__isnull=True)
        return standing.filter(calibration__withdrawal__isnull=True)

    def of_case(self, case: Case) -> Self:
        """Those on any scan of the case, in the order they were made."""
        mine = self.filter(scan__case=case).order_by("created_at")
        return mine.select_related("scan__image", "made_by", "proposal__model_version", *CALIBRATION)


class Measurement(AppendOnly):
    """The distance between two points of one frame. It is never overwritten: a better one is another one.

    across: of a volume, whether it lies in a frame or in one of the planes that are cut through all frames
    (inference.results.planes); frame is then the number of the cut.
    start, end: (row, column) in pixels, 0 in the middle of the first pixel. length_px: counted along the
    shorter side of the scan's pixels. length_mm: None where no scale is known, or none holds at both ends
    (pixel_spacing_source then still names what states scales). calibration: what its millimetres rest on;
    None where the file states them. checklist: what the reader says of the plane, for the atrial width.
    """

    class Tool(models.TextChoices):
        DISTANCE = "distance", gettext_lazy("Distance")
        ATRIAL_WIDTH = "atrial_width", gettext_lazy("Atrial width")

    class Across(models.TextChoices):
        FRAMES = "", gettext_lazy("Frame")
        ROWS = "rows", gettext_lazy("Cut at one row")
        COLUMNS = "columns", gettext_lazy("Cut at one column")

    class Side(models.TextChoices):
        LEFT = "left", gettext_lazy("Left")
        RIGHT = "right", gettext_lazy("Right")
        UNKNOWN = "", gettext_lazy("Side not said")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="measurements")
    frame = models.PositiveIntegerField(help_text="Index in the scan, or in its plane, from 0.")
    across = models.CharField(max_length=7, choices=Across, blank=True, default="", db_default="")
    tool = models.CharField(max_length=12, choices=Tool)
    side = models.CharField(max_length=5, choices=Side, blank=True, default=Side.UNKNOWN)
    start = models.JSONField()
    end = models.JSONField()
    length_px = models.FloatField()
    length_mm = models.FloatField(null=True)
    pixel_spacing = models.JSONField(null=True, help_text="mm between rows and between columns")
    pixel_spacing_source = models.CharField(max_length=60, blank=True)
    calibration = models.ForeignKey(
        Calibration,
        null=True,
        on_delete=models.PROTECT,
        related_name="measurements",
        help_text="What the millimetres rest on, where the file states none.",
    )
    checklist = models.JSONField(default=dict, help_text="What the reader says of the plane.")
    proposal = models.ForeignKey(
        Prediction,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The answer whose proposed caliper the reader confirmed or moved.",
    )
    proposal_atrium = models.PositiveSmallIntegerField(null=True, help_text="Which of its atria, from 0.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        indexes: ClassVar = [models.Index(fields=["scan", "created_at"], name="measurement_of_scan")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(proposal__isnull=True, proposal_atrium__isnull=True)
                | models.Q(proposal__isnull=False, proposal_atrium__isnull=False, tool="atrial_width"),
                name="a_proposal_names_its_atrium",
            ),
            models.CheckConstraint(
                condition=models.Q(across="") | models.Q(tool="distance"),
                name="atrial_widths_are_measured_on_frames",
            ),
        ]

    def __str__(self) -> str:
        if self.length_mm is None:
            words = gettext("{length} pixels (no scale known)")
            if self.pixel_spacing_source:
                words = gettext("{length} pixels (no one scale holds at both ends)")
            return words.format(length=decimal(self.length_px, 1))
        return f"{decimal(self.length_mm, 1)} mm"

    @property
    def is_withdrawn(self) -> bool:
        """Whether it no longer counts: it was withdrawn itself, or its scan or its calibration was."""
        rests_on_nothing = self.calibration is not None and self.calibration.is_withdrawn
        return hasattr(self, "withdrawal") or self.scan.is_withdrawn or rests_on_nothing

    @property
    def withdrawn_because(self) -> str:
        """Why it no longer counts; "" while it does."""
        if hasattr(self, "withdrawal"):
            return str(self.withdrawal)
        if self.scan.is_withdrawn:
            return gettext("its scan was withdrawn ({reason})").format(reason=self.scan.withdrawal)
        if self.calibration is not None and self.calibration.is_withdrawn:
            reason = self.calibration.withdrawal
            return gettext("its calibration was withdrawn ({reason})").format(reason=reason)
        return ""

    @property
    def title(self) -> str:
        """What was measured: "Atrial width, left"."""
        side = f", {self.get_side_display().lower()}" if self.side else ""
        return f"{self.get_tool_display()}{side}"


class Withdrawal(AppendOnly):
    """A measurement that no longer counts; it stays on record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    measurement = models.OneToOneField(Measurement, on_delete=models.PROTECT, related_name="withdrawal")
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.reason
