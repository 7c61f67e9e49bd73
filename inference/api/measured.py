"""What the API says of a measurement that a version proposes."""

from typing import Any, get_args

from rest_framework import serializers

from inference.engine.atrium.records import Side

SIDES = list(get_args(Side))


class ScaleSerializer(serializers.Serializer[Any]):
    """How large a square pixel is, and how that is known."""

    mm_per_pixel = serializers.FloatField()
    relative_error = serializers.FloatField(help_text="Standard deviation.")
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field, not where it is read from
        choices=["file", "calibration", "gestational_age"],
        help_text="Stated by the file, calibrated by hand, or estimated from the gestational age.",
    )


class ProposalSerializer(serializers.Serializer[Any]):
    """A caliper on an atrium, proposed and confirmed by nobody. Ends are (row, column) in pixels."""

    atrium = serializers.IntegerField(help_text="Its number, from 0.")
    frame = serializers.IntegerField()
    side = serializers.ChoiceField(
        choices=SIDES,
        help_text="Ultrasound: from the probe, beside where the midline runs along it. MRI: as the file's "
        "directions say, which in DICOM are the mother's; right is on the left of the picture.",
    )
    start = serializers.ListField(
        child=serializers.FloatField(), help_text="On the inner wall of the midline's side."
    )
    end = serializers.ListField(child=serializers.FloatField(), help_text="On the other inner wall.")
    width_px = serializers.FloatField(help_text="In square pixels.")
    error_px = serializers.FloatField(help_text="Standard deviation.")
    over_bpd = serializers.FloatField(help_text="Share of the head's short diameter; it never alarms.")
    scale = serializers.CharField(help_text="As above; empty where none is known.")
    width_mm = serializers.FloatField(allow_null=True)
    error_mm = serializers.FloatField(allow_null=True, help_text="Of measuring and of the scale.")
    probability = serializers.FloatField(allow_null=True, help_text="That it is 10 mm or more.")
    estimated = serializers.BooleanField(help_text="Millimetres by a gestational age: no severity follows.")


class MeasuredSerializer(serializers.Serializer[Any]):
    """What a version that measures has found; null for one that knows classes."""

    frame = serializers.IntegerField()
    measurable = serializers.BooleanField(help_text="Whether any atrium could be measured.")
    scale = ScaleSerializer(allow_null=True)
    atria = ProposalSerializer(many=True)
