"""What the list of cases may be narrowed by."""

from django_filters import rest_framework as filters

from cases.models import CaseQuerySet
from inference.api.filters import MomentFilter
from inference.models import Image


class CaseFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Exact matches, and a span of time."""

    number = filters.CharFilter(label="Case number, e.g. 2026-000142")
    patient_id = filters.CharFilter(field_name="patient__patient_id", label="The department's identifier")
    department = filters.CharFilter(field_name="department__slug", label="A department's slug")
    modality = filters.ChoiceFilter(
        choices=Image.Modality.choices, method="with_scan_of", label="Cases with a scan of this modality"
    )
    opened_after = MomentFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = MomentFilter(field_name="opened_at", lookup_expr="lt")

    def with_scan_of(self, queryset: CaseQuerySet, _name: str, modality: str) -> CaseQuerySet:
        """Each case once, however many scans it has."""
        return queryset.with_scans_of(modality)
