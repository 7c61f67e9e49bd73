"""DICOM: every way to write a picture is one picture, and no identity leaves the file."""

import io
import re

import numpy as np
import pydicom
import pytest
from corpus import dicoms
from corpus.dicoms import PYDICOM_FILES, SYNTAXES, as_modality, dataset, file, patched, written
from corpus.pictures import noise
from corpus.reading import decode, outcome
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from inference.formats import FormatError, acquisition

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def twelve_bit(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 4096, shape, dtype=np.uint16)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=[syntax.name for syntax in SYNTAXES])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_every_transfer_syntax_gives_the_same_pixels(syntax, dtype):
    picture = noise(40, 50, dtype=dtype)
    stack = decode(file(picture, syntax=syntax), "mri")
    assert stack.pixels.dtype.isnative
    np.testing.assert_array_equal(stack.pixels[0] * stack.rescale[0] + stack.rescale[1], picture)


def test_a_monochrome1_picture_equals_the_inverted_monochrome2_twin():
    picture = twelve_bit(40, 50)
    bits = {"BitsStored": 12, "HighBit": 11}
    first = decode(file(picture, PhotometricInterpretation="MONOCHROME1", **bits), "mri")
    second = decode(file(4095 - picture, PhotometricInterpretation="MONOCHROME2", **bits), "mri")
    np.testing.assert_array_equal(first.pixels, second.pixels)
    slope, intercept = first.rescale
    np.testing.assert_array_equal(first.pixels[0] * slope + intercept, picture)


def test_a_signed_monochrome1_picture_equals_its_twin_too():
    picture = noise(40, 50, dtype=np.int16)
    first = decode(file(picture, PhotometricInterpretation="MONOCHROME1"), "mri")
    second = decode(file(-1 - picture, PhotometricInterpretation="MONOCHROME2"), "mri")
    np.testing.assert_array_equal(first.pixels, second.pixels)


def test_signed_values_are_shifted_and_the_shift_recorded():
    picture = np.arange(-1000, 1000, dtype=np.int16).reshape(40, 50)
    stack = decode(file(picture), "mri")
    assert stack.pixels.dtype == np.uint16
    assert stack.rescale == (1.0, -1000.0)


def test_rescale_and_window_are_recorded_in_stored_values():
    picture = np.arange(-1000, 1000, dtype=np.int16).reshape(40, 50)
    scale = {"RescaleSlope": 2, "RescaleIntercept": 10, "WindowCenter": [110, 5], "WindowWidth": [400, 6]}
    stack = decode(file(picture, **scale), "mri")
    assert stack.rescale == (2.0, -1990.0)
    assert stack.window == (1050.0, 200.0)


def test_a_negative_slope_is_turned_so_that_more_signal_is_brighter():
    picture = np.arange(2000, dtype=np.uint16).reshape(40, 50)
    stack = decode(file(picture, RescaleSlope=-1, RescaleIntercept=2000), "mri")
    slope, intercept = stack.rescale
    assert slope > 0
    np.testing.assert_array_equal(stack.pixels[0] * slope + intercept, 2000.0 - picture)


def test_bits_above_those_stored_are_dropped():
    picture = twelve_bit(40, 50)
    with_overlay = picture | np.uint16(0x8000)
    stack = decode(file(with_overlay, BitsStored=12, HighBit=11), "mri")
    np.testing.assert_array_equal(stack.pixels[0], picture)


def test_wide_values_are_spread_over_16_bits_never_clipped():
    picture = noise(40, 50, dtype=np.uint32)
    stack = decode(file(picture), "mri")
    slope, intercept = stack.rescale
    np.testing.assert_allclose(stack.pixels[0] * slope + intercept, picture, atol=slope)


def test_frames_keep_their_order_and_are_no_volume():
    loop = noise(5, 40, 50)
    stack = decode(file(loop, modality="US"), "ultrasound")
    np.testing.assert_array_equal(stack.pixels, loop)
    assert not stack.is_volume
    assert stack.plane == ""


def test_multi_frame_mr_says_how_far_apart_its_slices_are():
    stack = decode(file(noise(5, 40, 50), SpacingBetweenSlices=3.5), "mri")
    assert stack.slice_spacing == 3.5
    assert decode(file(noise(40, 50), SpacingBetweenSlices=3.5), "mri").slice_spacing is None


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_becomes_bt601_luma_however_it_is_laid_out(planar):
    colour = noise(3, 40, 50, 3)
    laid_out = colour.transpose(0, 3, 1, 2).copy().reshape(colour.shape) if planar else colour
    stack = decode(file(laid_out, modality="US", SamplesPerPixel=3, PlanarConfiguration=planar), "ultrasound")
    np.testing.assert_allclose(stack.pixels, colour @ [0.299, 0.587, 0.114], atol=0.51)


def test_luma_of_ybr_is_its_y():
    colour = np.full((40, 50, 3), 128, np.uint8)
    colour[..., 0] = noise(40, 50)
    stack = decode(
        file(colour, modality="US", SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL"), "ultrasound"
    )
    np.testing.assert_allclose(stack.pixels[0].astype(int), colour[..., 0].astype(int), atol=1)


def test_a_palette_is_looked_up_before_its_luma_is_taken():
    indices = noise(40, 50)
    made = dataset(indices, modality="US", PhotometricInterpretation="PALETTE COLOR")
    tables = {"Red": np.arange(256), "Green": np.arange(256)[::-1], "Blue": np.full(256, 7)}
    for colour, table in tables.items():
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(made, f"{colour}PaletteColorLookupTableData", (table * 256).astype("<u2").tobytes())
    made.PixelData = indices.tobytes()
    expected = 256 * (0.299 * indices + 0.587 * (255.0 - indices) + 0.114 * 7)
    np.testing.assert_allclose(decode(written(made), "ultrasound").pixels[0], expected, atol=1)


def region(down: float, across: float, **changes: int) -> Dataset:
    """A 2-D region of an ultrasound picture, in cm a pixel unless changed."""
    made = Dataset()
    made.RegionSpatialFormat = 1
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = 3
    made.PhysicalDeltaY, made.PhysicalDeltaX = down, across
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


REGIONS = {
    "one region": ([region(0.03, 0.025)], (0.3, 0.25)),
    "a flipped axis": ([region(-0.03, 0.025)], (0.3, 0.25)),
    "a Doppler trace beside": ([region(0.03, 0.025), region(9, 9, RegionSpatialFormat=3)], (0.3, 0.25)),
    "two at one scale": ([region(0.03, 0.025), region(0.03, 0.025)], (0.3, 0.25)),
    "two at different scales": ([region(0.03, 0.025), region(0.06, 0.05)], None),
    "seconds across": ([region(0.03, 0.025, PhysicalUnitsXDirection=4)], None),
    "no size": ([region(0.0, 0.025)], None),
    "no regions": ([], None),
}


@pytest.mark.parametrize("name", REGIONS)
def test_ultrasound_regions_give_the_scale_when_they_agree(name):
    regions, expected = REGIONS[name]
    made = file(noise(40, 50), modality="US", SequenceOfUltrasoundRegions=Sequence(regions))
    stack = decode(made, "ultrasound")
    assert stack.pixel_spacing == (pytest.approx(expected) if expected else None)
    assert stack.pixel_spacing_source == ("SequenceOfUltrasoundRegions" if expected else "")


@pytest.mark.parametrize(
    ("attributes", "spacing", "source"),
    [
        ({"PixelSpacing": [0.5, 0.6]}, (0.5, 0.6), "PixelSpacing"),
        ({"ImagerPixelSpacing": [0.5, 0.6]}, (0.5, 0.6), "ImagerPixelSpacing"),
        (
            {"PixelSpacing": [0.5, 0.6], "ImagerPixelSpacing": [0.7, 0.7]},
            (0.5, 0.6),
            "PixelSpacing",
        ),
        ({"PixelSpacing": [0, 0]}, None, ""),
        ({"PixelSpacing": [-0.5, 0.5]}, None, ""),
        ({"PixelSpacing": [500, 500]}, None, ""),
        ({}, None, ""),
    ],
)
def test_pixel_spacing_is_taken_where_it_is_stated_and_believable(attributes, spacing, source):
    stack = decode(file(noise(40, 50), **attributes), "mri")
    assert stack.pixel_spacing == spacing
    assert stack.pixel_spacing_source == source


def test_an_enhanced_file_states_its_spacing_in_the_shared_groups():
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing, measures.SpacingBetweenSlices = [0.5, 0.6], 4.0
    shared.PixelMeasuresSequence = Sequence([measures])
    stack = decode(file(noise(3, 40, 50), SharedFunctionalGroupsSequence=Sequence([shared])), "mri")
    assert (stack.pixel_spacing, stack.slice_spacing) == ((0.5, 0.6), 4.0)


@pytest.mark.parametrize(
    ("stated", "declared", "expected"),
    [
        ("MR", "mri", "read"),
        ("US", "ultrasound", "read"),
        ("", "ultrasound", "read"),
        ("US", "mri", "modality_mismatch"),
        ("MR", "ultrasound", "modality_mismatch"),
        ("CT", "mri", "modality_mismatch"),
        ("CR", "ultrasound", "modality_mismatch"),
        ("OT", "ultrasound", "modality_mismatch"),
    ],
)
def test_a_stated_modality_must_be_the_declared_one(stated, declared, expected):
    assert outcome(file(noise(40, 50), modality=stated), declared) == expected


def test_a_refused_modality_is_named_only_when_it_is_a_word_of_the_standard():
    with pytest.raises(FormatError, match="CT"):
        decode(file(noise(40, 50), modality="CT"), "mri")
    with pytest.raises(FormatError) as refusal:
        decode(file(noise(40, 50), modality="CANARY"), "mri")
    assert "CANARY" not in refusal.value.detail


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
    assert b"PatientName" not in content
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
    "no frames": (numbered(b"00"), "frames"),
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
    assert outcome(content, "mri") == code


def test_a_file_without_the_dicom_prefix_is_not_guessed_at():
    naked = PLAIN[132:]
    with pytest.raises(FormatError, match="named like DICOM") as refusal:
        decode(naked, "mri", "scan.dcm")
    assert refusal.value.code == "unsupported_type"


def luma_of_whole_file(content: bytes) -> np.ndarray:
    """What pydicom makes of the file by itself, as luma in original values."""
    whole = pydicom.dcmread(io.BytesIO(content))
    values = whole.pixel_array.astype(float)
    values = values @ [0.299, 0.587, 0.114] if whole.SamplesPerPixel == 3 else values
    return values * float(whole.get("RescaleSlope", 1)) + float(whole.get("RescaleIntercept", 0))


# Files whose modality is not ours are read all the same once its two letters are changed.
COMPRESSED = [
    *sorted(path.name for path in PYDICOM_FILES.glob("SC_rgb_*.dcm") if not re.search("small|KY", path.name)),
    "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "CT_small.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "examples_jpeg2k.dcm",
    "examples_ybr_color.dcm",
    "MR_small_jp2klossless.dcm",
]


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_pixels_are_those_of_the_codec(name):
    content = as_modality((PYDICOM_FILES / name).read_bytes(), "US")
    stack = decode(content, "ultrasound")
    slope, intercept = stack.rescale
    expected = luma_of_whole_file(content).reshape(stack.pixels.shape)
    np.testing.assert_allclose(stack.pixels * slope + intercept, expected, atol=0.51 * slope)


TWINS = [
    ("MR_small.dcm", "MR_small_RLE.dcm", 0),
    ("MR_small.dcm", "MR_small_bigendian.dcm", 0),
    ("MR_small.dcm", "MR_small_expb.dcm", 0),
    ("MR_small.dcm", "MR_small_implicit.dcm", 0),
    ("MR_small.dcm", "MR_small_jp2klossless.dcm", 0),
    ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm", 0),
    ("MR_small.dcm", "MR_small_padded.dcm", 0),
    ("SC_rgb_rle.dcm", "SC_rgb_jpeg_gdcm.dcm", 0),
    ("SC_rgb_jpeg_dcmd.dcm", "SC_rgb_jpeg.dcm", 0),
    ("SC_rgb_jpeg_dcmd.dcm", "SC_jpeg_no_color_transform.dcm", 0),
    ("SC_rgb_jpeg_app14_dcmd.dcm", "SC_jpeg_no_color_transform_2.dcm", 0),
    ("SC_rgb_jls_lossy_line.dcm", "SC_rgb_jls_lossy_sample.dcm", 0),
    ("SC_rgb_rle.dcm", "SC_rgb_jls_lossy_line.dcm", 2),
    ("SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", 2),
    ("SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cy+n2.dcm", 3),
    ("SC_rgb_rle.dcm", "SC_ybr_full_422_uncompressed.dcm", 3),
]


@pytest.mark.parametrize(("plain", "packed", "tolerance"), TWINS)
def test_compressed_twins_show_the_same_picture(plain, packed, tolerance):
    one, two = (
        decode(as_modality((PYDICOM_FILES / name).read_bytes(), "MR"), "mri") for name in (plain, packed)
    )
    np.testing.assert_allclose(one.pixels.astype(int), two.pixels.astype(int), atol=tolerance)
    if tolerance == 0:
        assert one.rescale == two.rescale


def test_big_endian_pixels_arrive_in_native_order():
    picture = twelve_bit(40, 50)
    stack = decode(file(picture, syntax=ExplicitVRBigEndian), "mri")
    assert stack.pixels.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(stack.pixels[0], picture)


def test_an_explicit_file_written_implicitly_is_read_as_it_is_written():
    implicit = file(noise(40, 50), syntax=dicoms.ImplicitVRLittleEndian)
    mislabelled = implicit.replace(
        b"\x12\0" + b"1.2.840.10008.1.2\0", b"\x14\0" + ExplicitVRLittleEndian.encode() + b"\0"
    )
    assert mislabelled != implicit
    np.testing.assert_array_equal(decode(mislabelled, "mri").pixels, decode(PLAIN, "mri").pixels)
