"""Single-slice DICOM files of one series as one volume: a decoder of the decoding child.

The parent has sorted the files along their normal (inference.formats.series) and packed them one behind the
other: a line of JSON with the millimetres between slices and the length of each file, then the files.
"""

import json
from dataclasses import replace

import numpy as np

from inference.formats import dicom
from inference.formats.dicom_volume import numbers_of, scaled, value_of
from inference.formats.identity import Identity
from inference.formats.orientation import axially
from inference.formats.source import Source
from inference.formats.stack import PictureStack
from refusals import Refusal


def decode(source: Source) -> PictureStack:
    """(slices, rows, columns), in the order of the pack. The files have passed the gate."""
    step, files = _unpacked(source)
    read = [dicom.decoded(one) for one in files]
    header, dataset, _, _ = read[0]
    frames = [frames[0] for _, _, frames, _ in read]
    if {(one.shape, one.dtype) for one in frames} != {(frames[0].shape, frames[0].dtype)}:
        raise Refusal("dimensions", "The slices of the series differ in size or depth; send one volume.")
    values, rescale = scaled(np.stack(frames), [rescale for *_, rescale in read])
    stack = dicom.grey_stack(source, header, dataset, values, rescale=rescale, slice_spacing=step)
    lies = numbers_of(value_of(dataset, "ImageOrientationPatient"), 6)
    position = numbers_of(value_of(dataset, "ImagePositionPatient"), 3)
    return axially(stack, lies, position, *dicom.series_words(dataset)) if lies and position else stack


def identify(source: Source) -> Identity:
    """What the first file says of patient, study and series; SOPInstanceUID is that of none."""
    return replace(dicom.identify(_unpacked(source)[1][0]), sop_instance_uid="")


def _unpacked(source: Source) -> tuple[float | None, list[Source]]:
    line, _, _ = source.data.partition(b"\n")
    said, offset, files = json.loads(line), len(line) + 1, []
    for length in said["lengths"]:
        files.append(Source(source.data[offset : offset + length], source.modality, source.sha256))
        offset += length
    return said["step"], files
