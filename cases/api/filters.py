"""What the list of cases may be narrowed by."""

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from cases.models import Case, Scan
from inference.models import Image


class CaseFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Exact matches, and a span of time."""

    number = filters.CharFilter(label="Case number, e.g. 2026-000142")
    patient_id = filters.CharFilter(field_name="patient__patient_id", label="The department's identifier")
    department = filters.CharFilter(field_name="department__slug", label="A department's slug")
    modality = filters.ChoiceFilter(
        choices=Image.Modality.choices, method="with_scan_of", label="Cases with a scan of this modality"
    )
    opened_after = filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="lt")

    def with_scan_of(self, queryset: QuerySet[Case], _name: str, modality: str) -> QuerySet[Case]:
        """Each case once, however many scans it has."""
        scans = Scan.objects.filter(case=OuterRef("pk"), image__modality=modality)
        return queryset.filter(Exists(scans))
