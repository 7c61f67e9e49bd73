"""What the API says of what is kept beside a scan: what its file says, and why it no longer counts."""

from typing import ClassVar

from rest_framework import serializers

from cases.models import ScanIdentity, ScanWithdrawal


class ScanWithdrawalSerializer(serializers.ModelSerializer[ScanWithdrawal]):
    """Why a scan no longer counts, and who took it out of its case."""

    withdrawn_by = serializers.CharField(source="withdrawn_by.username", read_only=True)

    class Meta:
        model = ScanWithdrawal
        fields: ClassVar = ["reason", "note", "withdrawn_by", "created_at"]


class IdentitySerializer(serializers.ModelSerializer[ScanIdentity]):
    """What a DICOM file says of patient and study. mismatch: where it contradicts the case's patient."""

    mismatch = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ScanIdentity
        fields: ClassVar = [
            "patient_id", "patient_birth_date", "accession_number", "study_date", "study_instance_uid",
            "series_instance_uid", "sop_instance_uid", "mismatch", "reason",
        ]  # fmt: skip
