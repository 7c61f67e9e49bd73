"""How long a pixel of a scan is, as a reader says whose file says nothing of it."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext

from audit.models import AppendOnly
from cases.models.case import Case, Scan
from inference.formats.spacing import CALIBRATED
from language.numbers import decimal

SAME = 0.005
"""Spacings that differ by less than this share are shown as one number."""


class CalibrationQuerySet(models.QuerySet["Calibration"]):
    """Calibrations that stand, and the one of them that counts."""

    def active(self) -> Self:
        """Without those that somebody has withdrawn."""
        return self.filter(withdrawal__isnull=True)

    def of_case(self, case: Case) -> Self:
        """Those of any scan of the case, oldest first, each with what is said of it."""
        mine = self.filter(scan__case=case).order_by("created_at")
        return mine.select_related("scan", "made_by", "withdrawal")

    def counting(self, scan: Scan) -> "Calibration | None":
        """The newest that stands: what the scan's millimetres rest on; None while there is none."""
        return self.active().filter(scan=scan).order_by("created_at").select_related("made_by").last()


class Calibration(AppendOnly):
    """The length of a line on one frame of a scan whose file states no scale. It holds for all its frames.

    It is never overwritten: a better one is another one, and the newest that stands counts. start, end: (row,
    column) in pixels, 0 in the middle of the first pixel. row_spacing, column_spacing: what follows, mm
    between rows and between columns. note: what the line was drawn along, in the reader's words. marks: the
    tick marks of a depth scale that the line was proposed from (cases.calibrations.ProposedLine); None for a
    line of the reader's own.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="calibrations")
    frame = models.PositiveIntegerField(help_text="Index in the scan, from 0.")
    start = models.JSONField()
    end = models.JSONField()
    length_mm = models.FloatField()
    row_spacing = models.FloatField(help_text="mm between rows")
    column_spacing = models.FloatField(help_text="mm between columns")
    note = models.CharField(max_length=200, blank=True)
    marks = models.JSONField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = CalibrationQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        indexes: ClassVar = [models.Index(fields=["scan", "created_at"], name="calibration_of_scan")]

    def __str__(self) -> str:
        """ "0.310 mm a pixel", or both numbers where pixels are not square."""
        return scale_words(self.spacing)

    @property
    def spacing(self) -> tuple[float, float]:
        """As PixelSpacing: mm between rows, then between columns."""
        return self.row_spacing, self.column_spacing

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing is measured by it any more."""
        return hasattr(self, "withdrawal")

    @property
    def provenance(self) -> str:
        """ "0.310 mm a pixel, calibrated by Alice Adams"."""
        return provenance(self.spacing, self.made_by.full_name)

    def as_parameter(self) -> dict[str, Any]:
        """What a job is told, so that its answer is bound to the calibration (inference.results.images)."""
        return {CALIBRATED: {"id": str(self.pk), "pixel_spacing": [*self.spacing]}}


def scale_words(spacing: tuple[float, float]) -> str:
    """How long a pixel is. spacing: mm between rows, between columns."""
    rows, columns = spacing
    if abs(rows - columns) <= SAME * columns:
        return gettext("{length} mm a pixel").format(length=decimal(columns, 3))
    both = gettext("{rows} mm between rows, {columns} mm between columns")
    return both.format(rows=decimal(rows, 3), columns=decimal(columns, 3))


def provenance(spacing: tuple[float, float], name: str) -> str:
    """Where millimetres come from that no file states."""
    return gettext("{scale}, calibrated by {name}").format(scale=scale_words(spacing), name=name)


class CalibrationWithdrawal(AppendOnly):
    """A calibration by which nothing is measured any more; what was measured by it counts no more either."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    calibration = models.OneToOneField(Calibration, on_delete=models.PROTECT, related_name="withdrawal")
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.reason
