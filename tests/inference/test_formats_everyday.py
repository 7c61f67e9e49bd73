"""Files with properties that people reported of real ones: read rightly, or refused by name."""

import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
from corpus import dicoms, hostile, pictures, volumes
from corpus.pictures import noise
from corpus.reading import decode, outcome
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from refusals import Refusal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
SIDE = 40
HTJ2K = Path(__file__).parents[1] / "corpus" / "htj2k"
"""The pictures of pictures.ramp in high-throughput JPEG 2000, made with OpenJPH 0.26."""


def refusal(data: bytes, modality: str = "mri", file_name: str = "") -> str:
    with pytest.raises(Refusal) as refused:
        decode(data, modality, file_name)
    return refused.value.detail


def box(kind: bytes, brand: bytes) -> bytes:
    return struct.pack(">I4s4s", 24, kind, brand) + bytes(4096)


def syntax(uid: str) -> bytes:
    """A file that says it is compressed in that way."""
    known = "1.2.840.10008.1.2.4.202" if len(uid) == 23 else "1.2.840.10008.1.2.4.90"
    return dicoms.written(packed(noise(SIDE, 50)), known).replace(known.encode(), uid.encode())


def packed(pixels: np.ndarray, content: bytes = b"\0\0") -> Dataset:
    made = dicoms.dataset(pixels)
    made.PixelData = encapsulate([content])
    made["PixelData"].VR = "OB"
    return made


NAMED = {
    "structured report": (dicoms.file(noise(SIDE, 50), modality="SR"), "a structured report"),
    "presentation state": (dicoms.file(noise(SIDE, 50), modality="PR"), "a presentation state"),
    "encapsulated PDF": (
        dicoms.file(noise(SIDE, 50), modality="", SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1"),
        "a document in a DICOM wrapper",
    ),
    "key objects": (
        dicoms.file(noise(SIDE, 50), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.59"),
        "a selection of key objects",
    ),
    "mosaic": (
        dicoms.file(noise(SIDE, 50), ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]),
        "a mosaic",
    ),
    "localiser": (
        dicoms.file(noise(SIDE, 50), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        "a localiser",
    ),
    "DICOM without header, implicit": (
        b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100" + dicoms.file(noise(SIDE, 50))[132:],
        "without its file header",
    ),
    "DICOM without header, explicit": (
        b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + dicoms.file(noise(SIDE, 50))[132:],
        "without its file header",
    ),
    "HEIC": (box(b"ftyp", b"heic"), "a HEIC picture"),
    "HEVC pictures": (box(b"ftyp", b"msf1"), "a HEIC picture"),
    "MP4 without video": (box(b"ftyp", b"isom"), "The MP4 file holds no video"),
    "AVI without video": (b"RIFF\0\0\0\0AVI LIST" + bytes(4096), "The AVI file holds no video"),
    "Windows Media": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(4096), "a Windows Media video"),
    "Kretz": (b"KRETZFILE 1.0   " + bytes(4096), "a Voluson volume"),
    "NRRD": (b"NRRD0004\n" + bytes(4096), "an NRRD volume"),
    "MetaImage": (b"ObjectType = Image\n" + bytes(4096), "a MetaImage volume"),
    "JPEG XL in DICOM": (syntax("1.2.840.10008.1.2.4.110"), "uses JPEG XL; send it as JPEG 2000"),
    "JPIP in DICOM": (syntax("1.2.840.10008.1.2.4.94"), "uses JPIP, which points to pixels elsewhere"),
    "4D volume": (volumes.file(noise(3, SIDE, SIDE, SIDE)), "more than three axes; send one volume"),
    "Analyze header": (struct.pack("<i", 348) + bytes(344), "an Analyze 7.5 header"),
    "two pictures behind one directory": (
        pictures.saved(noise(SIDE, 50), "TIFF", tiffinfo={270: "ImageJ=1.53t\nimages=3\nslices=3\n"}),
        "several pictures behind one directory",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_refusal_names_what_the_file_is(name):
    data, words = NAMED[name]
    assert words in refusal(data)


def test_half_of_an_image_pair_is_named_by_its_extension():
    assert "half of an image pair" in refusal(noise(SIDE, SIDE).tobytes(), file_name="brain.img")


@pytest.mark.parametrize("name", hostile.FOREIGN)
def test_what_is_no_scan_is_refused_in_one_sentence(name):
    assert refusal(hostile.FOREIGN[name]).endswith(".")


@pytest.mark.parametrize(
    ("keyword", "vr"), [(b"\x28\0\x50\x10", b"DS"), (b"\x28\0\x51\x10", b"DS"), (b"\x28\0\x53\x10", b"DS")]
)
def test_a_number_with_a_decimal_comma_is_left_out_and_the_picture_read(keyword, vr):
    content = dicoms.file(noise(SIDE, 50), WindowCenter="40.5", WindowWidth="80.5", RescaleSlope="1.25")
    spoiled = dicoms.patched(content, keyword, vr, b"12,5")
    stack = decode(spoiled, "mri")
    np.testing.assert_array_equal(stack.pixels, decode(content, "mri").pixels)
    assert (stack.window, stack.rescale) != (decode(content, "mri").window, decode(content, "mri").rescale)


@pytest.mark.parametrize("text", [b"0 ", b"+1"])
def test_no_frames_and_plus_one_are_one_frame(text):
    content = dicoms.file(noise(SIDE, 50), modality="US", NumberOfFrames=11)
    one = dicoms.patched(content, b"\x28\0\x08\0", b"IS", text)
    assert decode(one, "ultrasound").pixels.shape == (1, SIDE, 50)


@pytest.mark.parametrize("vr", [b"\0\0", b"??", b"aa"])
def test_a_private_element_of_no_value_representation_is_passed_over(vr):
    content = dicoms.file(noise(SIDE, 50))
    place = content.index(b"\x28\0\x02\0US")
    odd = content[:place] + b"\x09\0\x01\x10" + vr + b"\x08\0QQQQQQQQ" + content[place:]
    np.testing.assert_array_equal(decode(odd, "mri").pixels, decode(content, "mri").pixels)
    public = content[:place] + b"\x18\0\x01\x10" + vr + b"\x08\0QQQQQQQQ" + content[place:]
    assert outcome(public, "mri") == "undecodable"


def enhanced(
    *, gap: float = 4.0, slopes: tuple[float, ...] = (), repeated: bool = False, missing: bool = False
) -> tuple[bytes, np.ndarray]:
    """Six slices of an enhanced MR, everything in each frame's own group; and their pixels in order."""
    pixels = noise(6, SIDE, 50)
    order = [3, 0, 5, 1, 4, 2]
    groups = []
    for place, slice_number in enumerate(order):
        group, measures, position, orientation, values = (Dataset() for _ in range(5))
        measures.PixelSpacing = [0.7, 0.9]
        along = (slice_number // 2 if repeated else slice_number) * gap
        position.ImagePositionPatient = [5.0, -3.0, along + (10 * gap if missing and slice_number > 3 else 0)]
        orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        group.PixelMeasuresSequence = Sequence([measures])
        group.PlanePositionSequence = Sequence([position])
        group.PlaneOrientationSequence = Sequence([orientation])
        if slopes:
            values.RescaleSlope, values.RescaleIntercept, values.RescaleType = slopes[place], 0, "US"
            group.PixelValueTransformationSequence = Sequence([values])
        groups.append(group)
    return dicoms.file(pixels, PerFrameFunctionalGroupsSequence=Sequence(groups)), pixels[np.argsort(order)]


def test_an_enhanced_volume_is_sorted_along_its_normal_with_spacings_of_its_own_frames():
    content, in_order = enhanced()
    stack = decode(content, "mri")
    np.testing.assert_array_equal(stack.pixels, in_order)
    assert (stack.pixel_spacing, stack.slice_spacing) == ((0.7, 0.9), 4.0)


def test_frames_with_a_rescale_of_their_own_come_to_stand_on_one_scale():
    slopes = (1.0, 2.0, 0.5, 1.5, 4.0, 3.0)
    content, in_order = enhanced(slopes=slopes)
    stack = decode(content, "mri")
    factors = np.asarray(slopes)[np.argsort([3, 0, 5, 1, 4, 2])][:, None, None]
    slope, intercept = stack.rescale
    np.testing.assert_allclose(stack.pixels * slope + intercept, in_order * factors, atol=slope)


@pytest.mark.parametrize(
    ("how", "words"), [({"repeated": True}, "more than once"), ({"missing": True}, "A slice is missing")]
)
def test_what_is_not_one_volume_is_refused_by_name(how, words):
    assert words in refusal(enhanced(**how)[0])


def test_an_enhanced_file_may_have_hundreds_of_elements_for_each_frame():
    content, in_order = enhanced()
    place = content.index(b"\x28\0\x02\0US")
    filler = b"\x09\0\x01\x10LO\0\0" * 60_000
    np.testing.assert_array_equal(decode(content[:place] + filler + content[place:], "mri").pixels, in_order)


def floats() -> np.ndarray:
    return noise(SIDE, SIDE, SIDE, dtype=np.uint16).astype("<f4") / 7


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("<f4", {(3, 4, 5): 1e6}),
        ("<f4", {(3, 4, 5): -(2.0**30)}),
        ("<i4", {(3, 4, 5): 2**30}),
        ("<i4", {(3, 4, 5): 2**30, (9, 9, 9): -(2**30)}),
    ],
)
def test_one_spike_changes_nothing_else(kind, spoil):
    volume = (noise(SIDE, SIDE, SIDE, dtype=np.uint16) // 7).astype(kind)
    clean = decode(volumes.file(volume), "mri").pixels
    spiky = volume.copy()
    for place, value in spoil.items():
        spiky[place] = value
    found = decode(volumes.file(spiky), "mri").pixels
    assert int((found != clean).sum()) <= len(spoil)


@pytest.mark.parametrize("fill", [-1e10, np.nan])
def test_a_filled_background_is_empty(fill):
    volume = floats()
    volume[:, :, :15] = 0
    filled = volume.copy()
    filled[:, :, :15] = fill
    np.testing.assert_array_equal(
        decode(volumes.file(filled), "mri").pixels, decode(volumes.file(volume), "mri").pixels
    )


def test_an_affine_into_a_template_gives_way_to_the_scanners_own():
    image = nibabel.Nifti1Image(floats(), None)
    scanner, template = np.diag([0.8, 0.8, 0.8, 1.0]), np.diag([0.95, 1.1, 0.9, 1.0])
    template[0, 1] = 0.08
    image.header.set_xyzt_units("mm")
    image.set_qform(scanner, code=1)
    image.set_sform(template, code=4)
    stack = decode(image.to_bytes(), "mri")
    assert (stack.pixel_spacing, stack.slice_spacing) == (pytest.approx((0.8, 0.8)), pytest.approx(0.8))


def test_signed_eight_bit_tiff_keeps_its_negative_values():
    signed = np.linspace(-100, 100, SIDE * 50).astype(np.int8).reshape(SIDE, 50)
    content = pictures.saved(signed.view(np.uint8), "TIFF", tiffinfo={339: 2})
    stack = decode(content, "ultrasound")
    slope, intercept = stack.rescale
    np.testing.assert_array_equal(stack.pixels[0] * slope + intercept, signed)


def test_jpeg_of_twelve_bits_is_read():
    content = (dicoms.PYDICOM_FILES / "JPGExtended.dcm").read_bytes()
    stack = decode(content.replace(b"CS\x02\0NM", b"CS\x02\0MR", 1), "mri")
    assert stack.pixels.shape == (1, 1024, 256)
    assert 255 < stack.pixels.max() < 4096


@pytest.mark.parametrize("uid", ["201", "202", "203"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_high_throughput_jpeg_2000_is_read(uid, dtype):
    content = (HTJ2K / f"ramp{8 * np.dtype(dtype).itemsize}.j2c").read_bytes()
    written = dicoms.written(packed(pictures.ramp(dtype), content), f"1.2.840.10008.1.2.4.{uid}")
    np.testing.assert_array_equal(decode(written, "mri").pixels[0], pictures.ramp(dtype))


@pytest.mark.parametrize("spikes", [1, 25])
def test_some_spikes_of_whole_numbers_change_nothing_else(spikes):
    volume = (noise(SIDE, SIDE, SIDE, dtype=np.uint16) // 65).astype("<f4")
    clean = decode(volumes.file(volume), "mri").pixels
    spiky = volume.copy()
    spiky.reshape(-1)[: spikes * 7 : 7] = 1e6 + 1000 * np.arange(spikes)
    assert int((decode(volumes.file(spiky), "mri").pixels != clean).sum()) <= spikes


@pytest.mark.parametrize("fill", [-1e10, np.nan])
def test_a_filled_background_is_no_signal_where_everything_else_is_some(fill):
    volume = np.zeros((SIDE, SIDE, SIDE), "<f4")
    volume[10:30, 10:30, 10:30] = 200 + noise(20, 20, 20)
    filled = np.where(volume == 0, np.float32(fill), volume)
    np.testing.assert_array_equal(
        decode(volumes.file(filled), "mri").pixels, decode(volumes.file(volume), "mri").pixels
    )


def test_slices_seen_from_the_side_may_be_few_where_they_are_thick():
    thick = volumes.file(noise(20, SIDE, SIDE), np.diag([4.0, 0.8, 0.8, 1.0]))
    assert decode(thick, "mri").pixels.shape == (SIDE, SIDE, 20)
    assert outcome(volumes.file(noise(20, SIDE, SIDE)), "mri") == "dimensions"
    assert outcome(volumes.file(noise(7, SIDE, SIDE), np.diag([8.0, 0.8, 0.8, 1.0])), "mri") == "dimensions"
