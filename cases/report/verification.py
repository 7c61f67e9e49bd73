"""Does the report of a signed case still say what its rows say, and does it rest on nothing else?"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db.models import Model

from audit.rows import fitting
from blobs.models import Blob
from cases.models import (
    AdviceAnswer,
    AtriumStatement,
    Case,
    Confirmation,
    Measurement,
    Read,
    Scan,
    ScanIdentity,
    ScanWithdrawal,
    SignOff,
    Withdrawal,
)
from cases.report.content import FORM, facts_of
from inference.results.store import digest

OF_A_CASE: Mapping[type[Model], str] = {
    Scan: "case",
    ScanIdentity: "scan__case",
    ScanWithdrawal: "scan__case",
    Read: "case",
    Confirmation: "read__case",
    Measurement: "scan__case",
    Withdrawal: "measurement__scan__case",
    AtriumStatement: "case",
    AdviceAnswer: "advice__case",
}
"""What people write to a case, and the way from there to the case."""


def signed_faults() -> Iterator[str]:
    """One sentence for each difference between a signed report and the rows behind it."""
    for signature in SignOff.objects.select_related("case__patient", "case__department"):
        try:
            found = list(_differences(signature))
        except (LookupError, TypeError, ValueError, AttributeError):
            found = ["what was signed cannot be read"]
        for difference in found:
            yield f"case {signature.case.number} is not what was signed: {difference}"


def _differences(signature: SignOff) -> Iterator[str]:
    """A signature of the earlier form named reads and measurements, and scans by their hashes."""
    case, content = signature.case, signature.content
    if content.get("form") == FORM:
        signed = content["rests_on"]
        yield from _other_facts(content["case"], facts_of(case))
        yield from _lost_pictures(content)
        yield from _added(case, signed)
        yield from _changed(signed)
    else:
        signed = {f"{Read._meta.label} {one['id']}": one["digest"] for one in content["reads"]}
        signed |= {f"{Measurement._meta.label} {one['id']}": one["digest"] for one in content["measurements"]}
        scans = {one["sha256"] for one in content["scans"]}
        if scans != set(case.scans.values_list("original_sha256", flat=True)):
            yield "its scans are others"
        yield from _changed_since_form_1(signed)


def _other_facts(signed: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, value in now.items():
        if name != "department" and signed.get(name) != value:  # a department may be given another name
            yield f"{name} was {signed.get(name)!r} and is {value!r}"


def _changed(signed: Mapping[str, str]) -> Iterator[str]:
    """signed: digests by table and key, of audit.rows."""
    for table, keys in _by_table(signed).items():
        rows = {str(key) for key in table._default_manager.filter(pk__in=keys).values_list("pk", flat=True)}
        fits = fitting(table, keys)
        for key in keys:
            if key not in rows:
                yield f"{_name(table)} {key} is gone"
            elif (key, signed[f"{table._meta.label} {key}"]) not in fits:
                yield f"{_name(table)} {key} was changed"


def _changed_since_form_1(signed: Mapping[str, str]) -> Iterator[str]:
    """signed: the same, of inference.results.store.digest."""
    for table, keys in _by_table(signed).items():
        rows = {str(row.pk): row for row in table._default_manager.filter(pk__in=keys)}
        for key in keys:
            if key not in rows:
                yield f"{_name(table)} {key} is gone"
            elif digest(rows[key]) != signed[f"{table._meta.label} {key}"]:
                yield f"{_name(table)} {key} was changed"


def _by_table(signed: Iterable[str]) -> dict[type[Model], list[str]]:
    keys: dict[type[Model], list[str]] = defaultdict(list)
    for name in signed:
        table, key = name.split()
        keys[apps.get_model(table)].append(key)
    return keys


def _added(case: Case, signed: Mapping[str, str]) -> Iterator[str]:
    for table, path in OF_A_CASE.items():
        for key in table._default_manager.filter(**{path: case}).values_list("pk", flat=True):
            if f"{table._meta.label} {key}" not in signed:
                yield f"{_name(table)} {key} was added"


def _lost_pictures(content: Mapping[str, Any]) -> Iterator[str]:
    """Bytes that changed are found with every other blob."""
    named = {one["sha256"] for scan in content["scans"] for one in scan["pictures"]} - {""}
    for sha256 in named - set(Blob.objects.filter(pk__in=named).values_list("pk", flat=True)):
        yield f"the picture {sha256} is gone"


def _name(table: type[Model]) -> str:
    return str(table._meta.verbose_name)
