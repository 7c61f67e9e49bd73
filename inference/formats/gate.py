"""What every file passes before a decoder sees it: size, format by content, header within the limits."""

from inference.formats.headers import dicom, jpeg, nifti, png, tiff
from inference.formats.limits import Data, check_file_bytes
from inference.formats.sniff import sniff
from inference.formats.stack import Modality, SourceFormat


def admit(data: Data, *, modality: Modality, file_name: str = "") -> SourceFormat:
    """Name the format of a file that may be decoded; raise FormatError for any other. Pure Python."""
    check_file_bytes(len(data))
    kind = sniff(data, file_name)
    if kind == "dicom":
        dicom.inspect(data, modality)
    elif kind == "nifti":
        nifti.inspect(data)
    else:
        {"png": png.inspect, "jpeg": jpeg.inspect, "tiff": tiff.inspect}[kind](data)
    return kind
