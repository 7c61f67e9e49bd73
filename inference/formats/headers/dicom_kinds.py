"""What a DICOM file is by its own word: a picture of a scan, of which modality, or something else by name."""

from inference.formats.stack import Modality
from refusals import Refusal

MODALITIES: dict[str, Modality] = {"US": "ultrasound", "MR": "mri"}
UNSPECIFIC = {"OT"}
"""Modalities of secondary captures, which say nothing of what is shown: the sender's word counts."""
OTHER_MODALITIES = {
    "CR",
    "CT",
    "DX",
    "ES",
    "IVUS",
    "MG",
    "NM",
    "PT",
    "RF",
    "RTDOSE",
    "RTIMAGE",
    "SEG",
    "SM",
    "XA",
    "XC",
}
NO_PICTURES = {
    "1.2.840.10008.5.1.4.1.1.88.59": "a selection of key objects",
    "1.2.840.10008.5.1.4.1.1.88.": "a structured report",
    "1.2.840.10008.5.1.4.1.1.11.": "a presentation state",
    "1.2.840.10008.5.1.4.1.1.104.": "a document in a DICOM wrapper",
    "1.2.840.10008.5.1.4.1.1.66": "a registration, segmentation or measurement",
    "1.2.840.10008.5.1.4.1.1.9.": "a recorded curve",
    "1.2.840.10008.5.1.4.1.1.481.": "a radiotherapy object",
    "1.2.840.10008.5.1.4.1.1.67": "a mapping of real-world values",
    "1.2.840.10008.5.1.4.1.1.4.2": "a spectroscopy",
    "1.2.840.10008.5.1.4.43.": "a colour palette",
}
"""Classes without a picture to read, by how their UID begins; the longest that fits is the name."""
NO_PICTURE_MODALITIES = {
    "SR": "a structured report",
    "KO": "a selection of key objects",
    "PR": "a presentation state",
    "DOC": "a document in a DICOM wrapper",
    "REG": "a registration, segmentation or measurement",
    "RTPLAN": "a radiotherapy object",
    "RTSTRUCT": "a radiotherapy object",
    "ECG": "a recorded curve",
    "HD": "a recorded curve",
    "AU": "a recorded curve",
}
"""The same where only Modality says it."""


def check_kind(sop_class: str, modality: str, image_type: str) -> None:
    """Name what is no picture of a scan, is tiled of many, or only shows where others lie."""
    kinds = [start for start in NO_PICTURES if sop_class.startswith(start)]
    name = NO_PICTURES[max(kinds, key=len)] if kinds else NO_PICTURE_MODALITIES.get(modality, "")
    if name:
        raise Refusal(
            "no_pixel_data", f"This DICOM file is {name}, not a picture of a scan; send the images."
        )
    values = image_type.upper().split("\\")
    if "MOSAIC" in values:
        raise Refusal(
            "frames",
            "This DICOM file is a mosaic, many slices tiled in one picture; send the slices or one volume.",
        )
    if "LOCALIZER" in values and modality in ("MR", ""):
        raise Refusal(
            "no_pixel_data",
            "This DICOM file is a localiser, which only shows where the others lie; send those.",
        )


def check_modality(found: str, declared: Modality) -> None:
    """An absent or unspecific Modality contradicts nothing. Only a term of the standard is repeated."""
    if not found or found in UNSPECIFIC or MODALITIES.get(found) == declared:
        return
    says: str = MODALITIES.get(found) or (found if found in OTHER_MODALITIES else "another modality")
    raise Refusal(
        "modality_mismatch", f"The DICOM file states the modality {says}, but was sent as {declared}."
    )
