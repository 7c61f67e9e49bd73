"""BMP: the two headers before the pixels, without touching one."""

import struct

from inference.formats.limits import Data, check_ratio, check_stack
from refusals import Refusal

SIGNATURE = b"BM"
FILE_HEADER = 14
OLDEST = 12
"""Length of the first kind of picture header, with sides of 16 bits."""
HEADERS = {OLDEST, 40, 52, 56, 64, 108, 124}
DEPTHS = {1, 4, 8, 16, 24, 32}
PLAIN, RUNS_8, RUNS_4, MASKS = 0, 1, 2, 3
"""Compressions: none, run lengths, and none with masks that say where each colour lies."""


def is_bmp(data: Data) -> bool:
    """Two letters would fit many texts: the length of the picture header has to be one that exists."""
    return data[:2] == SIGNATURE and len(data) > FILE_HEADER + 4 and _length(data) in HEADERS


def inspect(data: Data) -> None:
    """Refuse a BMP that is cut short, too large, or of a kind that nobody writes."""
    length = _length(data)
    if len(data) < FILE_HEADER + length:
        raise Refusal("undecodable", "The BMP file is cut short.")
    pixels = struct.unpack_from("<I", data, 10)[0]
    if length == OLDEST:
        columns, rows, _, depth = struct.unpack_from("<HHHH", data, FILE_HEADER + 4)
        compression = PLAIN
    else:
        columns, rows, _, depth, compression = struct.unpack_from("<iiHHI", data, FILE_HEADER + 4)
    if depth not in DEPTHS or compression not in (PLAIN, RUNS_8, RUNS_4, MASKS):
        raise Refusal("undecodable", "The BMP file has a kind of pixel that is not read here.")
    rows = abs(rows)  # negative where the first row is the uppermost
    check_ratio(max(columns, 0) * rows * max(depth, 8) // 8, len(data))
    check_stack(1, rows, columns, 1)
    if compression in (PLAIN, MASKS) and pixels + (columns * depth + 31) // 32 * 4 * rows > len(data):
        raise Refusal("undecodable", "The BMP file is cut short.")


def _length(data: Data) -> int:
    return int(struct.unpack_from("<I", data, FILE_HEADER)[0])
