"""Millimetres in a DICOM file, and which field stated them."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import pydicom

from inference.formats.dicom_volume import of_frame, value_of
from inference.formats.regions import MOST, Region, Span, agree, aspect_among
from inference.formats.spacing import Pair, plausible, plausible_aspect

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


def pixel_spacing(dataset: pydicom.Dataset) -> tuple[Pair | None, str]:
    """((between rows, between columns) in mm, the field that stated it), or (None, "").

    Ultrasound regions come first: where an ultrasound file carries both, the regions are its calibration.
    Regions drawn at different scales leave no one spacing for the picture, whatever else the file says.
    """
    scales = [scale for _, scale in _scaled(dataset)]
    if scales:
        return (scales[0], "SequenceOfUltrasoundRegions") if agree(scales) else (None, "")
    for item in (dataset, *_pixel_measures(dataset)):
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            stated = _pair(value_of(item, keyword))
            if stated:
                return stated, keyword
    known = _of_frames(dataset)
    if not known or None in known or not agree([pair for pair in known if pair]):
        return None, ""
    return known[0], "PixelSpacing"


def regions(dataset: pydicom.Dataset, kept: Sequence[int]) -> tuple[Region, ...]:
    """The parts of the picture that have a scale of their own; none where one scale holds everywhere.

    Ultrasound regions hold on every frame. Of an enhanced file whose frames differ each run of equal ones is
    a part. kept: the file's number of each frame that is kept, in their order.
    """
    scaled = _scaled(dataset)
    found = [_region(item, scale, dataset) for item, scale in scaled]
    if not scaled:
        found = [*_runs(dataset, kept)]
    known = tuple(one for one in found if one)
    # Of a region at no stated place one cannot say where it ends: then only what holds everywhere is said.
    return known if len(known) == len(found) <= MOST else ()


def pixel_aspect(dataset: pydicom.Dataset, parts: Sequence[Region] = ()) -> float | None:
    """Height of a pixel over its width where no one spacing says it: of the largest part, else as stated."""
    if parts:
        return aspect_among(parts)
    stated = value_of(dataset, "PixelAspectRatio")
    if not isinstance(stated, Sequence) or len(stated) != 2:
        return None
    return plausible_aspect(*(float(side) for side in stated))


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


def _of_frames(dataset: pydicom.Dataset) -> list[Pair | None]:
    """What each frame of an enhanced file states for itself."""
    count = len(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    return [_pair(of_frame(dataset, k, "PixelMeasuresSequence", "PixelSpacing")) for k in range(count)]


def _runs(dataset: pydicom.Dataset, kept: Sequence[int]) -> Iterator[Region]:
    """Runs of frames at one scale, where frames differ and the file says no scale for all of them."""
    stated = _of_frames(dataset)
    if pixel_spacing(dataset)[0] or not any(stated):
        return
    scales = [stated[number] if number < len(stated) else None for number in kept]
    first = 0
    for scale, run in groupby(scales):
        last = first + len([*run]) - 1
        if scale:
            rows, columns = _whole(dataset)
            yield Region(rows, columns, scale, (first, last))
        first = last + 1


def _whole(dataset: pydicom.Dataset) -> tuple[Span, Span]:
    return (0, dataset.Rows - 1), (0, dataset.Columns - 1)


def _scaled(dataset: pydicom.Dataset) -> list[tuple[pydicom.Dataset, Pair]]:
    """The 2-D regions that are measured in centimetres, with their mm (between rows, between columns)."""
    items = dataset.get("SequenceOfUltrasoundRegions") or ()
    return [(item, scale) for item in items if (scale := _by_region(item))]


def _by_region(region: pydicom.Dataset) -> Pair | None:
    units = region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection")
    if region.get("RegionSpatialFormat") != TWO_DIMENSIONAL or units != (CENTIMETRE, CENTIMETRE):
        return None
    down, across = region.get("PhysicalDeltaY"), region.get("PhysicalDeltaX")
    if not isinstance(down, float) or not isinstance(across, float):
        return None
    return plausible(abs(down) * 10, abs(across) * 10)


def _region(item: pydicom.Dataset, scale: Pair, dataset: pydicom.Dataset) -> Region | None:
    """Cut to the picture; None where it states no place in it."""
    spans = []
    for axis, whole in zip("YX", _whole(dataset), strict=True):
        first, last = (
            value_of(item, f"RegionLocation{end}{axis}{number}") for end, number in (("Min", 0), ("Max", 1))
        )
        if not isinstance(first, int) or not isinstance(last, int):
            return None
        spans.append((max(first, whole[0]), min(last, whole[1])))
    rows, columns = spans
    return Region(rows, columns, scale) if rows[0] <= rows[1] and columns[0] <= columns[1] else None
