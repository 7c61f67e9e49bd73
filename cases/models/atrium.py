"""What a reader says of an atrium that they cannot measure."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from audit.models import AppendOnly
from cases.models.case import Case


class AtriumStatement(AppendOnly):
    """That the atrium of one side cannot be measured, because ...; without a reason, that it can after all.

    It never changes: of each side the newest counts, and a width that stands counts before either. note: in
    the reader's own words; never empty for OTHER.
    """

    class Side(models.TextChoices):
        LEFT = "left", gettext_lazy("Left")
        RIGHT = "right", gettext_lazy("Right")

    class Reason(models.TextChoices):
        NEAR_FIELD = "near_field", gettext_lazy("Hidden in the near field")
        SHADOW = "shadow", gettext_lazy("Shadowed by the skull")
        POSITION = "position", gettext_lazy("The fetus lies so that the plane cannot be reached")
        OUTSIDE = "outside", gettext_lazy("Outside the picture or the volume")
        QUALITY = "quality", gettext_lazy("Too blurred or noisy to see the walls")
        OTHER = "other", gettext_lazy("Another reason")
        NONE = "", gettext_lazy("It can be seen")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="atrium_statements")
    side = models.CharField(max_length=5, choices=Side)
    reason = models.CharField(max_length=12, choices=Reason, blank=True)
    note = models.CharField(max_length=300, blank=True)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("created_at",)
        verbose_name = "statement about an atrium"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(reason="other", note=""), name="another_reason_for_an_atrium_in_words"
            ),
        ]

    def __str__(self) -> str:
        """ "Hidden in the near field: only the far side shows"."""
        return f"{self.get_reason_display()}: {self.note}" if self.note else self.get_reason_display()
