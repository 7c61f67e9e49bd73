"""What the checks found in a scan, whoever answers about it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from audit.models import AppendOnly
from inference.models.image import Image


class Quality(AppendOnly):
    """The checks of one scan (inference.engine.quality), made once for each version of them.

    checks: [{name, value, frame, where}]; empty where no head was found.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="qualities")
    version = models.CharField(max_length=20, help_text="Of the checks.")
    frames = models.JSONField(help_text="Indices of the frames that were looked at.")
    checks = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "qualities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image", "version"], name="one_quality_for_each_version"),
        ]

    def __str__(self) -> str:
        return f"Checks {self.version} of {self.image}"
