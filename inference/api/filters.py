"""What a list of model versions may be narrowed by."""

from django_filters import rest_framework as filters

from inference.models import Image, ModelVersion


class ModelVersionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Exact matches only."""

    network = filters.CharFilter()
    modality = filters.ChoiceFilter(choices=Image.Modality.choices)
    state = filters.ChoiceFilter(choices=ModelVersion.State.choices)
