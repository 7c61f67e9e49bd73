"""What a DICOM file says of patient and study: for the upload door alone, beside the stack and never in it.

The decoding child writes it to a channel of its own, and only when its parent has opened one. Nothing in
this package or behind it stores it, logs it or puts it into a name. Values keep the standard's rules
(PS3.5, 6.2): spaces around a text mean nothing, upper and lower case differ.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

KEYWORDS = (
    "PatientID",
    "PatientBirthDate",
    "AccessionNumber",
    "StudyDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
)
LONGEST = 1024
"""Characters of one value: many times what the standard allows, so that what is compared is whole."""

_UID = re.compile(r"[0-9.]{1,64}")
_DATE = re.compile(r"(\d{4})(\.?)(\d\d)\2(\d\d)")  # with dots in files older than DICOM
_UNREADABLE = frozenset({"Cc", "Cs"})


@dataclass(frozen=True, repr=False)  # no repr: a traceback or a log line must not hold it
class Identity:
    """ "" or None where the file does not say, or says it as the standard does not allow."""

    patient_id: str = ""
    patient_birth_date: date | None = None
    accession_number: str = ""
    study_date: date | None = None
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""

    def __bool__(self) -> bool:
        """Whether the file says anything at all."""
        return self != Identity()


def identity_of(values: Mapping[str, object]) -> Identity:
    """Out of values by keyword, as a file or the decoding child hands them over: none of them is trusted."""
    said = {keyword: text(values.get(keyword)) for keyword in KEYWORDS}
    return Identity(
        patient_id=said["PatientID"],
        patient_birth_date=day(said["PatientBirthDate"]),
        accession_number=said["AccessionNumber"],
        study_date=day(said["StudyDate"]),
        study_instance_uid=_uid(said["StudyInstanceUID"]),
        series_instance_uid=_uid(said["SeriesInstanceUID"]),
        sop_instance_uid=_uid(said["SOPInstanceUID"]),
    )


def text(value: object) -> str:
    """A value without its padding; what no text may hold becomes U+FFFD, so that it equals nothing."""
    if not isinstance(value, str):
        return ""
    inner = value[:LONGEST].strip(" \0")
    return "".join("\ufffd" if unicodedata.category(one) in _UNREADABLE else one for one in inner)


def day(value: str) -> date | None:
    """A date as DICOM writes it; None for any other text."""
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def _uid(value: str) -> str:
    return value if _UID.fullmatch(value) else ""
