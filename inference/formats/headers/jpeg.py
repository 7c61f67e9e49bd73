"""JPEG: the marker segments (ITU-T T.81), without decoding a scan."""

import re
import struct
from collections.abc import Iterator

from inference.formats.limits import Data, check_ratio, check_stack
from refusals import Refusal

SIGNATURE = b"\xff\xd8\xff"
SEGMENTS = 4096
SCANS = 64  # a progressive file has about ten; each scan walks the whole picture once more

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
PROGRESSIVE = 0xC2
READABLE_FRAMES = {0xC0: "baseline", 0xC1: "extended", PROGRESSIVE: "progressive"}
OTHER_FRAMES = {
    0xC3,
    0xC5,
    0xC6,
    0xC7,
    0xC9,
    0xCA,
    0xCB,
    0xCD,
    0xCE,
    0xCF,
}  # lossless, hierarchical, arithmetic

# Inside a scan 0xFF is followed by 0x00 (a stuffed byte), a restart marker, or another 0xFF (fill).
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def inspect(data: Data) -> None:
    """Refuse a JPEG that is cut short, has no frame, more than 64 scans, or too many pixels.

    One that ends within its last scan passes here: perhaps it lacks no more than the marker of its end.
    """
    scans = frames = 0
    for marker, start, length in _segments(data):
        if marker in OTHER_FRAMES:
            raise Refusal("undecodable", "Lossless, hierarchical and arithmetic JPEG are not read.")
        if marker in READABLE_FRAMES:
            frames += 1
            _check_frame_header(data, start, length)
        scans += marker == START_OF_SCAN
        if scans > SCANS:
            raise Refusal("decompression_bomb", f"The JPEG file has more than {SCANS} scans.")
    if frames != 1 or scans == 0:
        raise Refusal("undecodable", "The JPEG file does not hold one picture.")


def ends(data: Data) -> bool:
    """Whether the marker of the end is there. The data has passed inspect."""
    return any(marker == END_OF_IMAGE for marker, _, _ in _segments(data))


def is_progressive(data: Data) -> bool:
    """Whether the picture is refined scan by scan, so that nobody can say which of them is the last."""
    return any(marker == PROGRESSIVE for marker, _, _ in _segments(data))


def _segments(data: Data) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start of content, length) up to the end of the image, or of the data within a scan."""
    offset, marker = 2, 0
    for _ in range(SEGMENTS):
        found = _NEXT_MARKER.search(data, offset)
        if found is None and marker == START_OF_SCAN:
            return
        if found is None:
            raise Refusal("undecodable", "The JPEG file is cut short.")
        marker = data[found.start() + 1]
        if marker == END_OF_IMAGE:
            yield marker, found.end(), 0
            return
        if found.end() + 2 > len(data):
            raise Refusal("undecodable", "The JPEG file is cut short.")
        length = struct.unpack_from(">H", data, found.end())[0]
        yield marker, found.end() + 2, length - 2
        offset = found.end() + length
    raise Refusal("undecodable", f"The JPEG file has more than {SEGMENTS} segments.")


def _check_frame_header(data: Data, start: int, length: int) -> None:
    if length < 6 or start + 6 > len(data):
        raise Refusal("undecodable", "The JPEG frame header is cut short.")
    precision, rows, columns, components = struct.unpack_from(">BHHB", data, start)
    if precision != 8 or components not in (1, 3, 4):
        raise Refusal("undecodable", f"JPEG with {components} components of {precision} bits is not read.")
    check_ratio(rows * columns * components, len(data))
    check_stack(1, rows, columns, 1)
