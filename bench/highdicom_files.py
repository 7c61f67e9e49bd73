"""Writes the kinds of files that highdicom makes, so that bench/decoders.py can hold them to other decoders.

    pip install --no-deps highdicom pyjpegls
    python bench/highdicom_files.py FOLDER && python bench/decoders.py FOLDER

Legacy converted enhanced MR, a made stack in four orientations, and secondary captures of grey, inverted grey
and colour, each in every transfer syntax that highdicom writes of it; a segmentation and a parametric map,
which are no scans. The pixels are those of pydicom's test picture MR_small, moved on from slice to slice.
"""

import argparse
import copy
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import highdicom
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes

SLICES, GAP = 10, 2.5
"""Of a made stack, and the millimetres between two."""
ORIENTATIONS = {
    "axial": (1, 0, 0, 0, 1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "oblique": (0.96, 0.28, 0, 0, 0, -1),
}
SYNTAXES = {
    "implicit": pydicom.uid.ImplicitVRLittleEndian,
    "explicit": pydicom.uid.ExplicitVRLittleEndian,
    "rle": pydicom.uid.RLELossless,
    "jpeg-ls": pydicom.uid.JPEGLSLossless,
    "jpeg-2000": pydicom.uid.JPEG2000Lossless,
    "jpeg": pydicom.uid.JPEGBaseline8Bit,
}
IN_COLOUR = {"jpeg": "YBR_FULL_422", "jpeg-2000": "YBR_RCT"}
MAKER = {
    "manufacturer": "Ventra",
    "manufacturer_model_name": "bench",
    "software_versions": "1",
    "device_serial_number": "1",
}
Made = tuple[str, Callable[[], Dataset]]


def main() -> None:
    options = parser().parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    base = pydicom.dcmread(str(get_testdata_file("MR_small.dcm")))
    for name, make in (*enhanced(base), *captures(base.pixel_array), *no_scans(stack(base, "axial"))):
        try:
            file = make()
        except ValueError as fault:  # a syntax that does not hold such pixels
            print(f"{name}: {fault}")
        else:
            file.save_as(options.folder / f"{name}.dcm")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("folder", type=Path)
    return made


def stack(base: Dataset, orientation: str) -> list[Dataset]:
    """Single slices of one series, in a plane of that name."""
    directions = np.array(ORIENTATIONS[orientation], float)
    normal = np.cross(directions[:3], directions[3:])
    series, study, reference = (highdicom.UID() for _ in range(3))
    slices = []
    for number in range(SLICES):
        one = copy.deepcopy(base)
        one.SeriesInstanceUID, one.StudyInstanceUID, one.FrameOfReferenceUID = series, study, reference
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = highdicom.UID()
        one.ImageOrientationPatient = directions.tolist()
        one.ImagePositionPatient = (normal * GAP * number).tolist()
        one.InstanceNumber, one.SliceThickness, one.AccessionNumber = number + 1, GAP, ""
        one.PixelRepresentation = 0
        for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
            if keyword in one:
                delattr(one, keyword)
        brighter = base.pixel_array.astype(float) * (0.5 + number / SLICES)
        one.PixelData = np.roll(brighter.astype(np.uint16), number, axis=0).tobytes()
        slices.append(one)
    return slices


def enhanced(base: Dataset) -> Iterator[Made]:
    for plane in ORIENTATIONS:
        for name, syntax in SYNTAXES.items():
            make = partial(
                highdicom.legacy.LegacyConvertedEnhancedMRImage,
                legacy_datasets=stack(base, plane),
                transfer_syntax_uid=syntax,
                **named(1),
            )
            yield f"enhanced-{plane}-{name}", make


def captures(pixels: NDArray[np.int16]) -> Iterator[Made]:
    grey = np.clip(pixels, 0, None).astype(np.uint16)
    eight = np.clip(pixels // 8, 0, 255).astype(np.uint8)
    kinds = {
        "grey-8": (eight, "MONOCHROME2"),
        "grey-16": (grey, "MONOCHROME2"),
        "inverted-16": (grey, "MONOCHROME1"),
        "colour": (np.dstack([eight, eight, eight // 2]), "RGB"),
    }
    for kind, (array, interpretation) in kinds.items():
        for name, syntax in SYNTAXES.items():
            shown = IN_COLOUR.get(name, "RGB") if interpretation == "RGB" else interpretation
            make = partial(
                highdicom.sc.SCImage,
                pixel_array=array,
                photometric_interpretation=shown,
                bits_allocated=8 * array.itemsize,
                coordinate_system="PATIENT",
                study_instance_uid=highdicom.UID(),
                manufacturer="Ventra",
                patient_orientation=["L", "P"],
                pixel_spacing=(0.7, 0.9),
                transfer_syntax_uid=syntax,
                **named(2),
            )
            yield f"capture-{kind}-{name}", make


def no_scans(slices: list[Dataset]) -> Iterator[Made]:
    pixels = np.stack([one.pixel_array for one in slices])
    described = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="brain",
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Brain,
        algorithm_type="MANUAL",
    )
    make = partial(
        highdicom.seg.Segmentation,
        source_images=slices,
        pixel_array=(pixels > 500).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[described],
        omit_empty_frames=False,
        **named(3),
        **MAKER,
    )
    yield "segmentation", make
    value = highdicom.pm.RealWorldValueMapping(
        lut_label="1",
        lut_explanation="as it is",
        unit=codes.UCUM.NoUnits,
        value_range=[-1e4, 1e4],
        slope=1,
        intercept=0,
    )
    make = partial(
        highdicom.pm.ParametricMap,
        source_images=slices,
        pixel_array=pixels.astype(np.float32),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[value],
        window_center=500,
        window_width=1000,
        **named(4),
        **MAKER,
    )
    yield "parametric-map", make


def named(series: int) -> dict[str, object]:
    keys = {"series_instance_uid": highdicom.UID(), "sop_instance_uid": highdicom.UID()}
    return {**keys, "series_number": series, "instance_number": 1}


if __name__ == "__main__":
    main()
