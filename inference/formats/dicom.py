"""DICOM through pydicom, compressed syntaxes through GDCM, HTJ2K through OpenJPEG.

Frames: one file gives all its frames. Those of ultrasound are moments of a loop, in file order; of one beyond
the limits every second, fourth, ... is kept, and FrameTime is the time from one kept frame to the next. Those
of multi-frame MR are slices, along the normal of their plane where the file says how they lie, and turned to
axial ones where its directions may be believed (`orientation`). Files of one series are joined by
`dicom_series`.

Grey: MONOCHROME1 is turned so that more signal is brighter. Colour (RGB, YBR, palette) becomes BT.601 luma.
Bits above BitsStored, where old files keep overlays, are dropped. RescaleSlope and RescaleIntercept are
recorded, not applied; a ModalityLUTSequence, which no slope can undo, is refused. VOI LUTs and presentation
states are ignored, the first WindowCenter and WindowWidth kept. Burnt-in text is not removed. A number that
nobody can read, one with a decimal comma for instance, is left out, and the rest of the file read.

Identity: pydicom is given the list of tags below and never parses another, and only acquisition.allowed
values leave in the stack. What the file says of its patient is read apart, when the upload door asks for it.
"""

import io
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels, pixel_array

from inference.formats import acquisition, identity, jpeg12, motion
from inference.formats.dicom_spacing import (
    SPACING_KEYWORDS,
    pixel_aspect,
    pixel_spacing,
    regions,
    slice_spacing,
)
from inference.formats.dicom_volume import GROUP_KEYWORDS, on_one_scale, value_of, volume_of
from inference.formats.headers import dicom
from inference.formats.headers.dicom_syntaxes import DEFLATED, ENCAPSULATED, HTJ2K, JPEG_EXTENDED, RLE
from inference.formats.identity import Identity
from inference.formats.levels import Numbers, Rescale, inverted, luma, unsigned
from inference.formats.limits import MIB
from inference.formats.orientation import axially
from inference.formats.source import Source
from inference.formats.stack import PictureStack, Pixels
from refusals import Refusal

PIXEL_KEYWORDS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)
SERIES_KEYWORDS = (
    "SeriesDescription", "ProtocolName", "ImageOrientationPatient", "ImagePositionPatient",
)  # fmt: skip
"""What says how a volume lies. The words stay in the child: of them only the plane that they name is told."""
MOTION_KEYWORDS = ("FrameTimeVector", "RecommendedDisplayFrameRate")
READ_KEYWORDS = list(
    {
        *PIXEL_KEYWORDS,
        *SERIES_KEYWORDS,
        *MOTION_KEYWORDS,
        *SPACING_KEYWORDS,
        *GROUP_KEYWORDS,
        *acquisition.KEYWORDS,
    }
)
TRAILING_BYTES = MIB  # after the pixel data of a deflated dataset
_EXPLICIT_LITTLE_META = (
    b"\0" * 128 + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
)


def decode(source: Source) -> PictureStack:
    """(frames, rows, columns). The source has passed the gate."""
    header, dataset, frames, rescale = decoded(source)
    order_step = slice_spacing(dataset) if header.frames > 1 else None
    kept: Sequence[int] = range(0, header.frames, header.step(source.modality))
    volume = None
    if header.frames > 1 and header.modality == "MR":
        frames, rescale = on_one_scale(dataset, frames, rescale)
        if volume := volume_of(dataset, header.frames):
            frames, order_step, kept = frames[list(volume.order)], volume.step, volume.order
    stack = grey_stack(source, header, dataset, frames, rescale=rescale, slice_spacing=order_step, kept=kept)
    if volume is None:
        return stack
    return axially(stack, volume.orientation, volume.position, *series_words(dataset))


def series_words(dataset: pydicom.Dataset) -> list[str]:
    """What the series is called: nothing of it leaves the child."""
    return [str(value_of(dataset, keyword) or "") for keyword in ("SeriesDescription", "ProtocolName")]


def decoded(source: Source) -> tuple[dicom.Header, pydicom.Dataset, Numbers, Rescale]:
    """Header, tags, grey (frames, rows, columns) in file order and the rescale that the file records."""
    header, dataset = opened(source)
    if "ModalityLUTSequence" in dataset:
        raise Refusal("undecodable", "The DICOM file maps its values by a table, which is not read here.")
    return header, dataset, _frames(dataset, header, header.step(source.modality)), _rescale(dataset)


def grey_stack(
    source: Source,
    header: dicom.Header,
    dataset: pydicom.Dataset,
    frames: Numbers,
    *,
    rescale: Rescale,
    slice_spacing: float | None,
    kept: Sequence[int] | None = None,
) -> PictureStack:
    """The stack of frames in their order: bright is more signal, grey levels as they are kept.

    kept: as in stack_of.
    """
    if (header.photometric == "MONOCHROME1") != (rescale[0] < 0):
        frames, rescale = inverted(frames, header.bits_stored, rescale)
    pixels, rescale = unsigned(frames, rescale)
    return stack_of(source, header, dataset, pixels, rescale=rescale, slice_spacing=slice_spacing, kept=kept)


def opened(source: Source) -> tuple[dicom.Header, pydicom.Dataset]:
    """What the gate understood, and the tags that are read here."""
    header = dicom.inspect(source.data, source.modality)
    data = _dataset(source.data, header)
    dataset = pydicom.dcmread(io.BytesIO(data), specific_tags=list(READ_KEYWORDS))
    dataset.NumberOfFrames = header.frames  # as the gate understood it
    return header, dataset


def stack_of(
    source: Source,
    header: dicom.Header,
    dataset: pydicom.Dataset,
    pixels: Pixels,
    *,
    rescale: Rescale = (1.0, 0.0),
    slice_spacing: float | None = None,
    interval: float | None = None,
    kept: Sequence[int] | None = None,
) -> PictureStack:
    """The decoded pixels with what the header says of them.

    interval: ms from one frame of the file to the next, where only its stream says it. kept: the number in
    the file of each frame, where they are not every so many-th.
    """
    spacing, spacing_source = pixel_spacing(dataset)
    parts = regions(dataset, kept or range(0, header.frames, header.step(source.modality)))
    words = _acquisition(dataset)
    words.pop("NumberOfFrames", None)  # said of clips alone, of which not every frame may be kept
    if source.modality == "ultrasound" and header.frames > 1:
        step = header.step(source.modality)
        words |= motion.spoken(count=header.frames, step=step, interval=_interval(dataset) or interval)
    return PictureStack(
        pixels=pixels,
        modality=source.modality,
        original_sha256=source.sha256,
        source_format="dicom",
        pixel_spacing=spacing,
        pixel_spacing_source=spacing_source,
        pixel_aspect=None if spacing else pixel_aspect(dataset, parts),
        regions=parts,
        slice_spacing=slice_spacing,
        rescale=rescale,
        window=_window(dataset, rescale),
        acquisition=words,
    )


def _interval(dataset: pydicom.Dataset) -> float | None:
    """Milliseconds from one frame of the file to the next; None where it says nothing."""
    if (stated := _numbers(dataset, "FrameTime")) and stated[0] > 0:
        return stated[0]
    times = _numbers(dataset, "FrameTimeVector")[1:]  # the first is that of the first frame: 0
    if times and sum(times) > 0:
        return sum(times) / len(times)
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        if (rate := _numbers(dataset, keyword)) and rate[0] > 0:
            return 1000 / rate[0]
    return None


def identify(source: Source) -> Identity:
    """What the file says of patient and study. The source has been decoded."""
    header = dicom.inspect(source.data, source.modality)
    data = _dataset(source.data, header)
    dataset = pydicom.dcmread(
        io.BytesIO(data), specific_tags=list(identity.KEYWORDS), stop_before_pixels=True
    )
    return identity.identity_of({keyword: _joined(dataset.get(keyword)) for keyword in identity.KEYWORDS})


def _joined(value: object) -> str:
    """Several values of one keyword as DICOM writes them."""
    if value is None or isinstance(value, str):
        return value or ""
    return "\\".join(str(part) for part in value) if isinstance(value, Sequence) else str(value)


def _dataset(data: bytes, header: dicom.Header) -> bytes:
    """The file as pydicom can walk it: inflated, private elements of no value representation called text."""
    if header.transfer_syntax == DEFLATED:
        return _inflated(data, header)
    if not header.odd_elements:
        return data
    mended = bytearray(data)
    for offset in header.odd_elements:
        mended[offset + 4 : offset + 6] = b"LO"
    return bytes(mended)


def _inflated(data: bytes, header: dicom.Header) -> bytes:
    """The file with its dataset inflated, no further than the declared picture needs, as explicit VR."""
    most = dicom.DATASET_HEAD + header.native_bytes + TRAILING_BYTES
    try:
        dataset = zlib.decompressobj(wbits=-15).decompress(data[header.dataset_start :], most)
    except zlib.error:
        raise Refusal("undecodable", "The deflated DICOM dataset does not inflate.") from None
    if len(dataset) == most:
        raise Refusal("decompression_bomb", "The DICOM dataset goes on inflating after its picture.")
    return _EXPLICIT_LITTLE_META + dataset


def _frames(dataset: pydicom.Dataset, header: dicom.Header, step: int) -> Numbers:
    """(frames, rows, columns), one decoded after another, so that colour is held for one frame only."""
    stack: Numbers | None = None
    wanted = range(0, header.frames, step)
    count = 0
    for frame in _decoded(dataset, header, wanted):
        grey = _grey(frame, dataset, header)
        if stack is None:
            stack = np.empty((len(wanted), *grey.shape), dtype=grey.dtype)
        stack[count] = grey
        count += 1
    if stack is None or count != len(wanted):
        raise Refusal("undecodable", "The DICOM file holds fewer frames than it says.")
    return stack


def _decoded(dataset: pydicom.Dataset, header: dicom.Header, wanted: Sequence[int]) -> Iterable[Numbers]:
    """Frames as the codec gives them. One named codec, so that a file reads the same everywhere.

    One frame alone is asked for by its number: pydicom 3.0's iterator cannot correct the sign of JPEG 2000.
    """
    plugin = "gdcm" if header.transfer_syntax in ENCAPSULATED - {RLE} else ""
    if header.transfer_syntax == JPEG_EXTENDED and header.bits_stored > 8:
        plugin = jpeg12.LABEL
    if header.transfer_syntax in HTJ2K:
        plugin = "pylibjpeg"
    if header.frames == 1:
        return [pixel_array(dataset, index=0, decoding_plugin=plugin)]
    if len(wanted) == header.frames:
        return islice(iter_pixels(dataset, decoding_plugin=plugin), header.frames)
    return iter_pixels(dataset, indices=wanted, decoding_plugin=plugin)


def _grey(frame: Numbers, dataset: pydicom.Dataset, header: dicom.Header) -> Numbers:
    """(rows, columns) in native byte order."""
    native = frame.astype(frame.dtype.newbyteorder("="), copy=False)
    if header.photometric == "PALETTE COLOR":
        return luma(apply_color_lut(native, dataset))
    if native.ndim == 3:
        return luma(native)
    return _without_spare_bits(native, header.bits_stored)


def _without_spare_bits(values: Numbers, bits: int) -> Numbers:
    """Keep the lowest `bits`; for signed numbers the highest of them becomes the sign."""
    spare = 8 * values.dtype.itemsize - bits
    return (values << spare) >> spare if spare > 0 else values


def _rescale(dataset: pydicom.Dataset) -> Rescale:
    slope, intercept = _numbers(dataset, "RescaleSlope"), _numbers(dataset, "RescaleIntercept")
    return (slope[0] if slope and slope[0] else 1.0), (intercept[0] if intercept else 0.0)


def _window(dataset: pydicom.Dataset, rescale: Rescale) -> tuple[float, float] | None:
    """The first window, from original into stored values."""
    centre, width = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    if not centre or not width or width[0] <= 0:
        return None
    slope, intercept = rescale
    return (centre[0] - intercept) / slope, width[0] / abs(slope)


def _numbers(dataset: pydicom.Dataset, keyword: str) -> list[float]:
    """Every value of a decimal string; an empty, absent or unreadable one gives []."""
    value = value_of(dataset, keyword)
    if value is None:
        return []
    try:
        numbers = [float(number) for number in (value if isinstance(value, Sequence) else [value])]
    except (ValueError, TypeError):
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []


def _acquisition(dataset: pydicom.Dataset) -> dict[str, acquisition.Value]:
    """The allow-listed keywords as plain words and numbers."""
    values: dict[str, object] = {}
    for keyword in acquisition.KEYWORDS:
        value = value_of(dataset, keyword)
        if isinstance(value, int):
            values[keyword] = int(value)
        elif keyword in acquisition.NUMBERS and isinstance(value, float):
            values[keyword] = float(value)
        elif isinstance(value, str):
            values[keyword] = value
        elif isinstance(value, Sequence):
            values[keyword] = "\\".join(str(part) for part in value)
    return acquisition.allowed(values)
