"""Is this scan of this case's patient? What a DICOM file says is compared with what the department knows."""

from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from cases.models import Case, Patient, Scan, ScanIdentity
from inference.formats import Identity
from inference.formats.identity import text
from inference.results.store import digest
from refusals import Refusal

MOST_REASON = 300


def contradictions(patient: Patient, said: Identity) -> list[str]:
    """The DICOM keywords in which a file contradicts the patient; what one does not say contradicts nothing.

    As the standard compares: spaces around an identifier mean nothing, upper and lower case differ.
    """
    found = []
    if said.patient_id and said.patient_id != text(patient.patient_id):
        found.append("PatientID")
    born = said.patient_birth_date
    if born and patient.birth_date and born != patient.birth_date:
        found.append("PatientBirthDate")
    return found


def refuse_another_patient(case: Case, said: Identity, *, reason: str) -> None:
    """Raises patient_mismatch for a file of another patient, unless a reader says why it belongs here.

    The sentence names both identifiers, for whoever holds the file: it is shown, and never kept.
    """
    mismatch = contradictions(case.patient, said)
    if not mismatch or reason.strip():
        return
    if "PatientID" in mismatch:
        sentence = gettext("The file is of patient {stated}, the case of {known}.")
        sentence = sentence.format(stated=said.patient_id[:64], known=case.patient.patient_id)
    else:
        sentence = gettext("The file gives another birth date than the case's patient has.")
    way_on = gettext("If it belongs here all the same, say why and add it again.")
    raise Refusal("patient_mismatch", f"{sentence} {way_on}", mismatch=mismatch)


def keep(scan: Scan, said: Identity, *, by: User, reason: str) -> ScanIdentity | None:
    """Keep what the file says beside its scan; None where it says nothing. reason: of an override."""
    if not said:
        return None
    mismatch = contradictions(scan.case.patient, said)
    row = ScanIdentity.objects.create(
        scan=scan,
        patient_id=said.patient_id[:64],
        patient_birth_date=said.patient_birth_date,
        accession_number=said.accession_number[:64],
        study_date=said.study_date,
        study_instance_uid=said.study_instance_uid,
        series_instance_uid=said.series_instance_uid,
        sop_instance_uid=said.sop_instance_uid,
        mismatch=mismatch,
        reason=reason.strip()[:MOST_REASON] if mismatch else "",
    )
    thread = scan.case.thread
    record("scan.identified", actor=by, subject=row, thread=thread, scan=scan.number, digest=digest(row))
    if mismatch:
        record(
            "scan.mismatch_overridden",
            actor=by,
            subject=scan,
            thread=thread,
            scan=scan.number,
            detail=", ".join(mismatch),
            reason=row.reason,
        )
    return row
