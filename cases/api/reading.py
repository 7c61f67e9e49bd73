"""What readers made of a case, for programs that carry it on: reads, measurements, signature, addenda.

Programs read it; only people file reads, measure and sign, and they do it on the case page.
"""

import uuid
from typing import Any, ClassVar, get_args

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.trail import record
from cases.api import visible
from cases.models import Addendum, AtriumStatement, Case, Measurement, Read, SignOff
from cases.review.atria import Atrium
from cases.review.calls import FIRST, Call, ScanCall
from cases.review.measurements import CHECKLIST, Width, is_provisional, unconfirmed
from cases.review.panel import ReviewPanel, review_panel
from cases.review.priors import Prior, priors_of, record_shown
from cases.review.proposals import origin_of
from inference.api.serializers import NOTICE
from inference.engine.uncertainty.undecided import Reason


class ReadSerializer(serializers.ModelSerializer[Read]):
    """What one reader found; it never changes."""

    reader = serializers.CharField(source="reader.username", read_only=True)
    unblinded = serializers.BooleanField(
        read_only=True,
        allow_null=True,
        help_text="Of a blind or second read: whether its reader had been shown answers or others' findings.",
    )
    confirmed_by = serializers.SerializerMethodField(
        help_text="Who stands for a joint read as well; null while nobody does."
    )
    scans = serializers.ListField(child=serializers.CharField(), read_only=True)
    shown_sha256 = serializers.SerializerMethodField(
        help_text="Of everything its form showed, as `shown_sha256` of the case was then."
    )

    class Meta:
        model = Read
        fields: ClassVar = [
            "id", "kind", "reader", "finding", "laterality", "note", "called", "agrees", "reason",
            "unblinded", "confirmed_by", "scans", "shown_sha256", "seconds", "created_at",
        ]  # fmt: skip

    def get_confirmed_by(self, read: Read) -> str | None:
        """A user name."""
        row = getattr(read, "confirmation", None)
        return row.confirmed_by.username if row else None

    def get_shown_sha256(self, read: Read) -> str | None:
        """None for a read from before it was kept."""
        return (read.shown or {}).get("sha256")


class OriginSerializer(serializers.Serializer[Any]):
    """The proposed caliper that a reader confirmed or moved; its ends are (row, column) in pixels."""

    prediction = serializers.UUIDField(help_text="The answer that proposed it.")
    network = serializers.CharField()
    version = serializers.CharField()
    atrium = serializers.IntegerField(help_text="Which of the answer's atria, from 0.")
    start = serializers.ListField(child=serializers.FloatField())
    end = serializers.ListField(child=serializers.FloatField())
    moved_px = serializers.FloatField(help_text="How far the reader moved the farther end.")
    moved_mm = serializers.FloatField(allow_null=True, help_text="null without the file's scale")
    estimated_mm = serializers.FloatField(
        allow_null=True, help_text="The length by a scale that a gestational age gave: no severity follows."
    )


class MeasurementSerializer(serializers.ModelSerializer[Measurement]):
    """A distance between two points of a frame; start and end are (row, column) in pixels."""

    scan = serializers.IntegerField(source="scan.number", read_only=True, help_text="The scan's number.")
    start = serializers.ListField(child=serializers.FloatField(), read_only=True)
    end = serializers.ListField(child=serializers.FloatField(), read_only=True)
    checklist = serializers.DictField(child=serializers.BooleanField(), read_only=True)
    made_by = serializers.CharField(source="made_by.username", read_only=True)
    is_provisional = serializers.SerializerMethodField(
        help_text="An atrial width whose measuring plane is not confirmed in full: nothing follows from it."
    )
    not_confirmed = serializers.SerializerMethodField(
        help_text="The points of the checklist that are missing."
    )
    proposal = serializers.SerializerMethodField(help_text="null for a line of the reader's own")
    withdrawn = serializers.SerializerMethodField(help_text="Why it no longer counts; null while it does.")
    calibration = serializers.UUIDField(
        source="calibration_id",
        read_only=True,
        allow_null=True,
        help_text="What the millimetres rest on, where the file states none.",
    )

    class Meta:
        model = Measurement
        fields: ClassVar = [
            "id", "scan", "frame", "across", "tool", "side", "start", "end", "length_px", "length_mm",
            "pixel_spacing_source", "calibration", "checklist", "is_provisional", "not_confirmed", "proposal",
            "made_by", "withdrawn", "created_at",
        ]  # fmt: skip

    def get_is_provisional(self, measurement: Measurement) -> bool:
        """Whether the plane is not confirmed."""
        return is_provisional(measurement)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=list(CHECKLIST))))
    def get_not_confirmed(self, measurement: Measurement) -> list[str]:
        """None of a plain distance, which has no checklist."""
        return unconfirmed(measurement.checklist) if measurement.checklist else []

    @extend_schema_field(OriginSerializer(allow_null=True))
    def get_proposal(self, measurement: Measurement) -> dict[str, Any] | None:
        """What it came from, and how far it was moved."""
        origin = origin_of(measurement)
        return origin.as_json() if origin else None

    def get_withdrawn(self, measurement: Measurement) -> str | None:
        """The reason."""
        return measurement.withdrawn_because or None


class SignatureSerializer(serializers.ModelSerializer[SignOff]):
    """Name, time, meaning, and the hash of what was signed."""

    class Meta:
        model = SignOff
        fields: ClassVar = ["id", "name", "meaning", "content_sha256", "signed_at"]


class AddendumSerializer(serializers.ModelSerializer[Addendum]):
    """What was found out after the signature."""

    class Meta:
        model = Addendum
        fields: ClassVar = ["id", "name", "text", "previous_sha256", "content_sha256", "written_at"]


class WidthSerializer(serializers.Serializer[Any]):
    """An atrial width that stands, with its severity under the department's scheme."""

    mm = serializers.FloatField()
    is_provisional = serializers.BooleanField(
        help_text="Its measuring plane is not confirmed in full: no severity and no grey zone."
    )
    severity = serializers.CharField(allow_blank=True)
    scheme = serializers.CharField()
    is_grey = serializers.BooleanField(help_text="Between 9 and 11 mm: measure again.")


class UnseenSerializer(serializers.ModelSerializer[AtriumStatement]):
    """Why an atrium cannot be measured."""

    stated_by = serializers.CharField(source="stated_by.username", read_only=True)

    class Meta:
        model = AtriumStatement
        fields: ClassVar = ["id", "reason", "note", "stated_by", "created_at"]


class AtriumSerializer(serializers.Serializer[Atrium]):
    """One side. width: the widest confirmed one, else the widest provisional one; null without any in mm."""

    side = serializers.ChoiceField(choices=AtriumStatement.Side.choices)
    width = serializers.SerializerMethodField()
    unseen = UnseenSerializer(allow_null=True)
    is_settled = serializers.BooleanField(
        help_text="It has a confirmed width, or a reason why there is none."
    )

    @extend_schema_field(WidthSerializer(allow_null=True))
    def get_width(self, atrium: Atrium) -> dict[str, Any] | None:
        """In mm."""
        return _width(atrium.width, self.context["panel"])


class ScanCallSerializer(serializers.Serializer[ScanCall]):
    """What the models call one scan, and why nothing is decided where it is undecided."""

    scan = serializers.IntegerField(source="number", help_text="The scan's number.")
    label = serializers.ChoiceField(choices=FIRST)  # type: ignore[assignment]  # the metaclass takes it for a field
    leading = serializers.UUIDField(
        source="leading.pk", default=None, allow_null=True, help_text="The answer that decides."
    )
    experimental = serializers.BooleanField(
        help_text="Do not rely on it: no version behind it meets the rule for use."
    )
    reasons = serializers.ListField(
        child=serializers.ChoiceField(choices=get_args(Reason)),
        help_text=(
            "Why it is undecided: the leading interval crosses its threshold (turns), another view would "
            "turn it (doubt), others contradict it (opposed), its slices are too thick to exclude a "
            "wide ventricle (coarse), the leading version refused (refused)."
        ),
    )


class CallSerializer(serializers.Serializer[Call]):
    """What the models call the case, by the department's rule. Nothing agrees or differs with undecided."""

    label = serializers.ChoiceField(choices=FIRST)  # type: ignore[assignment]
    experimental = serializers.BooleanField(
        help_text="Do not rely on it; of a signed case, as it was signed."
    )
    scans = ScanCallSerializer(many=True)
    unanswered = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Numbers of the scans on which the call does not rest yet.",
    )


class PriorSerializer(serializers.Serializer[Prior]):
    """An earlier case of the patient. finding and width are those of a signed one, null before."""

    case = serializers.HyperlinkedRelatedField(  # type: ignore[var-annotated]  # read only
        view_name="api:case", read_only=True
    )
    number = serializers.CharField(source="case.number")
    day = serializers.DateField(help_text="Of the study, else the day on which the case was opened.")
    gestational_age_days = serializers.IntegerField(source="case.gestational_age_days", allow_null=True)
    finding = serializers.ChoiceField(
        source="signature.read.finding", choices=Read.Finding.choices, default=None, allow_null=True
    )
    width = serializers.SerializerMethodField()
    is_same_pregnancy = serializers.BooleanField(
        allow_null=True,
        help_text="Whether the ages fit the days between; null where an age is not known.",
    )

    @extend_schema_field(WidthSerializer(allow_null=True))
    def get_width(self, prior: Prior) -> dict[str, Any] | None:
        """The widest atrium, in mm."""
        return _width(prior.width, self.context["panel"])


class ReadingSerializer(serializers.Serializer[ReviewPanel]):
    """Everything readers filed about a case. A reader who reads first is shown no other's findings."""

    stage = serializers.ChoiceField(source="case.stage", choices=Case.Stage.choices)
    shown_sha256 = serializers.CharField(
        source="shown.sha256",
        help_text="Of all that this user may be shown of the case now: scans, answers, measurements, reads.",
    )
    reads = serializers.SerializerMethodField()
    call = CallSerializer(
        source="called",
        allow_null=True,
        help_text="null while no model has answered, or while answers are hidden from this reader",
    )
    measurements = MeasurementSerializer(many=True)
    width = serializers.SerializerMethodField()
    atria = serializers.SerializerMethodField()
    conflict = serializers.CharField(
        help_text="wide or narrow where the caliper says so and the models do not"
    )
    signature = SignatureSerializer(allow_null=True)
    addenda = AddendumSerializer(many=True)
    priors = serializers.SerializerMethodField()
    notice = serializers.SerializerMethodField()

    @extend_schema_field(ReadSerializer(many=True))
    def get_reads(self, found: ReviewPanel) -> Any:
        """Those that cover every scan of the case."""
        return ReadSerializer([] if found.hidden else found.reads, many=True).data

    @extend_schema_field(WidthSerializer(allow_null=True))
    def get_width(self, found: ReviewPanel) -> dict[str, Any] | None:
        """The widest confirmed one, else the widest provisional one; None without any in mm."""
        return _width(found.width, found)

    @extend_schema_field(AtriumSerializer(many=True))
    def get_atria(self, found: ReviewPanel) -> Any:
        """Left and right."""
        context = {"panel": found}
        return [AtriumSerializer(atrium, context=context).data for atrium in found.atria]

    @extend_schema_field(PriorSerializer(many=True))
    def get_priors(self, found: ReviewPanel) -> Any:
        """The patient's earlier cases, as far as this user may see them, the newest first."""
        context = {**self.context, "panel": found}
        return PriorSerializer(self.context["priors"], many=True, context=context).data

    def get_notice(self, _found: ReviewPanel) -> str:
        """Said wherever a finding is shown."""
        return NOTICE


def _width(width: Width | None, panel: ReviewPanel) -> dict[str, Any] | None:
    if width is None:
        return None
    return {
        "mm": width.mm,
        "is_provisional": width.is_provisional,
        "severity": width.severity,
        "scheme": panel.rules.severity_scheme,
        "is_grey": width.is_grey,
    }


class Reading(GenericAPIView[Case]):
    """What readers made of a case."""

    serializer_class: Any = ReadingSerializer
    queryset = Case.objects.none()
    pagination_class = None
    filter_backends = ()

    @extend_schema(summary="Read what readers found", tags=["cases"], responses=ReadingSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Stage, reads, measurements, signature, addenda, and the patient's earlier cases."""
        user = visible.user_of(request)
        case = get_object_or_404(visible.cases(user), pk=pk)
        panel = review_panel(case, user)
        record("case.viewed", actor=user, subject=case, thread=case.thread, unblinded=panel.unblinds)
        priors = priors_of(case, user, panel.rules.scheme)
        record_shown(priors, case, user)
        context = {**self.get_serializer_context(), "priors": priors}
        return Response(ReadingSerializer(panel, context=context).data)
