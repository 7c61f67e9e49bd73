"""Where a DICOM file belongs: its series, its place in the patient, and whose it says it is. Pure Python.

Nothing of it is decoded, and nothing of it is kept: it sorts files that came together, before any is read.
"""

import math
from dataclasses import dataclass

from inference.formats.headers import dicom
from inference.formats.identity import Identity, day, text
from inference.formats.limits import Data

TAGS = {
    "ImageType": 0x00080008,
    "SOPInstanceUID": 0x00080018,
    "SeriesDescription": 0x0008103E,
    "PatientID": 0x00100020,
    "PatientBirthDate": 0x00100030,
    "SliceThickness": 0x00180050,
    "EchoTime": 0x00180081,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "AcquisitionNumber": 0x00200012,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "TemporalPositionIdentifier": 0x00200100,
    "PixelSpacing": 0x00280030,
}
LONGEST_WORDS = 64
DERIVED_FROM = {
    "MPR": "a reformat",
    "PROJECTION IMAGE": "a projection",
    "MIP": "a projection",
    "MINIP": "a projection",
    "ADC": "a map",
    "FA": "a map",
    "TRACEW": "a map",
    "SUBTRACTION": "a subtraction",
}
"""What ImageType says of pictures that were made from others, in words."""

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Place:
    """What is not said, or not readable, is "" or (). Lengths in mm, EchoTime in ms.

    position: ImagePositionPatient; orientation: ImageOrientationPatient, row before column direction.
    derived: in words, where the file says that it was made from others.
    """

    study: str
    series: str
    series_number: str
    description: str
    instance: str
    position: Numbers
    orientation: Numbers
    spacing: Numbers
    thickness: Numbers
    echo_time: Numbers
    acquisition: str
    moment: str
    derived: str
    identity: Identity


def place_of(data: Data) -> Place:
    """Raises Refusal for a file whose elements cannot be walked."""
    values = dicom.leading_values(data, set(TAGS.values()))

    def said(keyword: str) -> str:
        return text(_decoded(values.get(TAGS[keyword], b"")))

    def numbers(keyword: str, count: int) -> Numbers:
        return _numbers(said(keyword), count)

    return Place(
        study=said("StudyInstanceUID"),
        series=said("SeriesInstanceUID"),
        series_number=said("SeriesNumber")[:12],
        description=said("SeriesDescription")[:LONGEST_WORDS],
        instance=said("SOPInstanceUID"),
        position=numbers("ImagePositionPatient", 3),
        orientation=numbers("ImageOrientationPatient", 6),
        spacing=numbers("PixelSpacing", 2),
        thickness=numbers("SliceThickness", 1),
        echo_time=numbers("EchoTime", 1),
        acquisition=said("AcquisitionNumber"),
        moment=said("TemporalPositionIdentifier"),
        derived=_derived(said("ImageType")),
        identity=Identity(
            patient_id=said("PatientID"),
            patient_birth_date=day(said("PatientBirthDate")),
            series_instance_uid=said("SeriesInstanceUID"),
        ),
    )


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _numbers(value: str, count: int) -> Numbers:
    try:
        found = tuple(float(one) for one in value.split("\\"))
    except ValueError:
        return ()
    return found if len(found) == count and all(math.isfinite(one) for one in found) else ()


def _derived(image_type: str) -> str:
    values = [one.strip() for one in image_type.upper().split("\\")]
    if values[:1] != ["DERIVED"]:
        return ""
    return next((DERIVED_FROM[one] for one in values if one in DERIVED_FROM), "")
