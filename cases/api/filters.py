"""What the list of cases may be narrowed by."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django_filters import rest_framework as filters

from cases.models import CaseQuerySet, ScanIdentity
from inference.api.filters import MomentFilter
from inference.models import Image


class CaseFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Exact matches, and a span of time."""

    number = filters.CharFilter(label="Case number, e.g. 2026-000142")
    patient_id = filters.CharFilter(field_name="patient__patient_id", label="The department's identifier")
    accession_number = filters.CharFilter(
        method="with_scan_that_says", label="Of a scan, as its file says it"
    )
    study_instance_uid = filters.CharFilter(method="with_scan_that_says", label="Of a scan's study")
    series_instance_uid = filters.CharFilter(method="with_scan_that_says", label="Of a scan's series")
    sop_instance_uid = filters.CharFilter(method="with_scan_that_says", label="Of a scan")
    study_date = filters.DateFilter(method="with_study_of", label="Of a scan's study, e.g. 2026-11-03")
    department = filters.CharFilter(field_name="department__slug", label="A department's slug")
    modality = filters.ChoiceFilter(
        choices=Image.Modality.choices, method="with_scan_of", label="Cases with a scan of this modality"
    )
    opened_after = MomentFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = MomentFilter(field_name="opened_at", lookup_expr="lt")

    def with_study_of(self, queryset: CaseQuerySet, name: str, value: date) -> CaseQuerySet:
        """Each case once, by the day of a study."""
        return _said_of_a_scan(queryset, {name: value})

    def with_scan_that_says(self, queryset: CaseQuerySet, name: str, value: str) -> CaseQuerySet:
        """Each case once; a withdrawn scan finds its case too, for it is on record there."""
        return _said_of_a_scan(queryset, {name: value})

    def with_scan_of(self, queryset: CaseQuerySet, _name: str, modality: str) -> CaseQuerySet:
        """Each case once, however many scans it has."""
        return queryset.with_scans_of(modality)


def _said_of_a_scan(queryset: CaseQuerySet, said: dict[str, Any]) -> CaseQuerySet:
    return queryset.filter(Exists(ScanIdentity.objects.filter(scan__case=OuterRef("pk"), **said)))
