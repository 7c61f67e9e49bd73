"""Which header values may leave the file: an allow-list, because a deny-list always forgets a tag.

No identity, unique identifier, date, time, institution, person, device serial or comment is on it. The
parent process applies the same list to what the decoding child hands back.
"""

import math
import re
from collections.abc import Mapping

Value = str | int | float

NUMBERS = (
    "MagneticFieldStrength",
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
    "NumberOfAverages",
    "PixelBandwidth",
    "SliceThickness",
    "SpacingBetweenSlices",
    "TransducerFrequency",
    "DepthOfScanField",
    "MechanicalIndex",
    "BoneThermalIndex",
    "SoftTissueThermalIndex",
    "FrameTime",
    "CineRate",
    "NumberOfFrames",
    "BitsStored",
)
CODES = (
    "Modality",
    "BodyPartExamined",
    "ScanningSequence",
    "SequenceVariant",
    "MRAcquisitionType",
    "TransducerType",
    "PhotometricInterpretation",
    "LossyImageCompression",
    "BurnedInAnnotation",
)
NAMES = ("Manufacturer", "ManufacturerModelName", "SequenceName")
KEYWORDS = NUMBERS + CODES + NAMES

_CODE = re.compile(r"[A-Z0-9 _\\]{1,80}")
_NAME = re.compile(r"[A-Za-z0-9 ._*+/&,()-]{1,64}")


def allowed(values: Mapping[str, object]) -> dict[str, Value]:
    """Keep what is listed and looks like what its keyword promises; drop the rest without a word.

    Several values of one keyword arrive joined by a backslash, as DICOM writes them.
    """
    kept: dict[str, Value] = {}
    for keyword in KEYWORDS:
        value = values.get(keyword)
        if keyword in NUMBERS and isinstance(value, int | float) and math.isfinite(value):
            kept[keyword] = value
        pattern = _CODE if keyword in CODES else _NAME
        if keyword not in NUMBERS and isinstance(value, str) and pattern.fullmatch(value):
            kept[keyword] = value
    return kept
