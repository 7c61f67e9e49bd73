"""JPEG Extended at 12 bits (transfer syntax 1.2.840.10008.1.2.4.51) through GDCM, as a plug-in of pydicom.

pydicom's own plug-in for GDCM refuses more than 8 bits; GDCM itself decodes them.
"""

from typing import Any

import gdcm
from pydicom.pixels.decoders.base import DecodeRunner, JPEGExtended12BitDecoder
from pydicom.uid import JPEGExtended12Bit

LABEL = "gdcm at 12 bits"
DECODER_DEPENDENCIES = {JPEGExtended12Bit: ("gdcm>=3.2",)}


def is_available(uid: str) -> bool:
    """pydicom asks for which transfer syntaxes the plug-in is there."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """One frame, decoded: rows x columns of 16 bits, little endian."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(source)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image: Any = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = gdcm.TransferSyntax.GetTSType(str.__str__(JPEGExtended12Bit))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    bits = runner.bits_stored
    image.SetPixelFormat(
        gdcm.PixelFormat(1, runner.bits_allocated, bits, bits - 1, runner.pixel_representation)
    )
    buffer: str = image.GetBuffer()  # char* as text
    return buffer.encode("utf-8", "surrogateescape")


JPEGExtended12BitDecoder.add_plugin(LABEL, (__name__, "decode_frame"))
