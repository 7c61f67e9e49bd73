"""Very many cases at once, for measuring how pages behave when a hospital has read for years.

Rows are copied inside the database from one case with one answered scan; nothing of it passes the intake, the
queue or the audit, so this is for a demonstration department and never for a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Model

from cases.models import Case, Patient, Scan
from inference.models import Image, Job, Prediction
from refusals import Refusal

OPEN_IN = 1000
"""One case in so many is still open; the others are signed."""
MINUTES = 7
"""Between one case and the next."""


@dataclass(frozen=True)
class Template:
    """The rows that are copied: a case with one scan that a model has answered."""

    case: Case
    scan: Scan
    prediction: Prediction


def template_of(case: Case) -> Template:
    """Raises not_for_a_record for a case of a real department or without an answered scan."""
    scan = case.scans.active().select_related("image").first()
    answer = Prediction.objects.filter(image=scan.image).select_related("job").first() if scan else None
    if not case.department.is_demo or scan is None or answer is None:
        raise Refusal("not_for_a_record", "Copy an answered case of a demonstration department.")
    return Template(case, scan, answer)


@transaction.atomic
def seed(template: Template, first: int, last: int) -> None:
    """Copies number `first` to `last`; each number is copied once."""
    case, scan, answer = template.case, template.scan, template.prediction
    own = {name: _key(name) for name in ("patient", "case", "image", "scan", "job", "prediction")}
    opened = f"now() - n * interval '{MINUTES} minutes'"
    stage = f"CASE WHEN n %% {OPEN_IN} = 0 THEN 'to_read' ELSE 'signed' END"
    _copy(Patient, case.patient, first, last, {"id": own["patient"], "patient_id": "'SEED-' || n"})
    _copy(
        Case,
        case,
        first,
        last,
        {
            "id": own["case"],
            "number": "'S' || lpad(n::text, 12, '0')",
            "patient_id": own["patient"],
            "opened_at": opened,
            "stage": stage,
            "idempotency_key": "NULL",
        },
    )
    _copy(Image, scan.image, first, last, {"id": own["image"]})
    _copy(Scan, scan, first, last, {"id": own["scan"], "case_id": own["case"], "image_id": own["image"]})
    _copy(Job, answer.job, first, last, {"id": own["job"], "image_id": own["image"]})
    _copy(
        Prediction,
        answer,
        first,
        last,
        {"id": own["prediction"], "job_id": own["job"], "image_id": own["image"]},
    )


def _key(name: str) -> str:
    """A key that follows from the row's number, so that rows find each other without a look-up."""
    return f"md5('{name} ' || n)::uuid"


def _copy(table: type[Model], row: Model, first: int, last: int, changed: Mapping[str, str]) -> None:
    columns = [str(field.column) for field in table._meta.concrete_fields]
    values = [changed.get(column, f"row.{column}") for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    name = table._meta.db_table
    with connection.cursor() as cursor:
        # Names come from the models, numbers are numbers: nothing here was typed by anybody.
        cursor.execute(
            f"INSERT INTO {name} ({names}) SELECT {', '.join(values)} "  # noqa: S608
            f"FROM {name} row, generate_series(%s, %s) n WHERE row.id = %s",
            [first, last, row.pk],
        )
