"""Millimetres in a DICOM file, and which field stated them."""

import math
from collections.abc import Iterator, Sequence

import pydicom

from inference.formats.dicom_volume import of_frame, value_of
from inference.formats.spacing import plausible

SPACING_KEYWORDS = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
    "SequenceOfUltrasoundRegions",
    "SharedFunctionalGroupsSequence",
    "SpacingBetweenSlices",
)
CENTIMETRE = 3  # PhysicalUnitsXDirection, PhysicalUnitsYDirection
TWO_DIMENSIONAL = 1  # RegionSpatialFormat
MOST_ASPECT = 10.0
"""A stated aspect beyond this is a mistake."""
REGION_TOLERANCE = 0.01  # two regions of one picture agree within a hundredth

Pair = tuple[float, float]


def pixel_spacing(dataset: pydicom.Dataset) -> tuple[Pair | None, str]:
    """((between rows, between columns) in mm, the field that stated it), or (None, "").

    Ultrasound regions come first: where an ultrasound file carries both, the regions are its calibration.
    Regions drawn at different scales leave no one spacing for the picture, whatever else the file says.
    """
    regions = _regions(dataset)
    if regions:
        return (regions[0], "SequenceOfUltrasoundRegions") if _agree(regions) else (None, "")
    for item in (dataset, *_pixel_measures(dataset)):
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            stated = _pair(value_of(item, keyword))
            if stated:
                return stated, keyword
    return _of_every_frame(dataset)


def _of_every_frame(dataset: pydicom.Dataset) -> tuple[Pair | None, str]:
    """What each frame of an enhanced file states for itself, where they all agree."""
    count = len(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    stated = [_pair(of_frame(dataset, k, "PixelMeasuresSequence", "PixelSpacing")) for k in range(count)]
    known = [pair for pair in stated if pair]
    if not known or len(known) < count or not _agree(known):
        return None, ""
    return known[0], "PixelSpacing"


def pixel_aspect(dataset: pydicom.Dataset) -> float | None:
    """Height of a pixel over its width, where the file states PixelAspectRatio and it can be believed."""
    stated = value_of(dataset, "PixelAspectRatio")
    if not isinstance(stated, Sequence) or len(stated) != 2:
        return None
    down, across = (float(side) for side in stated)
    if not (down > 0 and across > 0):
        return None
    return down / across if 1 / MOST_ASPECT <= down / across <= MOST_ASPECT else None


def slice_spacing(dataset: pydicom.Dataset) -> float | None:
    """Millimetres between slices of a multi-frame MR file, when it states them."""
    if dataset.get("Modality") != "MR":
        return None
    for item in (dataset, *_pixel_measures(dataset)):
        stated = value_of(item, "SpacingBetweenSlices")
        if pair := plausible(stated, stated):
            return pair[0]
    return None


def _pair(value: object) -> Pair | None:
    if not isinstance(value, Sequence) or len(value) != 2:
        return None
    return plausible(value[0], value[1])


def _pixel_measures(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """What an enhanced multi-frame file says once for all frames."""
    for shared in dataset.get("SharedFunctionalGroupsSequence") or ():
        yield from shared.get("PixelMeasuresSequence") or ()


def _regions(dataset: pydicom.Dataset) -> list[Pair]:
    """The calibrations of the 2-D regions that are measured in centimetres."""
    stated = [_by_region(region) for region in dataset.get("SequenceOfUltrasoundRegions") or ()]
    return [pair for pair in stated if pair]


def _agree(pairs: list[Pair]) -> bool:
    first = pairs[0]
    return all(
        math.isclose(side, other, rel_tol=REGION_TOLERANCE)
        for pair in pairs
        for side, other in zip(pair, first, strict=True)
    )


def _by_region(region: pydicom.Dataset) -> Pair | None:
    units = region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection")
    if region.get("RegionSpatialFormat") != TWO_DIMENSIONAL or units != (CENTIMETRE, CENTIMETRE):
        return None
    down, across = region.get("PhysicalDeltaY"), region.get("PhysicalDeltaX")
    if not isinstance(down, float) or not isinstance(across, float):
        return None
    return plausible(abs(down) * 10, abs(across) * 10)
