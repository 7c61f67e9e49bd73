"""What files state of the proportion of their pixels, each kind of them: an aspect, and never millimetres."""

import struct

import cv2
import numpy as np
import pytest
from corpus.pictures import chunk, noise, ramp, saved, with_chunk
from corpus.reading import decode
from PIL import Image

from inference.formats import read
from refusals import Refusal

WIDE = (100, 200)
"""Half as many pixels along a row as along a column: each is twice as wide as high."""


def turned(form: str, **options) -> bytes:
    """Stored on its side (EXIF orientation 6): its stored rows are columns as shown."""
    exif = Image.Exif()
    exif[274] = 6
    return saved(ramp(), form, exif=exif, **options)


def deep_png(across: int, down: int) -> bytes:
    file = cv2.imencode(".png", noise(40, 70, 3, dtype=np.uint16))[1].tobytes()
    return with_chunk(file, chunk(b"pHYs", struct.pack(">IIB", across, down, 0)))


def gif(stated: int) -> bytes:
    """stated: the byte Pixel Aspect Ratio, of which (stated + 15) / 64 is width over height."""
    file = bytearray(saved(ramp(), "GIF"))
    file[:6], file[12] = b"GIF89a", stated
    return bytes(file)


STATED = {
    "PNG, in metres": (saved(ramp(), "PNG", dpi=WIDE), 0.5),
    "PNG, as a ratio": (with_chunk(saved(ramp()), chunk(b"pHYs", struct.pack(">IIB", 2, 1, 0))), 2.0),
    "PNG of 16 bits in colour": (deep_png(*WIDE), 0.5),
    "JPEG": (saved(ramp(), "JPEG", dpi=WIDE), 0.5),
    "JPEG on its side": (turned("JPEG", dpi=WIDE), 2.0),
    "TIFF": (saved(ramp(), "TIFF", dpi=WIDE), 0.5),
    "TIFF on its side": (turned("TIFF", dpi=WIDE), 2.0),
    "GIF": (gif(128 - 15), 0.5),
    "a square PNG": (saved(ramp(), "PNG", dpi=(96, 96)), None),
    "a rounded JPEG": (saved(ramp(), "JPEG", dpi=(299, 300)), None),
    "a PNG of no density along a column": (deep_png(100, 0), None),
    "a JPEG out of all proportion": (saved(ramp(), "JPEG", dpi=(1, 300)), None),
    "a GIF that says nothing": (gif(0), None),
    "a square GIF": (gif(64 - 15), None),
}


@pytest.mark.parametrize("kind", STATED)
def test_a_density_that_differs_between_the_directions_is_an_aspect_and_no_scale(kind):
    file, aspect = STATED[kind]
    stack = decode(file, "ultrasound")
    assert stack.pixel_aspect == (pytest.approx(aspect, rel=0.01) if aspect else None)
    assert stack.aspect == pytest.approx(aspect or 1.0, rel=0.01)
    assert stack.pixel_spacing is None


def test_what_would_be_too_large_in_true_proportions_is_refused(tmp_path):
    tall = with_chunk(saved(np.zeros((4000, 2000), np.uint8)), chunk(b"pHYs", struct.pack(">IIB", 9, 1, 0)))
    (tmp_path / "tall.png").write_bytes(tall)
    with pytest.raises(Refusal, match="million"):
        read(tmp_path / "tall.png", modality="ultrasound", file_name="tall.png")
