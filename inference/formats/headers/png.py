"""PNG: the chunk list (ISO/IEC 15948), without inflating a pixel."""

import struct
import zlib
from collections.abc import Iterator

from inference.formats.limits import MIB, Data, check_ratio, check_stack
from refusals import Refusal

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNKS = 40_000  # 256 MiB in the customary chunks of 8 KiB, and some
ANCILLARY_BYTES = MIB  # all text and profile chunks of one file together, inflated
TEXT_BYTES = 2 * MIB  # of one such chunk, as it is stored: more than this inflates to more than the above

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> samples a pixel
GREY = 0


def inspect(data: Data) -> None:
    """Refuse a PNG that is cut short, animated, too large, or hides a bomb in a text or profile chunk."""
    spare = ANCILLARY_BYTES
    for index, (kind, start, length) in enumerate(_chunks(data)):
        if (index == 0) != (kind == b"IHDR"):
            raise Refusal("undecodable", "The PNG file does not start with one image header.")
        if kind == b"IHDR":
            _check_image_header(data, start, length)
        elif kind == b"acTL":
            _check_single_frame(data, start, length)
        elif kind in (b"zTXt", b"iCCP", b"iTXt"):
            spare -= _inflated_length(kind, data[start : start + min(length, TEXT_BYTES)], spare)


def is_deep(data: Data) -> bool:
    """16 bits with colour or transparency."""
    return data[24:25] == b"\x10" and data[25:26] != bytes([GREY])


def density(data: Data) -> tuple[int, int] | None:
    """Pixels along a row and along a column in a unit of length, by the chunk pHYs of an inspected file."""
    for kind, start, length in _chunks(data):
        if kind == b"pHYs" and length == 9:
            across, down = struct.unpack_from(">II", data, start)
            return across, down
        if kind == b"IDAT":
            break
    return None


def _chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of content, length) up to IEND; refuse a list that runs over the end."""
    offset = len(SIGNATURE)
    for _ in range(CHUNKS):
        if offset + 12 > len(data):
            raise Refusal("undecodable", "The PNG file is cut short.")
        length, kind = struct.unpack_from(">I4s", data, offset)
        if offset + 12 + length > len(data):
            raise Refusal("undecodable", "The PNG file is cut short.")
        yield kind, offset + 8, length
        if kind == b"IEND":
            return
        offset += 12 + length
    raise Refusal("undecodable", f"The PNG file has more than {CHUNKS} chunks.")


def _check_image_header(data: Data, start: int, length: int) -> None:
    if length != 13:
        raise Refusal("undecodable", "The PNG image header has the wrong length.")
    columns, rows, depth, colour = struct.unpack_from(">IIBB", data, start)
    if colour not in SAMPLES or depth not in (1, 2, 4, 8, 16):
        raise Refusal("undecodable", "The PNG image header names an unknown kind of pixel.")
    check_ratio(rows * columns * SAMPLES[colour] * depth // 8, len(data))
    check_stack(1, rows, columns, 2 if depth == 16 else 1)


def _check_single_frame(data: Data, start: int, length: int) -> None:
    if length < 8 or struct.unpack_from(">I", data, start)[0] != 1:
        raise Refusal("frames", "The PNG file is animated; send one frame.")


def _inflated_length(kind: bytes, chunk: bytes, most: int) -> int:
    """How long a text or profile chunk gets; a stream that does not inflate counts as nothing."""
    try:
        inflated = zlib.decompressobj().decompress(_compressed_part(kind, chunk), most + 1)
    except zlib.error:
        return 0
    if len(inflated) > most:
        raise Refusal("decompression_bomb", "The PNG file's text grows beyond 1 MiB when inflated.")
    return len(inflated)


def _compressed_part(kind: bytes, chunk: bytes) -> bytes:
    """zTXt and iCCP: keyword, NUL, method, stream. iTXt: keyword, NUL, flag, method, 2 names, stream."""
    _, _, rest = chunk.partition(b"\0")
    if kind != b"iTXt":
        return rest[1:]
    if rest[:1] != b"\1":
        return b""
    _, _, after_language = rest[2:].partition(b"\0")
    return after_language.partition(b"\0")[2]
