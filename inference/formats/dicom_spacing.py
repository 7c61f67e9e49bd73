"""Millimetres in a DICOM file, and which field stated them."""

from collections.abc import Iterator, Sequence

import pydicom

from inference.formats.spacing import plausible

SPACING_KEYWORDS = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "SequenceOfUltrasoundRegions",
    "SharedFunctionalGroupsSequence",
    "SpacingBetweenSlices",
)
CENTIMETRE = 3  # PhysicalUnitsXDirection, PhysicalUnitsYDirection
TWO_DIMENSIONAL = 1  # RegionSpatialFormat
REGION_TOLERANCE = 0.01  # two regions of one picture agree within a hundredth

Pair = tuple[float, float]


def pixel_spacing(dataset: pydicom.Dataset) -> tuple[Pair | None, str]:
    """((between rows, between columns) in mm, the field that stated it), or (None, "").

    Ultrasound regions come first: where an ultrasound file carries both, the regions are its calibration.
    """
    regions = _by_regions(dataset)
    if regions:
        return regions, "SequenceOfUltrasoundRegions"
    for item in (dataset, *_pixel_measures(dataset)):
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            stated = _pair(item.get(keyword))
            if stated:
                return stated, keyword
    return None, ""


def slice_spacing(dataset: pydicom.Dataset) -> float | None:
    """Millimetres between slices of a multi-frame MR file, when it states them."""
    if dataset.get("Modality") != "MR":
        return None
    for item in (dataset, *_pixel_measures(dataset)):
        stated = item.get("SpacingBetweenSlices")
        if plausible(stated, stated):
            return float(stated)
    return None


def _pair(value: object) -> Pair | None:
    if not isinstance(value, Sequence) or len(value) != 2:
        return None
    return plausible(value[0], value[1])


def _pixel_measures(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """What an enhanced multi-frame file says once for all frames."""
    for shared in dataset.get("SharedFunctionalGroupsSequence") or ():
        yield from shared.get("PixelMeasuresSequence") or ()


def _by_regions(dataset: pydicom.Dataset) -> Pair | None:
    """The calibration of the 2-D regions; None when two of them are drawn at different scales."""
    stated = [_by_region(region) for region in dataset.get("SequenceOfUltrasoundRegions") or ()]
    pairs = [pair for pair in stated if pair]
    for pair in pairs[1:]:
        if any(abs(a - b) > REGION_TOLERANCE * b for a, b in zip(pair, pairs[0], strict=True)):
            return None
    return pairs[0] if pairs else None


def _by_region(region: pydicom.Dataset) -> Pair | None:
    units = region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection")
    if region.get("RegionSpatialFormat") != TWO_DIMENSIONAL or units != (CENTIMETRE, CENTIMETRE):
        return None
    down, across = region.get("PhysicalDeltaY"), region.get("PhysicalDeltaX")
    if not isinstance(down, float) or not isinstance(across, float):
        return None
    return plausible(abs(down) * 10, abs(across) * 10)
