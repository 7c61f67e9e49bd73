"""What a scan's head measures, beside the age that its case states.

Measured once by the engine (inference.engine.head.biometry) and stored with each answer; only the age that a
head circumference speaks for is computed here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from cases.models import Case
from inference.engine.head.biometry import FORMULA, age_days, contradicts
from inference.models import Prediction
from language.numbers import decimal


@dataclass(frozen=True)
class Biometry:
    """Head circumference and biparietal diameter (outer to outer) in mm, and two ages in days."""

    head_circumference_mm: float
    biparietal_mm: float
    measured_days: int | None
    stated_days: int | None

    @property
    def contradicts(self) -> bool:
        """The stated age is more than two weeks from that of the head."""
        return contradicts(self.measured_days, self.stated_days)

    @property
    def sentences(self) -> str:
        """Both measures and both ages, in words."""
        return sentences(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """For programs and for the report's content."""
        return {
            "head_circumference_mm": self.head_circumference_mm,
            "biparietal_mm": self.biparietal_mm,
            "gestational_age_days": self.measured_days,
            "stated_gestational_age_days": self.stated_days,
            "formula": FORMULA,
            "contradicts": self.contradicts,
        }


def biometry_of(predictions: Iterable[Prediction | None], stated_days: int | None) -> Biometry | None:
    """Of the first answer that measured a head; None where the scale is unknown or no head was found."""
    for one in predictions:
        around = one.quality.get("head_circumference_mm") if one else None
        if one and around is not None:
            return Biometry(around, one.quality["biparietal_mm"], age_days(around), stated_days)
    return None


def sentences(said: Mapping[str, Any]) -> str:
    """A biometry's JSON in words."""
    around, across = decimal(said["head_circumference_mm"], 0), decimal(said["biparietal_mm"], 0)
    told = gettext("Head circumference {around} mm, biparietal {across} mm (outer to outer)").format(
        around=around, across=across
    )
    if said["gestational_age_days"] is not None:
        age = Case(gestational_age_days=said["gestational_age_days"]).age_in_words
        told += gettext(": {age} by {formula}").format(age=age, formula=said["formula"])
    if said["contradicts"]:
        stated = Case(gestational_age_days=said["stated_gestational_age_days"]).age_in_words
        told += ". " + gettext(
            "The case states {stated}, more than two weeks from that: check the age and the scale"
        ).format(stated=stated)
    return told + "."
