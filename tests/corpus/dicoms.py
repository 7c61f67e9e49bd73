"""DICOM files made for one purpose each."""

import io
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)
PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
MR_IMAGE, ULTRASOUND_IMAGE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.6.1"


def dataset(pixels: np.ndarray, *, modality: str = "MR", **attributes: Any) -> Dataset:
    """pixels: ([frames,] rows, columns), and one more axis of colour with SamplesPerPixel=3."""
    made = Dataset()
    made.SOPClassUID = MR_IMAGE if modality == "MR" else ULTRASOUND_IMAGE
    made.SOPInstanceUID = "1.2.3.4"
    if modality:
        made.Modality = modality
    samples = attributes.get("SamplesPerPixel", 1)
    shape = pixels.shape[:-1] if samples == 3 else pixels.shape
    made.Rows, made.Columns = shape[-2:]
    if len(shape) == 3:
        made.NumberOfFrames = shape[0]
    bits = 8 * pixels.dtype.itemsize
    made.SamplesPerPixel = samples
    made.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = bits
    made.HighBit = bits - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def file(pixels: np.ndarray, *, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> bytes:
    """A whole Part 10 file in the given transfer syntax."""
    made = dataset(pixels, **attributes)
    if syntax == RLELossless:
        made.PixelData = pixels.tobytes()
        made["PixelData"].VR = "OB"
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.compress(RLELossless)
    else:
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        made.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        made["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    return written(made, syntax)


def written(made: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.get("SOPClassUID", MR_IMAGE)
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = syntax
    made.file_meta = meta
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()


def deflated_bomb(mebibytes: int) -> bytes:
    """A deflated dataset with a small picture and then nothing, at great length."""
    plain = file(np.zeros((64, 64), np.uint8))
    start = plain.index(b"\x08\x00\x16\x00")
    compressor = zlib.compressobj(9, wbits=-15)
    body = compressor.compress(plain[start:])
    body += compressor.compress(b"\xfc\xff\xfc\xffOB\0\0" + (mebibytes << 20).to_bytes(4, "little"))
    for _ in range(mebibytes):
        body += compressor.compress(bytes(1 << 20))
    meta = file(np.zeros((64, 64), np.uint8), syntax=DeflatedExplicitVRLittleEndian)
    head = meta.index(b"1.2.840.10008.1.2.1.99") + len(b"1.2.840.10008.1.2.1.99")
    end = head + _rest_of_meta(meta, head)
    return meta[:end] + body + compressor.flush()


def _rest_of_meta(file_bytes: bytes, offset: int) -> int:
    """Length of the file meta elements after `offset`."""
    start = offset
    while file_bytes[offset : offset + 2] == b"\x02\0":
        long = file_bytes[offset + 4 : offset + 6] in (b"OB", b"UN")
        size = slice(offset + 8, offset + 12) if long else slice(offset + 6, offset + 8)
        offset += (12 if long else 8) + int.from_bytes(file_bytes[size], "little")
    return offset - start


def as_modality(content: bytes, modality: str) -> bytes:
    """The same file, with only the two letters of its Modality changed (any native byte order)."""
    pattern = rb"(\x08\x00\x60\x00(?:CS\x02\x00|\x02\x00\x00\x00)|\x00\x08\x00\x60CS\x00\x02)(..)"
    return re.sub(pattern, lambda found: found[1] + modality.encode(), content, count=1, flags=re.DOTALL)


def patched(content: bytes, tag: bytes, vr: bytes, value: bytes) -> bytes:
    """An explicit little endian file with one value overwritten by another of the same length."""
    place = content.index(tag + vr + len(value).to_bytes(2, "little")) + 8
    return content[:place] + value + content[place + len(value) :]
