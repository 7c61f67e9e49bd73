"""What the API says of what is kept beside a scan: what its file says, and why it no longer counts."""

from typing import Any, ClassVar

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


class RegionSerializer(serializers.Serializer[Any]):
    """A part of a picture with a scale of its own: its first and last row, column and frame, from 0."""

    rows = serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2)
    columns = serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2)
    frames = serializers.ListField(
        child=serializers.IntegerField(),
        min_length=2,
        max_length=2,
        allow_null=True,
        help_text="null: every frame",
    )
    spacing = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        help_text="mm between rows, between columns",
    )
