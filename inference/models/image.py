"""A scan's de-identified pixels."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from blobs.models import Blob


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
