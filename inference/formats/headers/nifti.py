"""NIfTI-1 and NIfTI-2: the fixed header, plain or at the start of a gzip stream."""

import math
import struct
import zlib
from dataclasses import dataclass

from inference.formats.limits import (
    SIDE_MOST,
    STACK_BYTES,
    VOLUME_BYTES,
    Data,
    check_ratio,
)
from refusals import Refusal

GZIP = b"\x1f\x8b"
_SIZE_1, _SIZE_2 = 348, 540
_MAGIC_1, _MAGIC_2 = b"n+1\0", b"n+2\0\r\n\x1a\n"
_PAIRED_MAGICS = (b"ni1\0", b"ni2\0\r\n\x1a\n")
_GZIP_HEAD = 65_536  # enough input for the header, whatever name the gzip wrapper carries
_EXTENSION_BYTES = 16 * 1024 * 1024  # header extensions between the header and the voxels

# NIfTI data type code -> bytes a voxel. Colour, complex, 1-bit and 128-bit voxels are left out.
VOXEL_BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8}
_COMPLEX = (32, 1792, 2048)
_COLOUR = (128, 2304)


@dataclass(frozen=True)
class Header:
    """What the decoder may count on: the shape (3 sides) and the length of the whole file, inflated."""

    version: int
    shape: tuple[int, int, int]
    voxel_bytes: int
    total_bytes: int


def head(data: Data) -> bytes:
    """The first 540 bytes, inflated if the file is a gzip stream; b"" when that cannot be done."""
    if data[:2] != GZIP:
        return data[:_SIZE_2]
    try:
        return zlib.decompressobj(wbits=31).decompress(data[:_GZIP_HEAD], _SIZE_2)
    except zlib.error:
        return b""


def is_nifti(start: bytes) -> bool:
    """`start`, from head(), is a NIfTI header (also one whose voxels are in another file)."""
    return start[344:348] in (_MAGIC_1, _PAIRED_MAGICS[0]) or start[4:12] in (_MAGIC_2, _PAIRED_MAGICS[1])


def is_analyze(start: bytes) -> bool:
    """`start`, from head(), is the header of Analyze 7.5: NIfTI's forerunner, which knows no orientation."""
    return len(start) >= _SIZE_1 and start[:4] in (struct.pack("<i", _SIZE_1), struct.pack(">i", _SIZE_1))


def inspect(data: Data) -> Header:
    """Read the header and refuse what is no single grey volume within the limits.

    Codes: `dimensions` (no axis or too long, more than three axes), `undecodable` (voxel type, lengths),
    `decompression_bomb`.
    """
    start = head(data)
    if start[344:348] == _PAIRED_MAGICS[0] or start[4:12] == _PAIRED_MAGICS[1]:
        raise Refusal(
            "undecodable",
            "The NIfTI voxels are in a second file: this is half of an image pair; send one .nii or .nii.gz.",
        )
    version = 1 if start[344:348] == _MAGIC_1 else 2
    dim, datatype, vox_offset = _fields(start, version)
    shape, voxel_bytes = _shape(dim), _voxel_bytes(datatype)
    if not (math.isfinite(vox_offset) and _SIZE_1 <= vox_offset <= _EXTENSION_BYTES):
        raise Refusal("undecodable", "The NIfTI header places the voxels at an impossible offset.")
    header = Header(version, shape, voxel_bytes, int(vox_offset) + math.prod(shape) * voxel_bytes)
    _check_budget(header, data)
    return header


def _fields(start: bytes, version: int) -> tuple[tuple[int, ...], int, float]:
    """(dim, datatype, vox_offset) in the header's own byte order, which sizeof_hdr gives away."""
    size = _SIZE_1 if version == 1 else _SIZE_2
    if len(start) < size:
        raise Refusal("undecodable", "The NIfTI header is cut short.")
    endian = "<" if struct.unpack_from("<i", start)[0] == size else ">"
    if struct.unpack_from(endian + "i", start)[0] != size:
        raise Refusal("undecodable", "The NIfTI header states a wrong length of itself.")
    if version == 1:
        dim = struct.unpack_from(endian + "8h", start, 40)
        return (
            dim,
            *struct.unpack_from(endian + "h", start, 70),
            *struct.unpack_from(endian + "f", start, 108),
        )
    dim = struct.unpack_from(endian + "8q", start, 16)
    return dim, *struct.unpack_from(endian + "h", start, 12), *struct.unpack_from(endian + "q", start, 168)


def _shape(dim: tuple[int, ...]) -> tuple[int, int, int]:
    if not 1 <= dim[0] <= 7:
        raise Refusal("dimensions", "The NIfTI header states an impossible number of axes.")
    sides = dim[1 : dim[0] + 1]
    if any(side < 1 for side in sides):
        raise Refusal("dimensions", "The NIfTI header states an axis without length.")
    if any(side > 1 for side in sides[3:]):
        raise Refusal("dimensions", "The NIfTI file has more than three axes; send one volume.")
    first, second, third = (*sides[:3], 1, 1)[:3]
    return first, second, third


def _voxel_bytes(datatype: int) -> int:
    if datatype in _COMPLEX:
        raise Refusal("undecodable", "The NIfTI voxels are complex numbers; send their magnitude.")
    if datatype in _COLOUR:
        raise Refusal("undecodable", "The NIfTI voxels are colours; send a grey volume.")
    if datatype not in VOXEL_BYTES:
        raise Refusal("undecodable", "The NIfTI voxels have a data type that is not read here.")
    return VOXEL_BYTES[datatype]


def _check_budget(header: Header, data: Data) -> None:
    """Frames are only known after reorientation, so every axis has the bound of a side here."""
    voxels = math.prod(header.shape)
    kept = voxels * min(header.voxel_bytes, 2)
    if data[:2] == GZIP:
        check_ratio(header.total_bytes, len(data))
    elif header.total_bytes > len(data):
        raise Refusal("undecodable", "The NIfTI file is cut short.")
    if max(header.shape) > SIDE_MOST or kept > STACK_BYTES or header.total_bytes > VOLUME_BYTES:
        raise Refusal("dimensions", "The NIfTI volume has more voxels than are read here.")
