"""A patient's birth date that had been mistyped."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from audit.models import AppendOnly
from cases.models.case import Patient


class BirthDateCorrection(AppendOnly):
    """What the department knew before, what it knows since, and why. This is the one place where both stand.

    before: None where it had known none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="birth_date_corrections")
    before = models.DateField(null=True)
    after = models.DateField()
    reason = models.CharField(max_length=300)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("created_at",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(reason=""), name="a_corrected_birth_date_has_its_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.reason
