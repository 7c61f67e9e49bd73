"""Scans that should not have been in their case."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from audit.models import AppendOnly
from cases.models.case import Scan


class ScanWithdrawal(AppendOnly):
    """A scan that no longer counts for anything; it stays on record, with who took it out and why.

    note: in the reader's own words; never empty for OTHER.
    """

    class Reason(models.TextChoices):
        WRONG_MODALITY = "wrong_modality", gettext_lazy("Wrong modality")
        WRONG_PATIENT = "wrong_patient", gettext_lazy("Another patient's scan")
        WRONG_FILE = "wrong_file", gettext_lazy("Wrong file")
        OTHER = "other", gettext_lazy("Another reason")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.OneToOneField(Scan, on_delete=models.PROTECT, related_name="withdrawal")
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=16, choices=Reason)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(reason="other", note=""), name="another_reason_is_put_into_words"
            ),
        ]

    def __str__(self) -> str:
        """ "Wrong modality: it is an MRI slice"."""
        return f"{self.get_reason_display()}: {self.note}" if self.note else self.get_reason_display()

    @classmethod
    def images(cls) -> models.QuerySet["ScanWithdrawal", dict[str, Any]]:
        """The keys of the images whose scans were withdrawn: no comparison of models counts their answers."""
        return cls.objects.values("scan__image")
