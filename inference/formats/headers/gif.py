"""GIF: the list of blocks (GIF89a), without unpacking a pixel."""

import struct

from inference.formats.limits import Data, check_frame
from inference.formats.spacing import plausible_aspect
from refusals import Refusal

SIGNATURES = (b"GIF87a", b"GIF89a")
BLOCKS = 1_500_000  # 256 MiB in full blocks of 255 bytes, and some
FRAMES = 100_000
IMAGE, EXTENSION, END = 0x2C, 0x21, 0x3B
TABLE = 0x80
"""The flag of a table of colours, whose length the lowest three bits of the same byte say."""


def inspect(data: Data) -> int:
    """How many frames there are. Refuses what is cut short, too large, or made of far too many blocks."""
    if len(data) < 13:
        raise _cut_short()
    columns, rows, flags = struct.unpack_from("<HHB", data, 6)
    check_frame(rows, columns)
    offset, frames, left = 13 + _table(flags), 0, BLOCKS
    while offset < len(data) and data[offset] != END:
        if data[offset] == EXTENSION:
            offset += 2
        elif data[offset] == IMAGE and offset + 10 <= len(data):
            frames += 1
            _check_inside(data, offset + 1, rows, columns)
            offset += 11 + _table(data[offset + 9])
        else:
            raise Refusal("undecodable", "The GIF file is damaged or cut short.")
        offset, left = _after_blocks(data, offset, left)
    if offset >= len(data) or not frames:
        raise _cut_short()
    if frames > FRAMES:
        raise Refusal("frames", f"The GIF file has more than {FRAMES} frames.")
    return frames


def aspect(data: Data) -> float | None:
    """Height of a pixel over its width by the Pixel Aspect Ratio of the screen; None where it states none."""
    stated = data[12]
    return plausible_aspect(64, stated + 15) if stated and stated + 15 != 64 else None


def _table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & TABLE else 0


def _check_inside(data: Data, place: int, rows: int, columns: int) -> None:
    """A frame beyond the screen would enlarge it."""
    left, top, width, height = struct.unpack_from("<HHHH", data, place)
    if left + width > columns or top + height > rows:
        raise Refusal("undecodable", "A frame of the GIF file lies outside its picture.")


def _after_blocks(data: Data, offset: int, left: int) -> tuple[int, int]:
    """Where the list of blocks that starts at `offset` ends, and how many blocks may still come."""
    while offset < len(data) and data[offset]:
        offset += 1 + data[offset]
        left -= 1
        if left < 0:
            raise Refusal("undecodable", f"The GIF file has more than {BLOCKS} blocks.")
    return offset + 1, left


def _cut_short() -> Refusal:
    return Refusal("undecodable", "The GIF file is cut short.")
