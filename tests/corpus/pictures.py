"""Small PNG, JPEG and TIFF files, well formed and otherwise."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = 48


def ramp(dtype: Any = np.uint8, rows: int = SIDE, columns: int = SIDE + 16) -> np.ndarray:
    """A picture that is different in every corner and uses the whole depth."""
    most = np.iinfo(dtype).max
    down, across = np.mgrid[0:rows, 0:columns]
    return ((down * 3 + across) / (3 * (rows - 1) + columns - 1) * most).astype(dtype)


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def saved(picture: np.ndarray | Image.Image, form: str = "PNG", **options: Any) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(columns: int, rows: int, *extra: bytes, depth: int = 8, colour: int = 0, body: bytes = b"") -> bytes:
    """A PNG that declares what it is told, whatever its body holds."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(body, 1))
    return SIGNATURE + header + b"".join(extra) + data + chunk(b"IEND", b"")


def with_chunk(file: bytes, extra: bytes) -> bytes:
    """The PNG file with one more chunk right after its header."""
    after_header = len(SIGNATURE) + 25
    return file[:after_header] + extra + file[after_header:]


def many_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    file = saved(noise(64, 64), "JPEG", progressive=True)
    last = file.rindex(b"\xff\xda")
    return file[:-2] + file[last:-2] * scans + b"\xff\xd9"


def tiff(tags: dict[int, int], *, endian: str = "<", following: int = 0, body: bytes = b"") -> bytes:
    """A TIFF with one directory of LONG values; StripOffsets (273) points at the body."""
    start = 8 + 2 + 12 * len(tags) + 4
    tags = {tag: start if tag == 273 else value for tag, value in sorted(tags.items())}
    entries = b"".join(struct.pack(endian + "HHLL", tag, 4, 1, value) for tag, value in tags.items())
    magic = b"II*\0" if endian == "<" else b"MM\0*"
    directory = struct.pack(endian + "L", 8) + struct.pack(endian + "H", len(tags)) + entries
    return magic + directory + struct.pack(endian + "L", following) + body
