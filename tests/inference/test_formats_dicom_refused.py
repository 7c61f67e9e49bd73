"""DICOM files that hold no sound picture, each with its reason."""

import pytest
from corpus import dicoms
from corpus.dicoms import PYDICOM_FILES, dataset, file, patched, written
from corpus.pictures import noise
from corpus.reading import decode
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from refusals import Refusal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

PLAIN = file(noise(40, 50))
PACKED = file(noise(40, 50), syntax=dicoms.RLELossless)


def without(*keywords: str) -> bytes:
    made = dataset(noise(40, 50))
    made.PixelData = noise(40, 50).tobytes()
    for keyword in keywords:
        delattr(made, keyword)
    return written(made)


def numbered(frames: bytes) -> bytes:
    """Three frames that claim to be another number of them, written in as many characters."""
    content = file(noise(3, 40, 50), NumberOfFrames=int(b"1" * len(frames)))
    return patched(content, b"\x28\0\x08\0", b"IS", frames)


def deep_sequence(depth: int) -> bytes:
    """Sequences of undefined length, one inside another."""
    tag = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    place = PLAIN.index(b"\x28\0\x02\0US")
    return PLAIN[:place] + (tag + item) * depth + PLAIN[place:]


REFUSED = {
    "no pixel data": (without("PixelData"), "no_pixel_data"),
    "a structured report": ((PYDICOM_FILES / "test-SR.dcm").read_bytes(), "no_pixel_data"),
    "a list of files": ((PYDICOM_FILES / "dicomdirtests" / "DICOMDIR").read_bytes(), "unsupported_type"),
    "no rows": (without("Rows"), "dimensions"),
    "no rows at all": (patched(PLAIN, b"\x28\0\x10\0", b"US", b"\0\0"), "dimensions"),
    "65535 rows, native": (patched(PLAIN, b"\x28\0\x10\0", b"US", b"\xff\xff"), "dimensions"),
    "65535 squared, RLE": (
        patched(patched(PACKED, b"\x28\0\x10\0", b"US", b"\xff\xff"), b"\x28\0\x11\0", b"US", b"\xff\xff"),
        "dimensions",
    ),
    "7 bits": (patched(PLAIN, b"\x28\0\x00\x01", b"US", b"\x07\0"), "undecodable"),
    "more bits stored than allocated": (patched(PLAIN, b"\x28\0\x01\x01", b"US", b"\x0c\0"), "undecodable"),
    "a high bit elsewhere": (patched(PLAIN, b"\x28\0\x02\x01", b"US", b"\x05\0"), "undecodable"),
    "5 samples": (patched(PLAIN, b"\x28\0\x02\0", b"US", b"\x05\0"), "undecodable"),
    "an unknown colour space": (without("PhotometricInterpretation"), "undecodable"),
    "100000 frames": (numbered(b"100000"), "frames"),
    "a thousand frames that are not there": (numbered(b"1000"), "undecodable"),
    "minus one frame": (numbered(b"-1"), "frames"),
    "frames that are no number": (numbered(b"1A"), "frames"),
    "cut short": (PLAIN[:-1], "undecodable"),
    "cut short, compressed": (PACKED[: len(PACKED) * 2 // 3], "undecodable"),
    "cut short in the header": (PLAIN[:300], "undecodable"),
    "only the prefix": (PLAIN[:132], "undecodable"),
    "an unknown compression": (
        PLAIN.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.7\0"),
        "unsupported_transfer_syntax",
    ),
    "sequences without end": (deep_sequence(5), "undecodable"),
    "sequences too deep": (deep_sequence(5000), "undecodable"),
    "a modality table": (
        file(noise(40, 50), ModalityLUTSequence=Sequence([Dataset()])),
        "undecodable",
    ),
    "deflated beyond its picture": (dicoms.deflated_bomb(24), "decompression_bomb"),
    "deflated rubbish": (dicoms.deflated_bomb(1)[:330] + b"\xff" * 400, "undecodable"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_sound_picture_is_refused_with_its_reason(name):
    content, code = REFUSED[name]
    with pytest.raises(Refusal) as refusal:
        decode(content, "mri")
    assert refusal.value.code == code


def test_a_file_without_the_dicom_prefix_is_not_guessed_at():
    naked = PLAIN[132:]
    with pytest.raises(Refusal, match="named like DICOM") as refusal:
        decode(naked, "mri", "scan.dcm")
    assert refusal.value.code == "unsupported_type"
