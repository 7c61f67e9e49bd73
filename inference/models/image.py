"""A scan's de-identified pixels."""

import uuid
from collections.abc import Sequence

from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from blobs.models import Blob
from inference.formats.affine import tilt_of
from inference.formats.regions import Point, Region, region_of, spacing_between
from inference.formats.spacing import SAME, Pair, aspect_of


class Image(models.Model):
    """A decoded, de-identified picture stack (inference.formats.PictureStack at rest)."""

    class Modality(models.TextChoices):
        ULTRASOUND = "ultrasound", gettext_lazy("Ultrasound")
        MRI = "mri", gettext_lazy("MRI")

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
    pixel_aspect = models.FloatField(
        null=True, help_text="Height over width of a pixel, where no spacing is stated"
    )
    regions = models.JSONField(
        default=list,
        help_text="Parts with scales of their own (inference.formats.regions); outside of them, none",
    )
    affine = models.JSONField(
        null=True, help_text="Of a volume: (column, row, frame, 1) to mm towards left, back and head"
    )
    affine_source = models.CharField(max_length=60, blank=True, default="", db_default="")
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

    @property
    def spacing(self) -> Pair | None:
        """mm (between rows, between columns); None where nothing states it."""
        if self.row_spacing is None or self.column_spacing is None:
            return None
        return self.row_spacing, self.column_spacing

    @cached_property
    def parts(self) -> tuple[Region, ...]:
        """The parts of the picture that have a scale of their own; () where one holds everywhere, or none."""
        return tuple(region_of(one) for one in self.regions)

    def spacing_between(self, frame: int, points: Sequence[Point]) -> Pair | None:
        """mm (between rows, between columns) that the file states at all these points of a frame."""
        return spacing_between(self.parts, frame, points) if self.parts else self.spacing

    @property
    def acquired_plane(self) -> str:
        """The plane of the slices that axial frames were cut out of: across it they are coarsest."""
        if self.plane != "axial" or self.spacing is None or self.slice_spacing is None:
            return self.plane
        mm = {"coronal": self.spacing[0], "sagittal": self.spacing[1]}
        coarsest = max(mm, key=lambda plane: mm[plane])
        return coarsest if mm[coarsest] > self.slice_spacing * (1 + SAME) else self.plane

    @property
    def tilt(self) -> float | None:
        """Degrees by which a volume lies askew of the patient's axes; None where nothing says how it lies."""
        return tilt_of(self.affine) if self.affine else None

    @property
    def states_scale(self) -> bool:
        """Whether the file says millimetres, of the whole picture or of its parts."""
        return self.spacing is not None or bool(self.parts)

    @property
    def spacing_stated_by(self) -> str:
        """The field of the file that says millimetres, of the whole picture or of its parts; "" for none."""
        if self.pixel_spacing_source or not self.parts:
            return self.pixel_spacing_source
        return "PixelSpacing" if self.parts[0].frames else "SequenceOfUltrasoundRegions"

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width; 1 where nothing says it. Whatever draws a frame asks this."""
        return aspect_of(self.spacing, self.pixel_aspect)
