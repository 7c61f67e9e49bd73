"""Pictures as frame grabbers and other programs leave them: BMP, JPEG without its end, deep PNG."""

import struct

import numpy as np
import pytest
from corpus import pictures
from corpus.pictures import noise
from corpus.reading import decode, outcome
from PIL import Image

from refusals import Refusal

SIDE = 40


def test_a_jpeg_that_lacks_its_end_marker_alone_is_read():
    content = pictures.saved(noise(64, 64), "JPEG")
    whole = decode(content, "ultrasound").pixels
    for cut in (1, 2):
        np.testing.assert_array_equal(decode(content[:-cut], "ultrasound").pixels, whole)


@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}])
def test_a_jpeg_that_lacks_more_is_cut_short(options):
    content = pictures.saved(noise(64, 64), "JPEG", **options)
    cuts = [3, 4, 8, 100, 1000]
    cuts += [len(content) - place for place in restarts(content)]
    cuts += [len(content) - place - 2 for place in restarts(content)]
    for cut in cuts:
        with pytest.raises(Refusal, match="cut short"):
            decode(content[:-cut], "ultrasound")


def restarts(content: bytes) -> list[int]:
    """Where the marks lie from which a damaged scan can be read again."""
    return [
        place for place in range(len(content) - 1) if content[place] == 0xFF and content[place + 1] in REST
    ]


REST = range(0xD0, 0xD8)


def test_a_progressive_jpeg_without_its_end_is_cut_short():
    with pytest.raises(Refusal, match="cut short"):
        decode(pictures.saved(noise(64, 64), "JPEG", progressive=True)[:-2], "ultrasound")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_bmp_is_read_as_the_same_picture_in_png(mode):
    picture = Image.fromarray(noise(SIDE, 50, 3)).convert(mode)
    shown = decode(pictures.saved(picture.convert("RGB")), "ultrasound").pixels
    stack = decode(pictures.saved(picture, "BMP"), "ultrasound", "export.BMP")
    np.testing.assert_array_equal(stack.pixels, shown)
    assert stack.source_format == "bmp"


def test_what_a_bmp_keeps_beside_its_colours_hides_nothing():
    colour = np.dstack([noise(SIDE, 50, 3), np.zeros((SIDE, 50), np.uint8)])
    opaque = decode(pictures.saved(colour[..., :3].copy()), "mri").pixels
    np.testing.assert_array_equal(
        decode(pictures.saved(Image.fromarray(colour), "BMP"), "mri").pixels, opaque
    )


def test_a_bmp_beyond_the_limits_or_cut_short_is_refused():
    content = pictures.saved(noise(SIDE, 50), "BMP")
    huge = content[:18] + struct.pack("<ii", 60_000, -60_000) + content[26:]
    assert outcome(huge, "mri") == "decompression_bomb"
    assert outcome(content[:-10], "mri") == "undecodable"


@pytest.mark.parametrize(("colour", "samples"), [(4, 2), (2, 3), (6, 4)])
def test_a_png_of_sixteen_bits_in_colour_or_with_alpha_keeps_its_depth(colour, samples):
    values = noise(SIDE, 50, samples, dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    pixels = decode(pictures.png(50, SIDE, depth=16, colour=colour, body=rows), "ultrasound").pixels
    grey = values[..., 0].astype(float)
    if samples > 2:
        grey = values[..., :3] @ np.array([0.299, 0.587, 0.114])
    alpha = values[..., -1] / 65_535 if samples in (2, 4) else 1.0
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels[0], grey * alpha, atol=1.5)
