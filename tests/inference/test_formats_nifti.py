"""NIfTI volumes: which way is up, and how far apart."""

import gzip

import numpy as np
import pytest
from corpus.reading import decode, outcome
from corpus.volumes import (
    RAS_SHAPE,
    RAS_SPACING,
    affines,
    endless,
    file,
    marked,
    packed_in_members,
    stored_as,
)

ORIENTATIONS = {name: (affine, order, signs) for name, affine, order, signs in affines()}
IDENTITY = np.diag([0.8, 0.8, 0.8, 1.0])


def ball(dtype: str = "<i2") -> np.ndarray:
    across, down, deep = np.ogrid[-20:20, -20:20, -20:20]
    return (1000 - (across**2 + down**2 + deep**2)).clip(0).astype(dtype)


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_any_stored_orientation_comes_out_axial_radiological_and_foot_first(name):
    affine, order, signs = ORIENTATIONS[name]
    stack = decode(file(stored_as(marked(), order, signs), affine), "mri")
    frames, rows, columns = stack.pixels.shape
    assert (columns, rows, frames) == RAS_SHAPE
    right, front, head = (np.argwhere(stack.pixels == value).mean(axis=0) for value in (1000, 2000, 3000))
    assert right[2] < columns / 4, "the patient's right is on the left of the picture"
    assert front[1] < rows / 4, "anterior is at the top"
    assert head[0] > frames * 3 / 4, "the last frame is nearest the head"
    assert stack.plane == "axial"


@pytest.mark.parametrize("name", ["RAS", "LPS", "SPL", "ASR", "PIR"])
def test_spacing_follows_the_axes(name):
    affine, order, signs = ORIENTATIONS[name]
    stack = decode(file(stored_as(marked(), order, signs), affine), "mri")
    across, down, along = RAS_SPACING
    assert stack.pixel_spacing == pytest.approx((down, across))
    assert stack.slice_spacing == pytest.approx(along)
    assert stack.pixel_spacing_source == "NIfTI pixdim"
    assert stack.is_volume


def test_an_oblique_volume_is_turned_to_the_nearest_axes_and_not_resampled():
    angle = np.radians(25)
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.diag(RAS_SPACING)
    tilted, straight = (
        decode(file(marked(), matrix), "mri") for matrix in (affine, np.diag([*RAS_SPACING, 1]))
    )
    np.testing.assert_array_equal(tilted.pixels, straight.pixels)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "<u2", ">i4", "<i8", ">f4", "<f8"])
def test_every_voxel_type_version_and_packing_gives_the_same_picture(version, packed, dtype):
    volume = (ball() // 8).astype(dtype)
    stack = decode(file(volume, IDENTITY, version=version, packed=packed), "mri")
    slope, intercept = stack.rescale
    assert stack.pixels.dtype.isnative
    expected = np.flip(volume.astype(float).transpose(2, 1, 0), axis=(1, 2))
    np.testing.assert_allclose(stack.pixels * slope + intercept, expected, atol=slope / 2 + 1e-6)


def test_whole_numbers_that_fit_are_kept_and_negative_ones_shifted():
    volume = ball() - 200
    stack = decode(file(volume, IDENTITY), "mri")
    assert stack.rescale == (1.0, -200.0)
    assert stack.pixels.min() == 0
    assert stack.pixels.max() == 1000


def test_floats_are_spread_over_16_bits_with_the_rescale_recorded():
    volume = np.random.default_rng(3).normal(50, 20, (40, 40, 40)).astype("<f4")
    stack = decode(file(volume, IDENTITY), "mri")
    slope, intercept = stack.rescale
    assert stack.pixels.dtype == np.uint16
    assert (stack.pixels.min(), stack.pixels.max()) == (0, 65535)
    assert intercept == pytest.approx(float(volume.min()))
    assert slope == pytest.approx(float(np.ptp(volume)) / 65535)


def test_a_constant_volume_keeps_its_value():
    stack = decode(file(np.full((40, 40, 40), 7.5, "<f4"), IDENTITY), "mri")
    assert stack.pixels.max() == 0
    assert stack.rescale[1] == 7.5


@pytest.mark.parametrize(
    ("slope", "expected"), [(2.5, (2.5, 10.0)), (0.0, (1.0, 0.0)), (float("nan"), (1.0, 0.0))]
)
def test_the_headers_scaling_is_recorded_not_applied(slope, expected):
    stack = decode(file(ball(), IDENTITY, scl_slope=slope, scl_inter=10.0), "mri")
    assert stack.rescale == expected
    assert stack.pixels.max() == 1000


def test_a_negative_slope_is_turned_so_that_more_signal_is_brighter():
    volume = ball()
    stack = decode(file(volume, IDENTITY, scl_slope=-1.0, scl_inter=1000.0), "mri")
    slope, intercept = stack.rescale
    assert slope > 0
    expected = np.flip(1000.0 - volume.transpose(2, 1, 0), axis=(1, 2))
    np.testing.assert_allclose(stack.pixels * slope + intercept, expected)


@pytest.mark.parametrize(("units", "factor"), [(0, 1.0), (1, 1000.0), (2, 1.0), (3, 0.001), (10, 1.0)])
def test_units_of_length_are_respected(units, factor):
    affine = np.diag([0.8 / factor] * 3 + [1.0])
    stack = decode(file(ball(), affine, xyzt_units=units), "mri")
    assert stack.slice_spacing == pytest.approx(0.8)


def test_ultrasound_volumes_are_accepted():
    assert decode(file(ball(), IDENTITY), "ultrasound").modality == "ultrasound"


def test_a_fourth_axis_of_length_one_is_no_objection():
    assert decode(file(ball()[..., np.newaxis], IDENTITY), "mri").pixels.shape == (40, 40, 40)


def test_gzip_in_members_reads_like_gzip_in_one():
    content = file(ball(), IDENTITY)
    members = decode(packed_in_members(content, 30_000), "mri")
    np.testing.assert_array_equal(members.pixels, decode(content, "mri").pixels)


def with_nan(value: float) -> np.ndarray:
    volume = ball("<f4")
    volume[3, 3, 3] = value
    return volume


def contradicting() -> bytes:
    turned = np.diag([0.8, 0.8, 0.8, 1.0])[[1, 0, 2, 3]]
    return file(ball(), IDENTITY, qform_code=1, quatern_d=0.7071068, srow_x=turned[0], srow_y=turned[1])


WHOLE = file(ball(), IDENTITY)
REFUSED = {
    "NaN everywhere": (file(np.full((40, 40, 40), np.nan, "<f4"), IDENTITY), "nonfinite"),
    "infinity": (file(with_nan(float("inf")), IDENTITY), "nonfinite"),
    "four axes": (file(np.zeros((40, 40, 40, 3), "<i2"), IDENTITY), "dimensions"),
    "complex": (file(ball().astype("<c8"), IDENTITY), "undecodable"),
    "colour": (
        file(np.zeros((40, 40, 40), [("R", "u1"), ("G", "u1"), ("B", "u1")]), IDENTITY),
        "undecodable",
    ),
    "negative side": (file(ball(), IDENTITY, dim=[3, 40, -40, 40, 1, 1, 1, 1]), "dimensions"),
    "no axes": (file(ball(), IDENTITY, dim=[0, 40, 40, 40, 1, 1, 1, 1]), "dimensions"),
    "huge sides": (file(ball(), IDENTITY, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), "undecodable"),
    "huge sides, packed": (
        gzip.compress(file(ball(), IDENTITY, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])),
        "decompression_bomb",
    ),
    "many small voxels": (
        endless(file(np.zeros((40, 40, 40), "u1"), IDENTITY, dim=[3, 640, 640, 700, 1, 1, 1, 1]), 1),
        "decompression_bomb",
    ),
    "thin": (file(np.zeros((40, 8, 40), "<i2"), IDENTITY), "dimensions"),
    "no orientation": (file(ball(), IDENTITY, sform_code=0, qform_code=0), "affine"),
    "singular affine": (file(ball(), IDENTITY, srow_z=[0, 0, 0, 0]), "affine"),
    "NaN affine": (file(ball(), IDENTITY, srow_z=[0, 0, np.nan, 0]), "affine"),
    "contradicting orientations": (contradicting(), "affine"),
    "contradicting voxel sizes": (
        file(ball(), IDENTITY, pixdim=[1, 2.0, 0.8, 0.8, 1, 1, 1, 1], qform_code=0),
        "affine",
    ),
    "voxels of a kilometre": (file(ball(), np.diag([1e6, 1e6, 1e6, 1])), "affine"),
    "unknown unit": (file(ball(), IDENTITY, xyzt_units=5), "affine"),
    "offset past the end": (file(ball(), IDENTITY, vox_offset=1e9), "undecodable"),
    "offset in the header": (file(ball(), IDENTITY, vox_offset=0), "undecodable"),
    "offset no number": (file(ball(), IDENTITY, vox_offset=np.nan), "undecodable"),
    "voxels elsewhere": (file(ball(), IDENTITY, magic=b"ni1"), "undecodable"),
    "cut short": (WHOLE[:-1], "undecodable"),
    "header cut short": (WHOLE[:350], "undecodable"),
    "packed, cut short": (gzip.compress(WHOLE)[:-20], "undecodable"),
    "packed, damaged": (gzip.compress(WHOLE)[:-8] + bytes(8), "undecodable"),
    "packed, shorter than it says": (gzip.compress(WHOLE[:-100]), "undecodable"),
    "goes on for ever": (endless(WHOLE, 64), "decompression_bomb"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_single_sound_volume_is_refused_with_its_reason(name):
    content, code = REFUSED[name]
    assert outcome(content, "mri") == code
