"""Which format a file is, by its own first bytes: never by the client's word or the name alone."""

from pathlib import PurePath

from inference.formats.errors import FormatError
from inference.formats.headers import dicom, jpeg, nifti, png, tiff
from inference.formats.limits import Data
from inference.formats.stack import SourceFormat

EXTENSIONS: dict[str, SourceFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".dcm": "dicom",
    ".dicom": "dicom",
    ".nii": "nifti",
}

# Named in the refusal, so that a person knows what they sent.
FOREIGN = {
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"RIFF": "a WebP picture or a video",
    b"\0\0\0\x0cjP": "a JPEG 2000 picture",
    b"II+\0": "a BigTIFF picture",
    b"MM\0+": "a BigTIFF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a compressed file that holds no NIfTI volume",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"\x89HDF": "an HDF5 or MINC file",
    b"<": "an HTML, SVG or XML document",
}
SPOKEN: dict[SourceFormat, str] = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "dicom": "DICOM",
    "nifti": "NIfTI",
}
WANTED = "send PNG, JPEG, TIFF, DICOM or NIfTI"


def sniff(data: Data, file_name: str = "") -> SourceFormat:
    """Name the format of a file. An unknown or absent extension is no objection, a contradicting one is.

    Codes: `unsupported_type`, `extension_mismatch`.
    """
    stated = _by_name(file_name)
    kind = _by_content(data)
    if kind is None and stated:
        raise FormatError(
            "unsupported_type", f"The file is named like {SPOKEN[stated]} but holds none; {WANTED}."
        )
    if kind is None:
        raise FormatError("unsupported_type", f"The file is of no format that is read here; {WANTED}.")
    if stated and stated != kind:
        raise FormatError(
            "extension_mismatch", f"The file is named like {SPOKEN[stated]} but holds {SPOKEN[kind]}."
        )
    return kind


def _by_content(data: Data) -> SourceFormat | None:
    start = data[:8]
    if start == png.SIGNATURE:
        return "png"
    if start[:3] == jpeg.SIGNATURE:
        return "jpeg"
    if start[:4] in tiff.SIGNATURES and data[128:132] != dicom.PREFIX:
        return "tiff"
    if data[128:132] == dicom.PREFIX:
        return "dicom"
    if nifti.is_nifti(nifti.head(data)):
        return "nifti"
    for magic, name in FOREIGN.items():
        if start.startswith(magic):
            raise FormatError("unsupported_type", f"This is {name}; {WANTED}.")
    return None


def _by_name(file_name: str) -> SourceFormat | None:
    path = PurePath(file_name)
    suffix = path.suffixes[-2:][0] if path.suffix.lower() == ".gz" else path.suffix
    return EXTENSIONS.get(suffix.lower())
