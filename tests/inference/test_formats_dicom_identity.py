"""No identity leaves a DICOM file: a canary in every field that could hold one."""

import pydicom
import pytest
from corpus.dicoms import dataset, file, written
from corpus.pictures import noise
from corpus.reading import decode
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from inference.formats import FormatError, acquisition

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

CANARY = "CANARY"
SHAPED = {
    "DA": "19870605",
    "TM": "101112",
    "DT": "19870605101112",
    "AS": "033Y",
    "UI": "1.2.987654321",
    "DS": "987.654",
    "IS": "987654",
    "AE": CANARY,
}


def everything_that_could_name_someone() -> Dataset:
    """A sound picture with a canary in every text, date and number the standard's dictionary knows."""
    made = dataset(noise(40, 50))
    kept = {*acquisition.KEYWORDS, *made.dir()}
    for tag, (vr, multiplicity, _, retired, keyword) in pydicom.datadict.DicomDictionary.items():
        if not keyword or keyword in kept or retired or tag >> 16 in (0, 2, 4, 0x28, 0x54, 0x7FE0):
            continue
        if keyword in ("PixelSpacing", "ImagerPixelSpacing") or multiplicity.startswith(("2", "3", "6")):
            continue
        if vr in SHAPED or vr in ("PN", "LO", "SH", "CS", "LT", "ST", "UT", "UC"):
            setattr(made, keyword, SHAPED.get(vr, CANARY))
    block = made.private_block(0x0011, "CANARY HOLDER", create=True)
    block.add_new(0x01, "LO", CANARY)
    nested = Dataset()
    nested.PatientName = CANARY
    made.RequestAttributesSequence = Sequence([nested])
    return made


def test_no_identity_uid_date_or_free_text_reaches_the_stack():
    made = everything_that_could_name_someone()
    made.PixelData = noise(40, 50).tobytes()
    content = written(made)
    assert content.count(CANARY.encode()) > 300
    stack = decode(content, "mri")
    shown = repr(stack) + repr(dict(stack.acquisition))
    for secret in (CANARY, *SHAPED.values()):
        assert secret not in shown
        assert secret.encode() not in stack.pixels.tobytes()


def test_free_text_in_an_allowed_field_is_dropped_when_it_is_not_what_the_field_promises():
    made = file(noise(40, 50), Manufacturer="ACME; for Mrs X, born 1/1/90", BodyPartExamined="head of X")
    assert set(decode(made, "mri").acquisition).isdisjoint({"Manufacturer", "BodyPartExamined"})


def test_the_acquisition_is_kept():
    stated = {
        "Manufacturer": "ACME",
        "MagneticFieldStrength": 1.5,
        "EchoTime": 90.0,
        "SliceThickness": 3.0,
        "SequenceName": "*hast2d1",
        "ScanningSequence": ["SE", "IR"],
        "BurnedInAnnotation": "YES",
    }
    kept = decode(file(noise(40, 50), **stated), "mri").acquisition
    assert kept == {
        **stated,
        "ScanningSequence": "SE\\IR",
        "Modality": "MR",
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsStored": 8,
    }


def test_a_refusal_never_quotes_the_file():
    made = dataset(noise(40, 50), PatientName=CANARY, StudyDescription=CANARY)
    made.PixelData = b"\0" * 10
    with pytest.raises(FormatError) as refusal:
        decode(written(made), "mri")
    assert CANARY not in refusal.value.detail
