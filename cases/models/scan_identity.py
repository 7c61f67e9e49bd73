"""What the file of a scan says of patient and study."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from audit.models import AppendOnly
from cases.models.case import Scan


class ScanIdentity(AppendOnly):
    """What a DICOM file says of patient and study; a scan of another kind of file has none.

    mismatch: the DICOM keywords in which the file contradicts the case's patient, for which `reason` says why
    the scan was taken all the same. This is the one place where it is kept: nothing of it is in `inference`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.OneToOneField(Scan, on_delete=models.PROTECT, related_name="identity")
    patient_id = models.CharField(max_length=64, blank=True)
    patient_birth_date = models.DateField(null=True)
    accession_number = models.CharField(max_length=64, blank=True)
    study_date = models.DateField(null=True)
    study_instance_uid = models.CharField(max_length=64, blank=True)
    series_instance_uid = models.CharField(max_length=64, blank=True)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    mismatch = models.JSONField(default=list)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "identity"
        verbose_name_plural = "identities"
        indexes: ClassVar = [
            models.Index(fields=["study_instance_uid"], name="scan_of_study"),
            models.Index(fields=["series_instance_uid"], name="scan_of_series"),
            models.Index(fields=["sop_instance_uid"], name="scan_of_sop_instance"),
            models.Index(fields=["study_date"], name="scan_of_study_date"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(mismatch=[], reason="") | ~(models.Q(mismatch=[]) | models.Q(reason="")),
                name="a_mismatch_has_its_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"What the file of {self.scan} says"
