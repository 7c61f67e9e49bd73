"""DICOM Part 10: what the header says about the picture, and whether it can be read at all."""

import dataclasses
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass

from inference.formats.headers.dicom_elements import (
    EXPLICIT_LITTLE,
    PIXEL_TAGS,
    UNDEFINED,
    Element,
    Elements,
    Form,
    cut_short,
)
from inference.formats.headers.dicom_kinds import check_kind, check_modality
from inference.formats.headers.dicom_syntaxes import (
    DEFLATED,
    ENCAPSULATED,
    JPEG_EXTENDED,
    JPEG_LS,
    NATIVE,
    check_syntax,
    video_of,
)
from inference.formats.limits import MIB, Data, check_ratio, check_stack, stride
from inference.formats.stack import Modality
from refusals import Refusal

PREFIX = b"DICM"
DATASET_HEAD = 4 * MIB  # how much of a deflated dataset is inflated to find its header

SHORTEST_DATASET = 64
LONGEST_FIRST = 256  # bytes of a dataset's first value
_FIRST_NUMBERS = {b"\0\0", b"\1\0", b"\5\0", b"\x08\0", b"\x12\0", b"\x16\0", b"\x18\0", b"\x20\0"}
DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory, a DICOMDIR

GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420")
LONGEST_VALUE = 256
"""Bytes of a value that `leading_values` hands out: six decimal strings are 101 at most."""
MOMENTS = 100_000
"""Frames of a clip in one file: more than an hour of them."""

_MEDIA_STORAGE_CLASS, _TRANSFER_SYNTAX = 0x00020002, 0x00020010
_CLASS, _IMAGE_TYPE, _MODALITY, _PHOTOMETRIC = 0x00080016, 0x00080008, 0x00080060, 0x00280004
_SAMPLES, _FRAMES, _ROWS, _COLUMNS = 0x00280002, 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH_BIT = 0x00280100, 0x00280101, 0x00280102
_WANTED = {
    _CLASS,
    _IMAGE_TYPE,
    _MODALITY,
    _PHOTOMETRIC,
    _SAMPLES,
    _FRAMES,
    _ROWS,
    _COLUMNS,
    _ALLOCATED,
    _STORED,
    _HIGH_BIT,
}


@dataclass(frozen=True)
class Header:
    """What the decoder may count on. `dataset_start` is the first byte after the file meta information.

    odd_elements: where, in the dataset as inflated, private elements of no value representation lie.
    """

    transfer_syntax: str
    file_bytes: int
    dataset_start: int
    modality: str
    photometric: str
    frames: int
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    odd_elements: tuple[int, ...] = ()

    def step(self, modality: Modality) -> int:
        """Every how many frames one is kept: 1 but in long clips; slices are all kept."""
        if modality == "mri" or self.transfer_syntax == DEFLATED:
            return 1
        return stride(self.frames, self.rows * self.columns * self.pixel_bytes)

    @property
    def pixel_bytes(self) -> int:
        """Of one grey pixel as kept."""
        return 1 if self.bits_allocated == 8 else 2

    @property
    def native_bytes(self) -> int:
        """Length of the pixel data when it is not encapsulated."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.frames * self.rows * self.columns * samples * self.bits_allocated // 8


def lacks_file_header(data: Data) -> bool:
    """Whether a dataset starts at once: group 0008, as networks send it and some exports leave it."""
    if data[:2] != b"\x08\0" or len(data) < SHORTEST_DATASET:
        return False
    number, vr = data[2:4], data[4:6]
    explicit = vr.isalpha() and vr.isupper()
    length = struct.unpack_from("<H", data, 6)[0] if explicit else struct.unpack_from("<L", data, 4)[0]
    return number in _FIRST_NUMBERS and length <= LONGEST_FIRST


def is_video(data: Data) -> bool:
    """Whether the transfer syntax is one of a video."""
    return video_of(_file_meta(data)[0]) is not None


def inspect(data: Data, modality: Modality) -> Header:
    """Read the header and refuse what has no readable picture of that modality within the limits.

    Codes: `unsupported_type` (DICOMDIR), `unsupported_transfer_syntax`, `no_pixel_data`, `modality_mismatch`,
    `dimensions`, `frames`, `decompression_bomb`, `undecodable`.
    """
    syntax, start = _file_meta(data)
    dataset, offset = (_inflated_head(data, start), 0) if syntax == DEFLATED else (data, start)
    elements = Elements(dataset)
    form = _form(dataset, offset, syntax)
    values, pixel_data = _read(elements, offset, form)
    header = _header(values, form, syntax, start, len(data))
    check_kind(_text(values.get(_CLASS, b"")), header.modality, _text(values.get(_IMAGE_TYPE, b"")))
    if pixel_data is None:
        raise Refusal("no_pixel_data", "The DICOM file holds no picture.")
    check_modality(header.modality, modality)
    _check_pixels(header)
    _check_size(header, modality)
    if syntax in ENCAPSULATED or video_of(syntax):
        _check_fragments(elements, pixel_data, 1 if video_of(syntax) else header.frames)
    else:
        _check_native(header, pixel_data, None if syntax == DEFLATED else len(data))
    return dataclasses.replace(header, odd_elements=tuple(elements.odd))


def leading_values(data: Data, wanted: Collection[int]) -> dict[int, bytes]:
    """By their tags, the raw values that stand before the picture, outside any sequence.

    Raises Refusal as `inspect` does for what cannot be walked.
    """
    syntax, start = _file_meta(data)
    dataset, offset = (_inflated_head(data, start), 0) if syntax == DEFLATED else (data, start)
    return {
        element.tag: bytes(dataset[element.start : element.start + min(element.length, LONGEST_VALUE)])
        for element in Elements(dataset).top_level(offset, _form(dataset, offset, syntax))
        if element.tag in wanted
    }


def _file_meta(data: Data) -> tuple[str, int]:
    """(transfer syntax, where the dataset starts). Group 0002 is always explicit little endian."""
    elements = Elements(data)
    offset = 132
    found: dict[int, str] = {}
    while data[offset : offset + 2] == b"\x02\0":
        element = elements.read(offset, EXPLICIT_LITTLE)
        offset = elements.end(element, EXPLICIT_LITTLE)
        if element.tag in (_MEDIA_STORAGE_CLASS, _TRANSFER_SYNTAX):
            found[element.tag] = _text(elements.value(element))
    if found.get(_MEDIA_STORAGE_CLASS) == DIRECTORY_CLASS:
        raise Refusal("unsupported_type", "This is a DICOMDIR, a list of files; send the images themselves.")
    return check_syntax(found.get(_TRANSFER_SYNTAX)), offset


def _inflated_head(data: Data, start: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=-15).decompress(data[start : start + DATASET_HEAD], DATASET_HEAD)
    except zlib.error:
        raise Refusal("undecodable", "The deflated DICOM dataset does not inflate.") from None


def _form(dataset: Data, offset: int, syntax: str) -> Form:
    """Some writers state explicit and write implicit; the first element shows which it is."""
    stated = NATIVE.get(syntax, EXPLICIT_LITTLE)
    vr = dataset[offset + 4 : offset + 6]
    explicit = vr.isalpha() and vr.isupper()
    return stated if explicit == stated.explicit or stated.endian == ">" else Form("<", explicit)


def _read(elements: Elements, offset: int, form: Form) -> tuple[dict[int, bytes], Element | None]:
    """The wanted values, raw, and the pixel data element that ends the walk, if there is one."""
    values: dict[int, bytes] = {}
    for element in elements.top_level(offset, form):
        if element.tag in _WANTED:
            values[element.tag] = elements.value(element)
        if element.tag in PIXEL_TAGS:
            return values, element
    return values, None


def _header(values: dict[int, bytes], form: Form, syntax: str, start: int, file_bytes: int) -> Header:
    def number(tag: int) -> int:
        value = values.get(tag, b"")
        return int(struct.unpack_from(form.endian + "H", value)[0]) if len(value) >= 2 else 0

    return Header(
        transfer_syntax=syntax,
        file_bytes=file_bytes,
        dataset_start=start,
        modality=_text(values.get(_MODALITY, b"")),
        photometric=_text(values.get(_PHOTOMETRIC, b"")),
        frames=_frames(values.get(_FRAMES, b"")),
        rows=number(_ROWS),
        columns=number(_COLUMNS),
        samples=number(_SAMPLES),
        bits_allocated=number(_ALLOCATED),
        bits_stored=number(_STORED),
        high_bit=number(_HIGH_BIT),
    )


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip(" \0")


def _frames(value: bytes) -> int:
    """An integer string as the standard has it, "+3" too; empty and 0 say that nobody thought of frames."""
    text = _text(value).removeprefix("+") or "1"
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Refusal("frames", "The number of frames in the DICOM file is not a number.")
    return int(text) or 1


def _check_size(header: Header, modality: Modality) -> None:
    """A clip may be longer than what is kept of it."""
    if not 1 <= header.frames <= MOMENTS:
        raise Refusal("frames", f"{header.frames} frames: a clip has between 1 and {MOMENTS}.")
    kept = -(-header.frames // header.step(modality))
    check_stack(kept, header.rows, header.columns, header.pixel_bytes)
    if not video_of(header.transfer_syntax):
        check_ratio(header.native_bytes // header.frames * kept, header.file_bytes)


def _check_pixels(header: Header) -> None:
    samples = {**dict.fromkeys(GREY, 1), **dict.fromkeys(COLOUR, 3)}.get(header.photometric)
    if samples is None or samples != header.samples:
        raise Refusal("undecodable", "The DICOM file has a kind of pixel that is not read here.")
    if header.bits_allocated not in (8, 16, 32) or not 1 <= header.bits_stored <= header.bits_allocated:
        raise Refusal("undecodable", "The DICOM file states impossible bits for each pixel.")
    if header.high_bit != header.bits_stored - 1:
        raise Refusal("undecodable", "The DICOM pixels do not start at the lowest bit, which is not read.")
    too_deep = header.transfer_syntax == JPEG_EXTENDED and header.bits_stored not in (8, 12)
    odd_depth = header.transfer_syntax in JPEG_LS and header.bits_stored in (6, 7)
    if too_deep or odd_depth:
        raise Refusal(
            "unsupported_transfer_syntax",
            f"No decoder here reads this compression at {header.bits_stored} bits.",
        )


def _check_native(header: Header, pixel_data: Element, file_bytes: int | None) -> None:
    """file_bytes: None when only the head of the dataset is at hand."""
    if pixel_data.length == UNDEFINED:
        raise Refusal("undecodable", "The DICOM pixel data has no length.")
    end = pixel_data.start + header.native_bytes
    if pixel_data.length < header.native_bytes or (file_bytes is not None and end > file_bytes):
        raise cut_short()


def _check_fragments(elements: Elements, pixel_data: Element, frames: int) -> None:
    if pixel_data.length != UNDEFINED:
        raise Refusal("undecodable", "The compressed DICOM pixel data is not encapsulated.")
    fragments = sum(1 for _ in elements.fragments(pixel_data)) - 1  # the first item is the offset table
    if fragments < frames:
        raise cut_short()
