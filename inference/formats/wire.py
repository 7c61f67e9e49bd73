"""How a decoded stack travels from the child to its parent: one line of JSON, then the raw pixels.

What the file says of its patient travels apart, on a channel of its own.

The reading side trusts nothing: types, shape, length, finiteness and the acquisition allow-list are all
checked again, since the child has run a decoder over hostile bytes.
"""

import json
import math
from collections.abc import Sequence
from datetime import date
from typing import Any, BinaryIO, TypeVar, get_args

import numpy as np

from inference.formats import acquisition
from inference.formats.affine import Affine
from inference.formats.identity import Identity, identity_of
from inference.formats.limits import check_stack
from inference.formats.regions import MOST, Region, region_of
from inference.formats.spacing import aspect_of, plausible, plausible_aspect
from inference.formats.stack import Modality, PictureStack, Pixels, Plane, SourceFormat
from refusals import FILES, Refusal

T = TypeVar("T")

LINE_BYTES = 65_536
_DEPTHS = {"uint8": np.uint8, "uint16": np.uint16}
SPACING_SOURCES = (
    "",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "SequenceOfUltrasoundRegions",
    "NIfTI pixdim",
    "phantom",
)


AFFINE_SOURCES = ("", "NIfTI sform", "NIfTI qform", "ImageOrientationPatient")


class BadAnswer(ValueError):
    """The child's answer is not one it could honestly give."""


def write_stack(stream: BinaryIO, stack: PictureStack) -> None:
    """Child's side: the stack without its modality and hash, which the parent knows better."""
    line = {
        "depth": stack.pixels.dtype.name,
        "shape": stack.pixels.shape,
        "source_format": stack.source_format,
        "plane": stack.plane,
        "pixel_spacing": stack.pixel_spacing,
        "pixel_spacing_source": stack.pixel_spacing_source,
        "pixel_aspect": stack.pixel_aspect,
        "regions": [one.as_json() for one in stack.regions],
        "slice_spacing": stack.slice_spacing,
        "affine": stack.affine,
        "affine_source": stack.affine_source,
        "rescale": stack.rescale,
        "window": stack.window,
        "acquisition": dict(stack.acquisition),
    }
    stream.write(json.dumps(line, allow_nan=False).encode() + b"\n")
    stream.write(stack.pixels.data)


def write_refusal(stream: BinaryIO, refusal: Refusal) -> None:
    """Child's side: why there is no stack."""
    stream.write(json.dumps({"error": [refusal.code, refusal.detail]}).encode() + b"\n")


def write_identity(channel: BinaryIO, identity: Identity) -> None:
    """Child's side: what the file says of patient and study, one object of texts."""
    said = {
        "PatientID": identity.patient_id,
        "PatientBirthDate": _as_dicom(identity.patient_birth_date),
        "AccessionNumber": identity.accession_number,
        "StudyDate": _as_dicom(identity.study_date),
        "StudyInstanceUID": identity.study_instance_uid,
        "SeriesInstanceUID": identity.series_instance_uid,
        "SOPInstanceUID": identity.sop_instance_uid,
    }
    channel.write(json.dumps(said).encode() + b"\n")


def _as_dicom(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""


def read_identity(channel: BinaryIO) -> Identity:
    """Parent's side. Raises BadAnswer where the child has said nothing that can be read."""
    return identity_of(_json_line(channel.readline(LINE_BYTES)))


def read_stack(stream: BinaryIO, *, modality: Modality, sha256: str) -> PictureStack:
    """Parent's side. Raises the child's own Refusal, or BadAnswer when the answer does not hold up."""
    answer = _json_line(stream.readline(LINE_BYTES))
    if "error" in answer:
        raise _refusal(answer["error"])
    try:
        return PictureStack(
            pixels=_pixels(stream, answer["depth"], answer["shape"], _aspect(answer)),
            modality=modality,
            original_sha256=sha256,
            source_format=_one_of(answer["source_format"], get_args(SourceFormat)),
            plane=_one_of(answer["plane"], get_args(Plane)),
            pixel_spacing=_optional_pair(answer["pixel_spacing"]),
            pixel_spacing_source=_one_of(answer["pixel_spacing_source"], SPACING_SOURCES),
            pixel_aspect=_optional_number(answer["pixel_aspect"]),
            regions=_regions(answer["regions"]),
            slice_spacing=_optional_number(answer["slice_spacing"]),
            affine=_affine(answer["affine"]),
            affine_source=_one_of(answer["affine_source"], AFFINE_SOURCES),
            rescale=_pair(answer["rescale"]),
            window=_optional_pair(answer["window"]),
            acquisition=acquisition.allowed(answer["acquisition"]),
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise BadAnswer("the child's answer lacks a field or has one of a wrong type") from fault


def _json_line(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError as fault:
        raise BadAnswer("the child's answer does not start with a line of JSON") from fault
    if not isinstance(answer, dict):
        raise BadAnswer("the child's answer is no JSON object")
    return answer


def _refusal(error: Any) -> Refusal:
    code, detail = error if isinstance(error, list) and len(error) == 2 else ("", "")
    if code not in FILES or not isinstance(detail, str):
        raise BadAnswer("the child refuses the file for no known reason")
    return Refusal(code, detail[:300])


def _aspect(answer: dict[str, Any]) -> float:
    """Height of a pixel over its width, 1 where nothing says it: it is not one that nobody could believe."""
    pair = _optional_pair(answer["pixel_spacing"])
    stated = _optional_number(answer["pixel_aspect"])
    if stated is not None and plausible_aspect(stated, 1.0) is None:
        raise BadAnswer("the child hands back an aspect that no pixel has")
    return aspect_of(plausible(*pair) if pair else None, stated)


def _regions(said: Any) -> tuple[Region, ...]:
    if not isinstance(said, list) or len(said) > MOST:
        raise BadAnswer("the child hands back regions that no picture has")
    try:
        return tuple(region_of(one) for one in said)
    except ValueError as fault:
        raise BadAnswer("the child hands back a region that no picture has") from fault


def _affine(said: Any) -> Affine | None:
    """Three rows of four finite numbers."""
    if said is None:
        return None
    return tuple(tuple(_number(one) for one in _sequence(row, 4)) for row in _sequence(said, 3))


def _pixels(stream: BinaryIO, depth: str, shape: Sequence[int], aspect: float) -> Pixels:
    """Check depth, shape and the exact number of bytes before anything is allocated."""
    dtype = np.dtype(_DEPTHS[depth])
    frames, rows, columns = (_whole(side) for side in _sequence(shape, 3))
    check_stack(frames, rows, columns, dtype.itemsize, aspect)
    expected = frames * rows * columns * dtype.itemsize
    content = stream.read(expected + 1)
    if len(content) != expected:
        raise BadAnswer("the child hands back another number of pixels than it says")
    return np.frombuffer(content, dtype=dtype).reshape(frames, rows, columns)


def _sequence(value: Any, length: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise BadAnswer(f"the child hands back something else than {length} numbers")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise BadAnswer("the child hands back a side that is no whole number")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise BadAnswer("the child hands back a number that is none")
    return float(value)


def _optional_number(value: Any) -> float | None:
    return None if value is None else _number(value)


def _pair(value: Any) -> tuple[float, float]:
    first, second = (_number(number) for number in _sequence(value, 2))
    return first, second


def _optional_pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else _pair(value)


def _one_of(value: Any, choices: Sequence[T]) -> T:
    for choice in choices:
        if value == choice:
            return choice
    raise BadAnswer("the child hands back a word that is not on the list")
