"""DICOM: every way to write a picture is one picture, and no identity leaves the file."""

import numpy as np
import pytest
from corpus import dicoms
from corpus.dicoms import SYNTAXES, dataset, file, written
from corpus.pictures import noise
from corpus.reading import decode, outcome
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from refusals import Refusal

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


def test_regions_at_different_scales_are_not_overruled_by_another_field():
    regions = Sequence([region(0.03, 0.025), region(0.06, 0.05)])
    made = file(noise(40, 50), modality="US", SequenceOfUltrasoundRegions=regions, PixelSpacing=[0.3, 0.3])
    assert decode(made, "ultrasound").pixel_spacing is None


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
        ("OT", "ultrasound", "read"),
        ("OT", "mri", "read"),
    ],
)
def test_a_stated_modality_must_be_the_declared_one(stated, declared, expected):
    assert outcome(file(noise(40, 50), modality=stated), declared) == expected


def test_a_refused_modality_is_named_only_when_it_is_a_word_of_the_standard():
    with pytest.raises(Refusal, match="CT"):
        decode(file(noise(40, 50), modality="CT"), "mri")
    with pytest.raises(Refusal) as refusal:
        decode(file(noise(40, 50), modality="CANARY"), "mri")
    assert "CANARY" not in refusal.value.detail


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
    np.testing.assert_array_equal(
        decode(mislabelled, "mri").pixels, decode(file(noise(40, 50)), "mri").pixels
    )
