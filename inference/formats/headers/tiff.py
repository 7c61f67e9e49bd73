"""TIFF 6.0: the first image file directory, without touching a strip or tile."""

import re
import struct

from inference.formats.limits import Data, check_ratio, check_stack
from refusals import Refusal

SIGNATURES = {b"II*\0": "<", b"MM\0*": ">"}
ENTRIES = 512

WIDTH, LENGTH, BITS, COMPRESSION, SAMPLES = 256, 257, 258, 259, 277
TILE_WIDTH, TILE_LENGTH = 322, 323
SAMPLE_FORMAT, WHOLE, SIGNED = 339, 1, 2
DESCRIPTION = 270
LONGEST_DESCRIPTION = 4096
_IMAGES = re.compile(rb"ImageJ=[^\0]*?\bimages=(\d{1,9})", re.DOTALL)
# none, LZW, JPEG, Deflate (new and old number), PackBits
READABLE_COMPRESSIONS = {1, 5, 7, 8, 32946, 32773}
_SIZES = {3: "H", 4: "L"}  # TIFF field types SHORT and LONG


def inspect(data: Data) -> None:
    """Refuse a TIFF that is cut short, has several pages, too many pixels, or an unusual compression."""
    endian = SIGNATURES[data[:4]]
    tags, following = _directory(data, endian)
    if following:
        raise Refusal("frames", "The TIFF file has several pages; send one.")
    _check_one_image(data, tags)
    rows, columns, samples = tags.get(LENGTH, 0), tags.get(WIDTH, 0), tags.get(SAMPLES, 1)
    bits = tags.get(BITS, 1)
    if tags.get(COMPRESSION, 1) not in READABLE_COMPRESSIONS:
        raise Refusal("undecodable", "The TIFF file uses a compression that is not read here.")
    if bits not in (1, 2, 4, 8, 16, 32) or not 1 <= samples <= 4:
        raise Refusal("undecodable", f"TIFF with {samples} samples of {bits} bits is not read.")
    if bits == 32 and tags.get(SAMPLE_FORMAT, WHOLE) == WHOLE:
        raise Refusal("undecodable", "Unsigned 32-bit TIFF is not read; send 16-bit grey or floats.")
    if bits > 8 and samples > 1:
        raise Refusal(
            "undecodable", "16-bit colour TIFF is not read, as it would lose depth; send 16-bit grey."
        )
    _check_tile(tags, samples * bits, len(data))
    check_ratio(rows * columns * samples * bits // 8, len(data))
    check_stack(1, rows, columns, 1 if bits <= 8 else 2)


def _check_one_image(data: Data, tags: dict[int, int]) -> None:
    """ImageJ keeps a whole stack behind one directory and says how many in its description."""
    place = tags.get(DESCRIPTION, 0)
    told = _IMAGES.search(data[place : place + LONGEST_DESCRIPTION]) if place else None
    if told and int(told[1]) > 1:
        raise Refusal("frames", "The TIFF file holds several pictures behind one directory; send one.")


def _directory(data: Data, endian: str) -> tuple[dict[int, int], int]:
    """The first directory as {tag: first value} for whole numbers, and the offset of the next one.

    Of the description it is where its text stands.
    """
    start = _unpack(endian + "L", data, 4)
    count = _unpack(endian + "H", data, start)
    if not 1 <= count <= ENTRIES:
        raise Refusal("undecodable", "The TIFF directory has an impossible length.")
    tags = dict(_entry(data, endian, start + 2 + 12 * index) for index in range(count))
    return tags, _unpack(endian + "L", data, start + 2 + 12 * count)


def _entry(data: Data, endian: str, offset: int) -> tuple[int, int]:
    tag, kind = _unpack(endian + "H", data, offset), _unpack(endian + "H", data, offset + 2)
    count = _unpack(endian + "L", data, offset + 4)
    if tag == DESCRIPTION and count > 4:  # text, which stands elsewhere
        return tag, _unpack(endian + "L", data, offset + 8)
    if kind not in _SIZES:
        return tag, 0
    size = struct.calcsize(endian + _SIZES[kind])
    inline = count * size <= 4
    place = offset + 8 if inline else _unpack(endian + "L", data, offset + 8)
    return tag, _unpack(endian + _SIZES[kind], data, place)


def _unpack(layout: str, data: Data, offset: int) -> int:
    if offset + struct.calcsize(layout) > len(data):
        raise Refusal("undecodable", "The TIFF file is cut short.")
    return int(struct.unpack_from(layout, data, offset)[0])


def _check_tile(tags: dict[int, int], pixel_bits: int, file_bytes: int) -> None:
    """A small picture may still declare one enormous tile, which the library would allocate."""
    rows, columns = tags.get(TILE_LENGTH, 0), tags.get(TILE_WIDTH, 0)
    check_ratio(rows * columns * pixel_bits // 8, file_bytes)
