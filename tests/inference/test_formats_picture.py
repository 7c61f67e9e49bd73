"""PNG, JPEG and TIFF."""

import io
import json

import numpy as np
import pytest
from corpus.pictures import chunk, noise, png, ramp, saved, tiff, with_chunk
from corpus.reading import decode, outcome
from PIL import Image, PngImagePlugin

from refusals import Refusal


def luma(colour: np.ndarray) -> np.ndarray:
    return colour.astype(float) @ (0.299, 0.587, 0.114)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_pixels_arrive_unchanged_in_their_own_depth(form, dtype):
    picture = noise(40, 70, dtype=dtype)
    stack = decode(saved(picture, form), "ultrasound")
    assert stack.pixels.dtype == dtype
    assert stack.rescale == (1.0, 0.0)
    np.testing.assert_array_equal(stack.pixels, picture[np.newaxis])


def test_a_16_bit_tiff_of_the_other_byte_order_is_the_same_picture():
    picture = noise(40, 70, dtype=np.uint16)
    tags = {256: 70, 257: 40, 258: 16, 259: 1, 262: 1, 273: 0, 277: 1, 278: 40, 279: picture.nbytes}
    little, big = (
        decode(tiff(tags, endian=order, body=picture.astype(order + "u2").tobytes()), "mri") for order in "<>"
    )
    np.testing.assert_array_equal(little.pixels[0], picture)
    np.testing.assert_array_equal(big.pixels[0], picture)
    assert big.pixels.dtype.isnative


@pytest.mark.parametrize(("depth", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_white_is_zero_is_turned_so_that_more_signal_is_brighter(depth, dtype):
    picture = noise(40, 70, dtype=dtype)
    tags = {256: 70, 257: 40, 258: depth, 259: 1, 262: 0, 273: 0, 277: 1, 278: 40, 279: picture.nbytes}
    stack = decode(tiff(tags, body=picture.tobytes()), "mri")
    np.testing.assert_array_equal(stack.pixels[0], np.iinfo(dtype).max - picture)


def test_float_tiff_keeps_its_values_through_the_rescale():
    values = np.linspace(-3.5, 12.25, 48 * 64, dtype=np.float32).reshape(48, 64)
    stack = decode(saved(values, "TIFF"), "mri")
    slope, intercept = stack.rescale
    np.testing.assert_allclose(stack.pixels[0] * slope + intercept, values, atol=slope)
    assert stack.pixels.max() == 65535


def test_float_tiff_with_nan_is_refused():
    values = np.ones((48, 64), dtype=np.float32)
    values[5, 5] = np.nan
    assert outcome(saved(values, "TIFF"), "mri") == "nonfinite"


def test_colour_becomes_bt601_luma_and_grey_colour_stays_exact():
    colour = noise(40, 50, 3)
    np.testing.assert_allclose(decode(saved(colour), "ultrasound").pixels[0], luma(colour), atol=0.51)
    grey = ramp()
    np.testing.assert_array_equal(
        decode(saved(np.dstack([grey] * 3)), "ultrasound").pixels, decode(saved(grey), "ultrasound").pixels
    )


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK"])
def test_every_other_kind_of_pixel_reads_as_its_luma(mode):
    rgb = Image.fromarray(noise(40, 50, 3))
    picture = rgb.convert(mode)
    form = "TIFF" if mode == "CMYK" else "PNG"
    expected = luma(np.asarray(picture.convert("RGB")))
    np.testing.assert_allclose(decode(saved(picture, form), "ultrasound").pixels[0], expected, atol=0.51)


def test_transparency_shows_black():
    picture = np.full((40, 50, 4), 200, dtype=np.uint8)
    picture[..., 3] = 255
    picture[:, :25, 3] = 0
    pixels = decode(saved(picture), "ultrasound").pixels[0]
    assert (pixels[:, :25] == 0).all()
    assert (pixels[:, 25:] == 200).all()


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(form, orientation):
    upright = Image.fromarray(ramp(rows=64, columns=96))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[274] = orientation
    pixels = decode(saved(stored, form, exif=exif, quality=95), "ultrasound").pixels[0]
    np.testing.assert_allclose(pixels.astype(int), np.asarray(upright).astype(int), atol=3)


@pytest.mark.parametrize(
    "file",
    [
        saved(ramp(), "PNG", dpi=(254, 254)),
        saved(ramp(), "JPEG", dpi=(254, 254)),
        saved(ramp(), "TIFF", dpi=(254, 254)),
    ],
    ids=["pHYs", "JFIF density", "XResolution"],
)
def test_the_resolution_of_a_page_is_no_scale_of_anatomy(file):
    stack = decode(file, "ultrasound")
    assert stack.pixel_spacing is None
    assert stack.pixel_spacing_source == ""


def phantom(text: str) -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("ventra-phantom", text)
    return saved(ramp(), pnginfo=notes)


def test_a_phantom_states_its_own_scale():
    stack = decode(phantom(json.dumps({"pixel_spacing": [0.5, 0.75], "label": "normal"})), "ultrasound")
    assert stack.pixel_spacing == (0.5, 0.75)
    assert stack.pixel_spacing_source == "phantom"
    assert stack.acquisition == {}


@pytest.mark.parametrize("text", ["", "[]", "7", '{"pixel_spacing": 3}', '{"pixel_spacing": [0, -1]}', "{"])
def test_a_phantom_note_that_makes_no_sense_gives_no_scale(text):
    assert decode(phantom(text), "ultrasound").pixel_spacing is None


def test_a_real_phantom_reads_with_its_scale(phantom_png):
    stack = decode(phantom_png(), "ultrasound")
    assert stack.pixel_spacing_source == "phantom"


def test_a_page_hidden_behind_a_picture_changes_nothing():
    plain = saved(ramp())
    stack = decode(plain + b"<script>alert(1)</script>", "ultrasound")
    np.testing.assert_array_equal(stack.pixels, decode(plain, "ultrasound").pixels)


def several_pages() -> bytes:
    return saved(Image.fromarray(ramp()), "TIFF", save_all=True, append_images=[Image.fromarray(ramp())])


def animated() -> bytes:
    return saved(Image.fromarray(ramp()), save_all=True, append_images=[Image.fromarray(noise(48, 64))])


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (saved(ramp())[:-20], "undecodable"),
        (saved(ramp(), "JPEG")[:-20], "undecodable"),
        (saved(ramp(), "TIFF")[:40], "undecodable"),
        (with_chunk(saved(ramp()), chunk(b"IHDR", bytes(13))), "undecodable"),
        (png(64, 64, body=b"too little"), "undecodable"),
        (png(64, 64, depth=3), "undecodable"),
        (several_pages(), "frames"),
        (animated(), "frames"),
        (saved(noise(31, 64)), "dimensions"),
        (saved(noise(32, 641)), "dimensions"),
    ],
    ids=[
        "PNG cut short",
        "JPEG cut short",
        "TIFF cut short",
        "two headers",
        "too few pixels",
        "3-bit PNG",
        "pages",
        "animation",
        "a side too short",
        "too narrow",
    ],
)
def test_what_is_no_single_whole_picture_is_refused_with_its_reason(file, code):
    assert outcome(file, "ultrasound") == code


def test_16_bit_colour_is_never_cut_to_8_bits_in_silence():
    file = tiff({256: 64, 257: 64, 258: 16, 259: 1, 262: 2, 273: 0, 277: 3}, body=bytes(64 * 64 * 6))
    with pytest.raises(Refusal, match="16-bit"):
        decode(file, "ultrasound")


def test_metadata_stays_behind():
    exif = Image.Exif()
    exif[270] = "CANARY description"
    exif[315] = "CANARY artist"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "CANARY")
    for file in (saved(ramp(), pnginfo=notes), saved(ramp(), "JPEG", exif=exif, comment=b"CANARY")):
        assert b"CANARY" in file
        stack = decode(file, "ultrasound")
        assert "CANARY" not in repr(stack)
        assert b"CANARY" not in stack.pixels.tobytes()


def test_the_hash_is_that_of_the_file_not_of_its_pixels():
    first, second = saved(ramp(), compress_level=1), saved(ramp(), compress_level=9)
    one, two = decode(first, "ultrasound"), decode(second, "ultrasound")
    np.testing.assert_array_equal(one.pixels, two.pixels)
    assert one.original_sha256 != two.original_sha256


def test_a_jpeg_reads_as_its_decoder_shows_it():
    file = saved(ramp(rows=128, columns=160), "JPEG", quality=90)
    expected = np.asarray(Image.open(io.BytesIO(file)))
    np.testing.assert_array_equal(decode(file, "ultrasound").pixels[0], expected)
