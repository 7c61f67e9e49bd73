"""What every file passes before a decoder sees it: size, format by content, header within the limits."""

from inference.formats import motion
from inference.formats.headers import bmp, dicom, gif, jpeg, nifti, png, tiff, video
from inference.formats.limits import Data, check_file_bytes
from inference.formats.sniff import sniff
from inference.formats.stack import Modality, SourceFormat

VIDEOS = {"mp4": video.inspect_mp4, "avi": video.inspect_avi, "mpeg": video.inspect_mpeg}
PROGRAMS: dict[SourceFormat, str] = {
    "png": "picture",
    "jpeg": "picture",
    "tiff": "picture",
    "bmp": "picture",
    "gif": "gif",
    "mp4": "video",
    "avi": "video",
    "mpeg": "video",
    "dicom": "dicom",
    "nifti": "nifti",
}
DECODERS = tuple(
    f"inference.formats.{name}"
    for name in sorted({*PROGRAMS.values(), "deep_picture", "dicom_series", "dicom_video"})
)
"""Every module that `program_for` can name, and that of files which are read together."""


def admit(data: Data, *, modality: Modality, file_name: str = "") -> SourceFormat:
    """Name the format of a file that may be decoded; raise Refusal for any other. Pure Python."""
    check_file_bytes(len(data))
    kind = sniff(data, file_name)
    if kind == "dicom":
        dicom.inspect(data, modality)
    elif kind == "nifti":
        nifti.inspect(data)
    elif kind == "gif":
        if gif.inspect(data) > 1:
            motion.check_ultrasound(modality)
    elif kind in VIDEOS:
        VIDEOS[kind](data)
        motion.check_ultrasound(modality)
    else:
        {"png": png.inspect, "jpeg": jpeg.inspect, "tiff": tiff.inspect, "bmp": bmp.inspect}[kind](data)
    return kind


def program_for(data: Data, kind: SourceFormat) -> str:
    """The module whose `decode` reads an admitted file."""
    name = PROGRAMS[kind]
    if kind == "png" and png.is_deep(data):
        name = "deep_picture"
    if kind == "dicom" and dicom.is_video(data):
        name = "dicom_video"
    return f"inference.formats.{name}"
