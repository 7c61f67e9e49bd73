"""What the lists of model versions and of seats may be narrowed by."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from inference.models import Activation, Image, ModelVersion
from inference.registry import service as registry


class MomentField(IsoDateTimeField):  # type: ignore[misc]  # django-filter ships no types
    """A moment in UTC: PostgreSQL refuses offsets that ISO 8601 allows."""

    def to_python(self, value: Any) -> datetime | None:
        """Raises ValidationError also for a moment that no calendar holds in UTC."""
        moment: datetime | None = super().to_python(value)
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError:
            raise ValidationError(gettext("No such moment."), code="invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]  # django-filter ships no types
    """A date and time with any offset."""

    field_class = MomentField


class ModelVersionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Exact matches only."""

    network = filters.CharFilter()
    modality = filters.ChoiceFilter(choices=Image.Modality.choices)
    state = filters.ChoiceFilter(choices=ModelVersion.State.choices)


class SeatFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """One moment, now if it is left out."""

    at = MomentFilter(help_text="Now if left out.")

    def filter_queryset(self, queryset: QuerySet[Activation]) -> QuerySet[Activation]:  # noqa: ARG002
        """The intervals that contain the moment."""
        return registry.seats_at(self.form.cleaned_data["at"] or timezone.now())
