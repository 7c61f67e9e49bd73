"""What the lists of model versions and of seats may be narrowed by."""

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters

from inference import registry
from inference.models import Activation, Image, ModelVersion


class ModelVersionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Exact matches only."""

    network = filters.CharFilter()
    modality = filters.ChoiceFilter(choices=Image.Modality.choices)
    state = filters.ChoiceFilter(choices=ModelVersion.State.choices)


class SeatFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """One moment, now if it is left out."""

    at = filters.IsoDateTimeFilter(help_text="Now if left out.")

    def filter_queryset(self, queryset: QuerySet[Activation]) -> QuerySet[Activation]:  # noqa: ARG002
        """The intervals that contain the moment."""
        return registry.seats_at(self.form.cleaned_data["at"] or timezone.now())
