"""Which single MR slices of one series lie behind one another, and what stands in the way where they do not.

Alike are slices of one patient, size, spacing, thickness, orientation and echo: what is not alike is split.
Each stack is sorted by ImagePositionPatient along its normal. Slices of one place are split by time or by
acquisition where that makes volumes of them, and refused otherwise; so is a stack that misses a slice, for
as one volume each would show what is not there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.formats.headers.dicom_place import Numbers, Place
from inference.formats.limits import check_stack
from inference.formats.stacking import MISSING, SAME_DIRECTION, SAME_PLACE_MM
from refusals import Refusal

ASIDE_MM = 2.0
"""How far a slice may lie beside the line through the others: positions are rounded, planes are not moved."""
ALIKE = 1e-3


@dataclass(frozen=True)
class Slice:
    """key: names the file. size: rows, columns, bytes of a pixel, PhotometricInterpretation."""

    key: str
    place: Place
    size: tuple[int, int, int, str]


@dataclass(frozen=True)
class Stack:
    """Slices in their order. step: millimetres between them; None for one alone. refusal: why it is none."""

    slices: tuple[Slice, ...]
    step: float | None = None
    refusal: Refusal | None = None


def stacks(many: Sequence[Slice]) -> list[Stack]:
    """Every slice of a series in one stack."""
    alike: list[list[Slice]] = []
    for one in sorted(many, key=lambda one: one.key):
        group = next((group for group in alike if _alike(group[0], one)), None)
        if group is None:
            alike.append([one])
        else:
            group.append(one)
    return [_stack(part) for group in alike for part in _split(group)]


def derived(words: str) -> Refusal:
    """The reason for setting aside what was made from other pictures."""
    return {
        "a reformat": Refusal(
            "no_pixel_data", "This DICOM file is a reformat made from others; send what was acquired."
        ),
        "a projection": Refusal(
            "no_pixel_data", "This DICOM file is a projection made from others; send what was acquired."
        ),
        "a map": Refusal(
            "no_pixel_data", "This DICOM file is a map computed from others; send what was acquired."
        ),
        "a subtraction": Refusal(
            "no_pixel_data", "This DICOM file is a subtraction of others; send what was acquired."
        ),
    }[words]


def _alike(first: Slice, other: Slice) -> bool:
    one, two = first.place, other.place
    return (
        first.size == other.size
        and one.identity == two.identity
        and _near(one.orientation, two.orientation, SAME_DIRECTION)
        and _near(one.spacing, two.spacing, ALIKE)
        and _near(one.thickness, two.thickness, 10 * ALIKE)
        and _near(one.echo_time, two.echo_time, 10 * ALIKE)
        and bool(one.position) == bool(two.position)
    )


def _near(one: Numbers, two: Numbers, most: float) -> bool:
    return len(one) == len(two) and all(abs(a - b) <= most for a, b in zip(one, two, strict=True))


def _split(group: list[Slice]) -> list[list[Slice]]:
    """By time or acquisition, where slices share a place and each part then has every place once."""
    if _normal(group[0].place) is None or not _repeat(group):
        return [group]
    by: tuple[Callable[[Place], str], ...] = (lambda place: place.moment, lambda place: place.acquisition)
    for value in by:
        parts: dict[str, list[Slice]] = {}
        for one in group:
            parts.setdefault(value(one.place), []).append(one)
        if len(parts) > 1 and not any(_repeat(part) for part in parts.values()):
            return list(parts.values())
    return [group]


def _repeat(group: Sequence[Slice]) -> bool:
    along = np.sort(_along(group))
    return len(along) > 1 and bool(np.diff(along).min() < SAME_PLACE_MM)


def _normal(place: Place) -> NDArray[np.float64] | None:
    """The unit normal of the slice's plane; None where the file does not say how it lies."""
    if not place.position or not place.orientation:
        return None
    normal = np.cross(place.orientation[:3], place.orientation[3:])
    return normal if math.isclose(float(np.linalg.norm(normal)), 1.0, rel_tol=0.01) else None


def _along(group: Sequence[Slice]) -> NDArray[np.float64]:
    places = np.asarray([one.place.position for one in group], dtype=float)
    along: NDArray[np.float64] = places @ _normal(group[0].place)
    return along


def _stack(group: list[Slice]) -> Stack:
    if len(group) == 1:
        return Stack((group[0],))
    try:
        return _sorted(group)
    except Refusal as refusal:
        return Stack(tuple(group), refusal=refusal)


def _sorted(group: list[Slice]) -> Stack:
    normal = _normal(group[0].place)
    if normal is None:
        raise Refusal(
            "frames", "The slices of the series do not say where they lie; send them as one volume."
        )
    along = _along(group)
    order = np.argsort(along, kind="stable")
    _check_steps(np.diff(along[order]))
    places = np.asarray([group[k].place.position for k in order], dtype=float)
    aside = places - np.outer(along[order], normal)
    if np.abs(aside - np.median(aside, axis=0)).max() > ASIDE_MM:
        raise Refusal("frames", "The slices of the series do not lie behind one another; send one volume.")
    rows, columns, pixel_bytes, _ = group[0].size
    check_stack(len(group), rows, columns, pixel_bytes, _aspect(group[0].place))
    return Stack(tuple(group[int(k)] for k in order), float(np.median(np.diff(along[order]))))


def _check_steps(steps: NDArray[np.float64]) -> None:
    if steps.min() < SAME_PLACE_MM:
        raise Refusal(
            "frames",
            "The series shows slices more than once (contrasts, echoes or times); send one volume.",
        )
    if steps.max() > MISSING * float(np.median(steps)):
        after = int(np.argmax(steps)) + 1
        raise Refusal("frames", f"A slice is missing after slice {after} of the series; send all of them.")


def _aspect(place: Place) -> float:
    return place.spacing[0] / place.spacing[1] if place.spacing and min(place.spacing) > 0 else 1.0
