"""Small files that ask for much, each with the refusal it must meet before any library runs."""

import gzip
import zlib

import numpy as np
from corpus import dicoms, pictures, volumes

PICTURE = pictures.saved(pictures.ramp())
JPEG = pictures.saved(pictures.noise(64, 64), "JPEG", quality=50)
MIB = 1 << 20


def zeros(mebibytes: int) -> bytes:
    return zlib.compress(bytes(mebibytes * MIB), 9)


def jpeg_of(rows: int, columns: int) -> bytes:
    """A real JPEG whose frame header says it is larger."""
    place = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:place] + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + JPEG[place + 4 :]


def tags(**changes: int) -> dict[int, int]:
    names = {"width": 256, "length": 257, "bits": 258, "compression": 259, "samples": 277}
    names |= {"tile_width": 322, "tile_length": 323}
    plain = {256: 64, 257: 64, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 64, 279: 4096}
    return plain | {names[name]: value for name, value in changes.items()}


def huge_rle() -> bytes:
    content = dicoms.file(pictures.noise(64, 64), syntax=dicoms.RLELossless)
    for tag in (b"\x28\0\x10\0", b"\x28\0\x11\0"):
        content = dicoms.patched(content, tag, b"US", b"\xff\xff")
    return content


def many_elements() -> bytes:
    """A DICOM file of 600 000 empty elements."""
    content = dicoms.file(pictures.noise(64, 64))
    place = content.index(b"\x28\0\x02\0US")
    return content[:place] + b"\x09\0\x01\x10LO\0\0" * 600_000 + content[place:]


def huge_volume() -> bytes:
    small = np.zeros((40, 40, 40), "<i2")
    return gzip.compress(volumes.file(small, dim=[3, 30_000, 30_000, 30_000, 1, 1, 1, 1]))


BOMBS: dict[str, tuple[bytes, str]] = {
    "PNG of 50 000 x 50 000": (pictures.png(50_000, 50_000), "decompression_bomb"),
    "PNG of 13 000 x 13 000, under Pillow's own limit": (
        pictures.png(13_000, 13_000, body=pictures.noise(MIB).tobytes()),
        "dimensions",
    ),
    "PNG of 4 294 967 295 x 1": (pictures.png(0xFFFFFFFF, 1), "decompression_bomb"),
    "PNG with text that inflates": (
        pictures.with_chunk(PICTURE, pictures.chunk(b"zTXt", b"a\0\0" + zeros(64))),
        "decompression_bomb",
    ),
    "PNG with international text that inflates": (
        pictures.with_chunk(PICTURE, pictures.chunk(b"iTXt", b"a\0\1\0en\0b\0" + zeros(64))),
        "decompression_bomb",
    ),
    "PNG with a profile that inflates": (
        pictures.with_chunk(PICTURE, pictures.chunk(b"iCCP", b"a\0\0" + zeros(64))),
        "decompression_bomb",
    ),
    "PNG with many texts that inflate together": (
        pictures.with_chunk(PICTURE, pictures.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(300_000))) * 4),
        "decompression_bomb",
    ),
    "PNG of 40 001 chunks": (
        pictures.with_chunk(PICTURE, pictures.chunk(b"tEXt", b"a\0b") * 40_001),
        "undecodable",
    ),
    "PNG whose chunk is longer than the file": (
        PICTURE[:33] + b"\x7f\xff\xff\xffIDAT" + PICTURE[41:],
        "undecodable",
    ),
    "JPEG of 65 535 x 65 535": (jpeg_of(65_535, 65_535), "decompression_bomb"),
    "JPEG of 400 scans": (pictures.many_scans(400), "decompression_bomb"),
    "JPEG of 5000 comments": (
        JPEG[:2] + b"\xff\xfe\0\x04ab" * 5000 + JPEG[2:],
        "undecodable",
    ),
    "TIFF of 60 000 x 60 000": (pictures.tiff(tags(width=60_000, length=60_000)), "decompression_bomb"),
    "TIFF with one enormous tile": (
        pictures.tiff(tags(tile_width=60_000, tile_length=60_000)),
        "decompression_bomb",
    ),
    "TIFF that loops": (pictures.tiff(tags(), following=8), "frames"),
    "TIFF with a fax compression": (pictures.tiff(tags(compression=4)), "undecodable"),
    "TIFF of unsigned 32-bit numbers": (pictures.tiff(tags(bits=32)), "undecodable"),
    "TIFF of 65 535 samples": (pictures.tiff(tags(samples=65_535)), "undecodable"),
    "DICOM of 65 535 x 65 535 in RLE": (huge_rle(), "dimensions"),
    "DICOM of 600 000 elements": (many_elements(), "undecodable"),
    "NIfTI of 30 000 cubed": (huge_volume(), "decompression_bomb"),
}

FOREIGN: dict[str, bytes] = {
    "BMP": b"BM" + bytes(100),
    "WebP": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(100),
    "PDF": b"%PDF-1.7\n" + bytes(100),
    "ZIP": b"PK\x03\x04" + bytes(100),
    "Windows program": b"MZ" + bytes(100),
    "Linux program": b"\x7fELF" + bytes(100),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
    "gzip of something else": gzip.compress(b"hello" * 100),
    "gzip cut short": gzip.compress(b"hello" * 100)[:8],
    "BigTIFF": b"II+\0\x08\0\0\0" + bytes(100),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "one byte": b"x",
    "zeros": bytes(4096),
    "text": "naïve text, 1234\n".encode() * 50,
}
