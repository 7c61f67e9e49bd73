"""Transfer syntaxes (PS3.5, chapter 10): how a DICOM file is written and its pictures are compressed."""

from inference.formats.headers.dicom_elements import Form
from refusals import Refusal

DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = {
    "1.2.840.10008.1.2": Form("<", explicit=False),
    "1.2.840.10008.1.2.1": Form("<", explicit=True),
    "1.2.840.10008.1.2.2": Form(">", explicit=True),
    DEFLATED: Form("<", explicit=True),
}
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
RLE = "1.2.840.10008.1.2.5"
HTJ2K = (
    "1.2.840.10008.1.2.4.201",  # lossless
    "1.2.840.10008.1.2.4.202",  # lossless, resolutions first
    "1.2.840.10008.1.2.4.203",
)
ENCAPSULATED = {
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    JPEG_EXTENDED,
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    *JPEG_LS,
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    *HTJ2K,
    RLE,
}
VIDEO = {
    "1.2.840.10008.1.2.4.100": "mpeg",
    "1.2.840.10008.1.2.4.101": "mpeg",
    "1.2.840.10008.1.2.4.102": "h264",
    "1.2.840.10008.1.2.4.103": "h264",
    "1.2.840.10008.1.2.4.104": "h264",
    "1.2.840.10008.1.2.4.105": "h264",
    "1.2.840.10008.1.2.4.106": "h264",
    "1.2.840.10008.1.2.4.107": "hevc",
    "1.2.840.10008.1.2.4.108": "hevc",
}
"""MPEG-2, MPEG-4 AVC and HEVC: all frames in one stream, however many fragments it is cut into."""
FRAGMENTABLE = ".1"
"""What the UIDs of MPEG-2 and MPEG-4 end in where a stream may lie in several fragments."""
UNREAD = {
    "": "a compression that is not read here",
    "1.2.840.10008.1.2.1.98": "encapsulated, uncompressed pixels",
    "1.2.840.10008.1.2.4.92": "JPEG 2000 of several components",
    "1.2.840.10008.1.2.4.93": "JPEG 2000 of several components",
    "1.2.840.10008.1.2.4.94": "JPIP, which points to pixels elsewhere",
    "1.2.840.10008.1.2.4.95": "JPIP, which points to pixels elsewhere",
    "1.2.840.10008.1.2.4.204": "JPIP, which points to pixels elsewhere",
    "1.2.840.10008.1.2.4.205": "JPIP, which points to pixels elsewhere",
    "1.2.840.10008.1.2.4.110": "JPEG XL",
    "1.2.840.10008.1.2.4.111": "JPEG XL",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.7.1": "SMPTE ST 2110, a stream that no file holds",
    "1.2.840.10008.1.2.7.2": "SMPTE ST 2110, a stream that no file holds",
    "1.2.840.10008.1.2.7.3": "SMPTE ST 2110, a stream that no file holds",
    "1.2.840.113619.5.2": "a private transfer syntax of GE",
}
"""Others that files name, in words; under "" all that nobody here knows."""


def video_of(syntax: str) -> str | None:
    """Which video a transfer syntax says: "mpeg", "h264", "hevc", or None."""
    return VIDEO.get(syntax) or VIDEO.get(syntax.removesuffix(FRAGMENTABLE))


def check_syntax(syntax: str | None) -> str:
    """The transfer syntax, where it is read here; Refusal that names it otherwise."""
    if syntax is None:
        raise Refusal("undecodable", "The DICOM file does not state its transfer syntax.")
    if syntax not in NATIVE and syntax not in ENCAPSULATED and not video_of(syntax):
        name = UNREAD.get(syntax) or UNREAD[""]
        raise Refusal(
            "unsupported_transfer_syntax",
            f"The DICOM file uses {name}; send it as JPEG 2000, JPEG or without compression.",
        )
    return syntax
