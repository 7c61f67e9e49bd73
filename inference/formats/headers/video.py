"""Videos: which container it is, and how large its pictures are by its own word.

Only the few containers that ultrasound machines export are let in, each read by its own reader alone, so
that no playlist, subtitle or network address inside a file is ever followed.
"""

import re
import struct
from collections.abc import Iterator

from inference.formats.limits import MIB, Data, check_frame
from refusals import Refusal

RIFF, AVI = b"RIFF", b"AVI "
MPEG = (b"\0\0\x01\xba", b"\0\0\x01\xb3")
"""How an MPEG program stream and a bare MPEG-1 or MPEG-2 video begin."""
BOXES = 20_000
BOX_HEAD = 8
PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
HEAD = MIB  # where the headers of AVI and MPEG are looked for
PICTURES = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
"""Brands of the same boxes that say pictures, not video."""

_STREAM = re.compile(rb"strf.{4}(.{4})(.{4})(.{4})", re.DOTALL)
_SEQUENCE = re.compile(rb"\0\0\x01\xb3(.{3})", re.DOTALL)


def is_mp4(data: Data) -> bool:
    """MP4 and QuickTime: the same boxes."""
    return (data[4:8] == b"ftyp" and data[8:12] not in PICTURES) or data[4:8] in (b"moov", b"mdat", b"wide")


def is_avi(data: Data) -> bool:
    """A RIFF file of video."""
    return data[:4] == RIFF and data[8:12] == AVI


def is_mpeg(data: Data) -> bool:
    """A program stream, or bare MPEG-1 or MPEG-2 video."""
    return data[:4] in MPEG


def inspect_mp4(data: Data) -> None:
    """Refuse what has no video track, or pictures beyond the limits."""
    sizes = [_sample_size(data, start, end) for start, end in _sample_tables(data)]
    _check(next((size for size in sizes if size), None), "MP4")


def inspect_avi(data: Data) -> None:
    """Likewise."""
    for found in _STREAM.finditer(data[:HEAD]):
        if struct.unpack("<I", found[1])[0] in (40, 108, 124):  # the header of a picture, not of sound
            width, height = struct.unpack("<ii", found[2] + found[3])
            return _check((abs(height), width), "AVI")
    return _check(None, "AVI")


def inspect_mpeg(data: Data) -> None:
    """Likewise."""
    found = _SEQUENCE.search(data[:HEAD])
    bits = int.from_bytes(found[1], "big") if found else 0
    _check((bits & 0xFFF, bits >> 12) if found else None, "MPEG")


def _check(size: tuple[int, int] | None, name: str) -> None:
    if size is None:
        raise Refusal("no_pixel_data", f"The {name} file holds no video that is read here.")
    check_frame(*size)


def _sample_tables(data: Data) -> Iterator[tuple[int, int]]:
    """Where the sample descriptions (stsd) lie: (start, end) of each one's content."""
    left = BOXES
    levels = [(0, len(data))]
    while levels:
        offset, end = levels.pop()
        while offset + BOX_HEAD <= end:
            left -= 1
            if left < 0:
                raise Refusal("undecodable", f"The MP4 file has more than {BOXES} boxes.")
            size, kind = struct.unpack_from(">I4s", data, offset)
            head = BOX_HEAD
            if size == 1 and offset + 16 <= end:
                size, head = struct.unpack_from(">Q", data, offset + 8)[0], 16
            stop = end if size == 0 else offset + size
            if (size and size < head) or stop > end:
                break  # what follows is no list of boxes; a file cut short has its description or not
            if kind in PARENTS:
                levels.append((offset + head, stop))
            if kind == b"stsd":
                yield offset + head, stop
            offset = stop


def _sample_size(data: Data, start: int, end: int) -> tuple[int, int] | None:
    """(rows, columns) of a visual sample entry; a sound's has neither."""
    if start + 8 + 36 > end:
        return None
    width, height = struct.unpack_from(">HH", data, start + 8 + 32)
    kind = data[start + 12 : start + 16]
    return (height, width) if kind not in (b"mp4a", b"sowt", b"twos", b"lpcm", b"ac-3") and width else None
