"""Which format a file is, by its own first bytes: never by the client's word or the name alone."""

from collections.abc import Callable
from pathlib import PurePath

from inference.formats.headers import bmp, dicom, gif, jpeg, nifti, png, tiff, video
from inference.formats.limits import Data
from inference.formats.stack import SourceFormat
from refusals import Refusal

EXTENSIONS: dict[str, SourceFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".bmp": "bmp",
    ".dib": "bmp",
    ".gif": "gif",
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mp4",
    ".avi": "avi",
    ".mpg": "mpeg",
    ".mpeg": "mpeg",
    ".dcm": "dicom",
    ".dicom": "dicom",
    ".nii": "nifti",
}

# Named in the refusal, so that a person knows what they sent. The longest beginning that fits is the name.
FOREIGN = {
    b"BM": "a BMP picture of a kind that is not read here",
    b"RIFFWEBP": "a WebP picture",
    b"RIFF": "a sound or video file",
    b"ftyphei": "a HEIC picture, as phones take them",
    b"ftypmif1": "a HEIC picture, as phones take them",
    b"ftypavif": "an AVIF picture",
    b"ftyphev": "a HEIC picture, as phones take them",
    b"ftypmsf1": "a HEIC picture, as phones take them",
    b"NRRD": "an NRRD volume",
    b"ObjectType": "a MetaImage volume",
    b"CDF": "a MINC or NetCDF file",
    b"#MRTRIX": "an MRtrix volume",
    b"\x1a\x45\xdf\xa3": "a Matroska or WebM video",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "a Windows Media video",
    b"FLV": "a Flash video",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"BZh": "a compressed file",
    b"\xfd7zXZ": "a compressed file",
    b"\x28\xb5\x2f\xfd": "a compressed file",
    b"KRETZ": "a Voluson volume (Kretz), which its maker's software exports as DICOM",
    b"\x93NUMPY": "a NumPy array",
    b"MATLAB": "a MATLAB file",
    b"SQLite": "a database",
    b"SIMPLE  =": "a FITS picture",
    b"\0\0\0\x0cJXL": "a JPEG XL picture",
    b"8BPS": "a Photoshop document",
    b"\x76\x2f\x31\x01": "an OpenEXR picture",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"{\\rtf": "a text document",
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
FITTING: dict[SourceFormat, Callable[[Data], bool]] = {
    "bmp": bmp.is_bmp,
    "mp4": video.is_mp4,
    "avi": video.is_avi,
    "mpeg": video.is_mpeg,
}
"""What is known by more than its first bytes."""
HALVES = {".img", ".hdr"}
"""Extensions of image pairs: a header and its voxels, each in a file of its own."""
SPOKEN: dict[SourceFormat, str] = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
    "mp4": "MP4",
    "avi": "AVI",
    "mpeg": "MPEG",
    "dicom": "DICOM",
    "nifti": "NIfTI",
}
WANTED = "send DICOM, NIfTI, a picture (PNG, JPEG, TIFF, BMP) or a clip (MP4, AVI, MPEG, GIF)"


def sniff(data: Data, file_name: str = "") -> SourceFormat:
    """Name the format of a file. An unknown or absent extension is no objection, a contradicting one is.

    Codes: `unsupported_type`, `extension_mismatch`.
    """
    stated = _by_name(file_name)
    kind = _by_content(data)
    if kind is None:
        _refuse_foreign(data, file_name)
    if kind is None and stated:
        raise Refusal(
            "unsupported_type", f"The file is named like {SPOKEN[stated]} but holds none; {WANTED}."
        )
    if kind is None:
        raise Refusal("unsupported_type", f"The file is of no format that is read here; {WANTED}.")
    if stated and stated != kind:
        raise Refusal(
            "extension_mismatch", f"The file is named like {SPOKEN[stated]} but holds {SPOKEN[kind]}."
        )
    return kind


def _by_content(data: Data) -> SourceFormat | None:
    if data[128:132] == dicom.PREFIX:
        return "dicom"
    start = data[:8]
    if start == png.SIGNATURE:
        return "png"
    if start[:3] == jpeg.SIGNATURE:
        return "jpeg"
    if start[:4] in tiff.SIGNATURES:
        return "tiff"
    if start[:6] in gif.SIGNATURES:
        return "gif"
    for kind, fits in FITTING.items():
        if fits(data):
            return kind
    return "nifti" if nifti.is_nifti(nifti.head(data)) else None


def _refuse_foreign(data: Data, file_name: str) -> None:
    """Raise Refusal that names the file, where it is known what it is."""
    if dicom.lacks_file_header(data):
        raise Refusal(
            "unsupported_type",
            "This is DICOM without its file header (preamble and meta information); save it as a DICOM file "
            "(Part 10) and send that.",
        )
    if nifti.is_analyze(nifti.head(data)):
        raise Refusal(
            "unsupported_type",
            "This is an Analyze 7.5 header, half of an image pair; save the volume as one .nii or .nii.gz.",
        )
    name = _foreign(data)
    if name:
        raise Refusal("unsupported_type", f"This is {name}; {WANTED}.")
    if PurePath(file_name).suffix.lower() in HALVES:
        raise Refusal(
            "unsupported_type",
            "This is half of an image pair (.hdr and .img); save the volume as one .nii or .nii.gz.",
        )


def _foreign(data: Data) -> str:
    """What else it is, in words; "" for what nobody here knows."""
    start = data[:16]
    if start[4:8] == b"ftyp":  # ISO base media: the size of the first box stands before its name
        start = start[4:]
    elif start[:4] == b"RIFF":  # the file's size stands between
        start = start[:4] + start[8:]
    fitting = [magic for magic in FOREIGN if start.startswith(magic)]
    return FOREIGN[max(fitting, key=len)] if fitting else ""


def _by_name(file_name: str) -> SourceFormat | None:
    path = PurePath(file_name)
    suffix = path.suffixes[-2:][0] if path.suffix.lower() == ".gz" else path.suffix
    return EXTENSIONS.get(suffix.lower())
