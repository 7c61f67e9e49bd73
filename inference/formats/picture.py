"""PNG, JPEG, TIFF and BMP through Pillow: one frame, no scale.

- EXIF orientation is applied once; all other metadata, ICC profiles included, stays behind.
- Transparency shows black behind it. Colour becomes BT.601 luma.
- 16-bit grey stays 16-bit; 32-bit integers and floats are spread over uint16, with the rescale recorded.
- TIFF WhiteIsZero is turned, so that more signal is brighter.
- A JPEG that lacks nothing but the marker of its end is read, one cut short is not.
- What BMP keeps beside its colours is no transparency: most writers leave it at zero.
- A resolution stated by the file (PNG pHYs, JFIF density, TIFF XResolution) is that of a page or a screen,
  not of anatomy, and is never taken as pixel spacing; where it differs between the directions it says that
  pixels are not square (inference.formats.density). The one exception is our own phantoms' text chunk.
"""

import io
import json
import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from inference.formats import density
from inference.formats.headers import jpeg, tiff
from inference.formats.levels import Numbers, Rescale, inverted, luma, unsigned
from inference.formats.limits import PICTURE_PIXELS
from inference.formats.source import Source
from inference.formats.spacing import plausible
from inference.formats.stack import PictureStack, SourceFormat
from refusals import Refusal

Image.preinit()  # its readers are imported once, before the first fork, and not by every child

PHANTOM_CHUNK = "ventra-phantom"  # PNG text: {"pixel_spacing": [between rows, between columns]} in mm

FORMATS: dict[str | None, SourceFormat] = {
    "PNG": "png",
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "TIFF": "tiff",
    "BMP": "bmp",
}
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I", "F")
GREY_MODES = ("1", "L")
COLOUR_MODES = ("LA", "La", "P", "PA", "RGB", "RGBX", "RGBA", "RGBa", "CMYK", "YCbCr")
_TIFF_PHOTOMETRIC, _TIFF_BITS, _WHITE_IS_ZERO = 262, 258, 0

JPEG_END = b"\xff\xd9"
RESTARTS = [bytes([0xFF, 0xD0 + k]) for k in range(8)]
"""The marks from which a damaged scan can be read again, in the order in which they come, and again."""
FILLING, OTHER_FILLING = b"\x5a" * 64, b"\xa7" * 64

Image.MAX_IMAGE_PIXELS = PICTURE_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(source: Source) -> PictureStack:
    """One frame, (1, rows, columns). The source has passed the gate."""
    data = _with_its_end(source.data) if source.data.startswith(jpeg.SIGNATURE) else source.data
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF", "BMP")) as picture:
        kind = FORMATS[picture.format]
        aspect = density.of_picture(picture, data)
        upright = ImageOps.exif_transpose(picture)
        spacing = _phantom_spacing(picture)
        values, rescale = _turned(
            picture, _signed(picture, grey_of(upright.convert("RGB") if kind == "bmp" else upright))
        )
    pixels, rescale = unsigned(values[np.newaxis], rescale)
    return PictureStack(
        pixels=pixels,
        modality=source.modality,
        original_sha256=source.sha256,
        source_format=kind,
        pixel_spacing=spacing,
        pixel_spacing_source="phantom" if spacing else "",
        pixel_aspect=None if spacing else aspect,
        rescale=rescale,
    )


def _with_its_end(data: bytes) -> bytes:
    """A JPEG with the marker of its end. Raises Refusal (`undecodable`) where more than that is lacking.

    Whatever follows a whole scan is passed over; where the scan is cut short it would be taken for a part of
    it, so that different fillings give different pictures.
    """
    if jpeg.ends(data):
        return data
    body = data.removesuffix(b"\xff")
    following = 1 + max(range(8), key=lambda k: body.rfind(RESTARTS[k]))
    if not any(mark in body for mark in RESTARTS):
        following = 0
    restarted = b"".join(RESTARTS[(following + k) % 8] + FILLING for k in range(8))
    fillings = (FILLING, OTHER_FILLING, restarted)
    filled = [np.asarray(Image.open(io.BytesIO(body + filling + JPEG_END))) for filling in fillings]
    if jpeg.is_progressive(data) or not all(np.array_equal(filled[0], other) for other in filled[1:]):
        raise Refusal("undecodable", "The JPEG file is cut short.")
    return body + JPEG_END


def grey_of(picture: Image.Image) -> Numbers:
    """(rows, columns) in the picture's own depth, native byte order."""
    if picture.mode in DEEP_MODES:
        deep = np.asarray(picture)
        return deep.astype(deep.dtype.newbyteorder("="))
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
    if picture.mode in GREY_MODES:
        return np.asarray(picture.convert("L"))
    if picture.mode in COLOUR_MODES:
        return luma(np.asarray(picture.convert("RGB")))
    raise Refusal("undecodable", "The picture's colour space is not read here.")


def _signed(picture: Image.Image, values: Numbers) -> Numbers:
    """Pillow reads signed 8-bit TIFF as if it had no sign."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or values.dtype != np.uint8:
        return values
    form, bits = picture.tag_v2.get(tiff.SAMPLE_FORMAT, (1,)), picture.tag_v2.get(tiff.BITS, (1,))
    is_signed = form[0] == tiff.SIGNED and bits[0] == 8 and picture.mode in GREY_MODES
    return values.view(np.int8) if is_signed else values


def _turned(picture: Image.Image, values: Numbers) -> tuple[Numbers, Rescale]:
    """Pillow turns 8-bit WhiteIsZero itself and leaves deeper pixels as they are."""
    as_stored: Rescale = (1.0, 0.0)
    if picture.mode not in DEEP_MODES or not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return values, as_stored
    if picture.tag_v2.get(_TIFF_PHOTOMETRIC) != _WHITE_IS_ZERO:
        return values, as_stored
    return inverted(values, picture.tag_v2[_TIFF_BITS][0], as_stored)


def _phantom_spacing(picture: Image.Image) -> tuple[float, float] | None:
    if not isinstance(picture, PngImagePlugin.PngImageFile):
        return None
    try:
        stated: Any = json.loads(picture.text.get(PHANTOM_CHUNK, "null"))
        rows, columns = stated["pixel_spacing"]
    except (ValueError, TypeError, KeyError):
        return None
    return plausible(rows, columns)
