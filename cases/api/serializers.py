"""What the API says about cases and scans, and what it takes. Every field is listed."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.models import Department
from accounts.roles import WRITE_CASES, departments_where
from cases.api.scan_record import IdentitySerializer, RegionSerializer, ScanWithdrawalSerializer
from cases.models import Case, Scan
from cases.prospects import unanswered_because
from inference.api.serializers import JobSerializer
from inference.engine.records import LABELS, METHOD_NAMES
from inference.models import Image


class RequestSerializer(serializers.Serializer[Any]):
    """A request body. A key it does not know, or holds twice, is refused: nothing that was sent is lost."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; ValidationError names each unknown key."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            unheard = ErrorDetail(gettext("There is no such field."), "unknown")
            raise serializers.ValidationError({name: [unheard] for name in unknown})
        if repeated := self._repeated(data):
            again = ErrorDetail(gettext("The field was sent more than once."), "repeated")
            raise serializers.ValidationError({name: [again] for name in repeated})
        return super().to_internal_value(data)

    def _repeated(self, data: Any) -> list[str]:
        """Single fields that a form holds several of: the framework would take the last and drop the rest."""
        if not isinstance(data, MultiValueDict):
            return []
        single = [name for name, one in self.fields.items() if not isinstance(one, serializers.ListField)]
        return [name for name in single if len(data.getlist(name)) > 1]


class TextField(serializers.CharField):
    """Text that arrives as text. The framework would make a string of a number."""

    def to_internal_value(self, data: Any) -> str:
        """The text; ValidationError for any other kind of value."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NumberField(serializers.IntegerField):
    """A whole number that arrives as a number. The framework would read one out of a string."""

    def to_internal_value(self, data: Any) -> int:
        """The number; ValidationError for any other kind of value."""
        if not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class PriorityField(serializers.ChoiceField):
    """A priority by its name: routine, soon or urgent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[priority.name.lower() for priority in Case.Priority], **kwargs)

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]  # typed as str above
        """The stored number."""
        return Case.Priority[super().to_internal_value(data).upper()].value

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        """The name."""
        return Case.Priority(value).name.lower()


class OwnDepartmentField(serializers.SlugRelatedField[Department]):
    """One of the departments in which the user is a reader; any other does not exist here."""

    def get_queryset(self) -> QuerySet[Department]:
        """Scoped to the user, so that no other department's name can be probed."""
        return departments_where(self.context["request"].user, WRITE_CASES)


class CaseOpeningSerializer(RequestSerializer):
    """What opens a case."""

    department = OwnDepartmentField(slug_field="slug", queryset=Department.objects.none())
    patient_id = TextField(max_length=64, help_text="The department's own identifier.")
    patient_birth_date = serializers.DateField(
        required=False, allow_null=True, help_text="Compared with what DICOM files say."
    )
    gestational_age_days = NumberField(
        min_value=70,
        max_value=308,
        allow_null=True,
        required=False,
        help_text="Completed days, 24w3d is 171.",
    )
    priority = PriorityField(required=False, help_text="routine unless said otherwise")
    question = TextField(max_length=500, allow_blank=True, required=False)


class CaseSerializer(serializers.ModelSerializer[Case]):
    """One question about one fetus."""

    url = serializers.HyperlinkedIdentityField(view_name="api:case")
    department = serializers.SlugRelatedField[Department](slug_field="slug", read_only=True)
    patient_id = serializers.CharField(source="patient.patient_id", read_only=True)
    patient_birth_date = serializers.DateField(source="patient.birth_date", read_only=True, allow_null=True)
    gestational_age = serializers.CharField(read_only=True, help_text="Weeks and days, e.g. 24w3d")
    priority = PriorityField(read_only=True)
    opened_by = serializers.CharField(source="opened_by.username", read_only=True)
    scans = serializers.HyperlinkedIdentityField(view_name="api:scans")
    reading = serializers.HyperlinkedIdentityField(view_name="api:reading")

    class Meta:
        model = Case
        fields: ClassVar = [
            "id",
            "url",
            "number",
            "department",
            "patient_id",
            "patient_birth_date",
            "gestational_age_days",
            "gestational_age",
            "priority",
            "stage",
            "question",
            "is_demo",
            "opened_by",
            "opened_at",
            "scans",
            "reading",
        ]


class FramesToReadSerializer(RequestSerializer):
    """Which frames to read instead of those the rule chose."""

    frames = serializers.ListField(
        child=NumberField(min_value=0), min_length=1, max_length=1000, help_text="Indices from 0"
    )

    def validate_frames(self, frames: list[int]) -> list[int]:
        """Only frames that the scan has."""
        last = self.context["scan"].image.frames - 1
        if max(frames) > last:
            sentence = gettext("The scan has frames 0 to {last}.").format(last=last)
            raise serializers.ValidationError(sentence, "no_such_frame")
        return frames


class ExplainSerializer(RequestSerializer):
    """By which method, and for which class."""

    method = serializers.ChoiceField(choices=METHOD_NAMES)
    class_label = serializers.ChoiceField(
        choices=LABELS, required=False, help_text="The class that was called unless you say otherwise."
    )


class ScanSerializer(serializers.ModelSerializer[Scan]):
    """A picture, loop or volume as it was read, and the work done on it."""

    url = serializers.HyperlinkedIdentityField(view_name="api:scan")
    case = serializers.HyperlinkedRelatedField[Case](view_name="api:case", read_only=True)
    modality = serializers.ChoiceField(
        source="image.modality", choices=Image.Modality.choices, read_only=True
    )
    source_format = serializers.CharField(source="image.source_format", read_only=True)
    frames = serializers.IntegerField(source="image.frames", read_only=True)
    rows = serializers.IntegerField(source="image.rows", read_only=True)
    columns = serializers.IntegerField(source="image.columns", read_only=True)
    bits = serializers.IntegerField(source="image.bits", read_only=True)
    plane = serializers.CharField(source="image.plane", read_only=True)
    pixel_spacing = serializers.SerializerMethodField(
        help_text="mm between rows and between columns; null when nothing in the file states it"
    )
    pixel_spacing_source = serializers.CharField(source="image.pixel_spacing_source", read_only=True)
    aspect = serializers.FloatField(
        source="image.aspect",
        read_only=True,
        help_text="Height of a pixel over its width; 1 where nothing says it.",
    )
    regions = RegionSerializer(
        source="image.parts",
        many=True,
        read_only=True,
        help_text="Parts with scales of their own, and none outside; empty where one holds everywhere.",
    )
    slice_spacing = serializers.FloatField(source="image.slice_spacing", read_only=True, allow_null=True)
    affine = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        source="image.affine",
        read_only=True,
        allow_null=True,
        help_text="Of a volume, from (column, row, frame, 1) to mm towards the patient's left, back and "
        "head, as DICOM has them: three rows of four.",
    )
    affine_source = serializers.CharField(
        source="image.affine_source", read_only=True, help_text="What says how the volume lies."
    )
    acquisition = serializers.DictField(source="image.acquisition", read_only=True)
    pixels_sha256 = serializers.CharField(source="image.pixels_id", read_only=True)
    added_by = serializers.CharField(source="added_by.username", read_only=True)
    original = serializers.HyperlinkedIdentityField(view_name="api:original")
    identity = serializers.SerializerMethodField(help_text="null where the file says nothing of a patient")
    withdrawn = serializers.SerializerMethodField(help_text="null while the scan counts")
    will_be_answered = serializers.SerializerMethodField(help_text="a model version has answered, or will")
    unanswered_because = serializers.SerializerMethodField(help_text="a code where none will, else empty")
    jobs = JobSerializer(source="image.jobs", many=True, read_only=True)

    class Meta:
        model = Scan
        fields: ClassVar = [
            "id",
            "url",
            "case",
            "number",
            "modality",
            "source_format",
            "frames",
            "rows",
            "columns",
            "bits",
            "plane",
            "pixel_spacing",
            "pixel_spacing_source",
            "aspect",
            "regions",
            "slice_spacing",
            "affine",
            "affine_source",
            "acquisition",
            "original_sha256",
            "pixels_sha256",
            "file_name",
            "added_by",
            "added_at",
            "original",
            "identity",
            "withdrawn",
            "will_be_answered",
            "unanswered_because",
            "jobs",
        ]

    @extend_schema_field(IdentitySerializer(allow_null=True))
    def get_identity(self, scan: Scan) -> Any:
        """As it was when the scan was added."""
        found = getattr(scan, "identity", None)
        return None if found is None else IdentitySerializer(found).data

    def get_will_be_answered(self, scan: Scan) -> bool:
        """False at once where no active version reads the modality."""
        return not self.get_unanswered_because(scan)

    def get_unanswered_because(self, scan: Scan) -> str:
        """no_active_version, jobs_ended or scan_withdrawn."""
        return unanswered_because(scan, scan.image.jobs.all())

    @extend_schema_field(ScanWithdrawalSerializer(allow_null=True))
    def get_withdrawn(self, scan: Scan) -> Any:
        """By whom and why; None for a standing scan."""
        return ScanWithdrawalSerializer(scan.withdrawal).data if scan.is_withdrawn else None

    @extend_schema_field(
        serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2, allow_null=True)
    )
    def get_pixel_spacing(self, scan: Scan) -> list[float] | None:
        """As in DICOM PixelSpacing."""
        return [*scan.image.spacing] if scan.image.spacing else None
