"""What a department knows of a patient, mended: a birth date that was mistyped."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from cases.access import lock_for_writing
from cases.models import BirthDateCorrection, Case, Patient
from inference.results.store import digest
from refusals import Refusal


@transaction.atomic
def correct_birth_date(case: Case, *, by: User, birth_date: date, reason: str) -> BirthDateCorrection:
    """Let the patient of a case have another birth date, in every case of the patient.

    Scans keep what was said when they were taken. The audit line names neither date: both stand in the row
    that it covers. Raises reason_needed, same_birth_date, patient_signed, case_signed, PermissionDenied.
    """
    patient = Patient.objects.select_for_update().get(pk=case.patient_id)
    case = lock_for_writing(case, by)
    # A signature of another case of the patient that is being written now is waited for.
    stages = list(
        Case.objects.filter(patient=patient)
        .select_for_update()
        .order_by("pk")
        .values_list("stage", flat=True)
    )
    if Case.Stage.SIGNED in stages:
        raise Refusal(
            "patient_signed",
            gettext(
                "A case of this patient is signed: the birth date stays as it was signed for. Say in an "
                "addendum to that case which one is right."
            ),
        )
    if not reason.strip():
        raise Refusal("reason_needed", gettext("Say why the birth date is corrected."))
    if birth_date == patient.birth_date:
        raise Refusal("same_birth_date", gettext("This is the birth date that the department knows already."))
    row = BirthDateCorrection.objects.create(
        patient=patient,
        before=patient.birth_date,
        after=birth_date,
        reason=reason.strip()[:300],
        corrected_by=by,
    )
    patient.birth_date = birth_date
    patient.save(update_fields=["birth_date"])
    record("patient.birth_date_corrected", actor=by, subject=row, thread=case.thread, digest=digest(row))
    return row
