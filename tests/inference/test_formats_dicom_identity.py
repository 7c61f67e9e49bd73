"""No identity leaves a DICOM file: a canary in every field that could hold one."""

from datetime import date
from pathlib import Path

import pydicom
import pytest
from corpus.dicoms import SYNTAXES, dataset, file, written
from corpus.pictures import noise, saved
from corpus.reading import decode
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from inference.formats import Identity, acquisition, read, read_identified
from inference.formats.identity import identity_of
from refusals import Refusal

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
    with pytest.raises(Refusal) as refusal:
        decode(written(made), "mri")
    assert CANARY not in refusal.value.detail


SAID = {
    "PatientID": "P-1",
    "PatientBirthDate": "19870605",
    "AccessionNumber": "A-77",
    "StudyDate": "20261103",
    "StudyInstanceUID": "1.2.3",
    "SeriesInstanceUID": "1.2.3.4",
}


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("syntax", SYNTAXES[:-1])  # compressing makes a new SOPInstanceUID
def test_patient_and_study_reach_the_upload_door_beside_the_stack(tmp_path, syntax):
    path = stored(tmp_path, file(noise(40, 50), syntax=syntax, PatientName=CANARY, **SAID))
    stack, identity = read_identified(path, modality="mri")
    assert identity == Identity(
        "P-1", date(1987, 6, 5), "A-77", date(2026, 11, 3), "1.2.3", "1.2.3.4", "1.2.3.4"
    )
    shown = repr(stack) + repr(dict(stack.acquisition)) + repr(identity)
    assert not any(secret in shown for secret in (CANARY, "P-1", "A-77", "1987", "1.2.3"))


def test_nobody_else_is_told_of_a_patient(tmp_path):
    path = stored(tmp_path, file(noise(40, 50), **SAID))
    assert type(read(path, modality="mri")).__name__ == "PictureStack"


def test_a_picture_and_a_dicom_file_without_these_tags_say_nothing(tmp_path):
    assert not read_identified(stored(tmp_path, saved(noise(40, 50))), modality="mri")[1]
    made = dataset(noise(40, 50))
    del made.SOPInstanceUID
    made.PixelData = noise(40, 50).tobytes()
    assert not read_identified(stored(tmp_path, written(made)), modality="mri")[1]


@pytest.mark.parametrize(
    ("stored_as", "meant"),
    [
        (" P-1 ", "P-1"),
        ("P-1\0", "P-1"),
        ("p-1", "p-1"),
        ("P\0-1", "P\ufffd-1"),
        ("\ud800", "\ufffd"),
        (["P-1"], ""),
        (None, ""),
        (7, ""),
    ],
)
def test_spaces_around_a_text_mean_nothing_and_what_no_text_may_hold_equals_nothing(stored_as, meant):
    assert identity_of({"PatientID": stored_as}).patient_id == meant


@pytest.mark.parametrize(
    ("stored_as", "meant"),
    [
        ("19870605", date(1987, 6, 5)),
        ("1987.06.05", date(1987, 6, 5)),
        ("19870631", None),
        ("198706", None),
        ("1987.0605", None),
        ("19870605-", None),
        ("", None),
    ],
)
def test_a_date_is_one_or_is_not_known(stored_as, meant):
    assert identity_of({"PatientBirthDate": stored_as}).patient_birth_date == meant


def test_a_patients_id_is_read_in_the_files_own_character_set(tmp_path):
    made = file(noise(40, 50), SpecificCharacterSet="ISO_IR 192", PatientID="Ж-1")
    assert read_identified(stored(tmp_path, made), modality="mri")[1].patient_id == "Ж-1"
