"""How a volume is turned so that its frames are axial, foot to head: never resampled, by the nearest axes.

Every format ends in the same view: anterior up, the patient's left at the right of the picture. A file's own
directions decide. Those of an acquisition on a pregnant woman are hers, and a series that was planned on the
fetus's head says so in its words: where SeriesDescription or ProtocolName names another plane than the
directions do, the file's axes are not those of the head, and the frames stay as they were acquired.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import nibabel as untyped_nibabel
import numpy as np
from numpy.typing import NDArray

from inference.formats.affine import Affine
from inference.formats.limits import check_stack
from inference.formats.stack import PictureStack, Plane
from refusals import Refusal

FOOT_TO_HEAD, FRONT_TO_BACK, RIGHT_TO_LEFT = "S", "P", "L"
TO_LPS = np.array([-1.0, -1.0, 1.0])
"""From NIfTI's axes, right, front and head, to DICOM's, left, back and head; and the other way."""
AS_IT_IS = np.array([[0, 1], [1, 1], [2, 1]])
"""A volume that is not turned."""
ACROSS: tuple[Plane, ...] = ("sagittal", "coronal", "axial")
"""The plane whose normal runs along each of the axes."""
_WORDS: tuple[tuple[Plane, str], ...] = (
    ("axial", r"ax|axi|axial|tra|trans|transv|transverse|transversal"),
    ("coronal", r"cor|coro|coronal|koronar"),
    ("sagittal", r"sag|sagi|sagittal"),
)
_PLANES = [(plane, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)) for plane, words in _WORDS]

nibabel: Any = untyped_nibabel
Numbers = NDArray[Any]


def turn_of(axes: Numbers) -> Numbers:
    """For each axis of a volume, which axis of the stack it becomes and whether it is flipped (1 or -1).

    axes: (4, 4), of the volume's indices to millimetres towards right, front and head.
    """
    wanted = nibabel.orientations.axcodes2ornt((FOOT_TO_HEAD, FRONT_TO_BACK, RIGHT_TO_LEFT))
    return np.asarray(nibabel.orientations.ornt_transform(nibabel.io_orientation(axes), wanted))


def turned(volume: Numbers, turn: Numbers) -> Numbers:
    """(frames, rows, columns) of a volume."""
    voxels: Numbers = nibabel.apply_orientation(volume, turn)
    return voxels


def affine_of(axes: Numbers, shape: Sequence[int], turn: Numbers) -> Affine:
    """Of a volume once it is turned. axes: as above; shape: before it is turned."""
    to_millimetres = axes @ nibabel.orientations.inv_ornt_aff(turn, shape)
    rows = to_millimetres[:3, [2, 1, 0, 3]] * TO_LPS[:, None]
    return tuple(tuple(round(float(one), 6) + 0.0 for one in row) for row in rows)


def named_plane(*words: str) -> Plane:
    """The one plane that the words of a series name; "" where they name none, or several."""
    named = {plane for plane, pattern in _PLANES for text in words if pattern.search(text)}
    return named.pop() if len(named) == 1 else ""


def axially(
    stack: PictureStack, orientation: Sequence[float], position: Sequence[float], *words: str
) -> PictureStack:
    """A DICOM volume as axial frames, where its directions may be believed; else as it is.

    Of so few slices that axial frames would be too low to be pictures it stays as it is, too.

    orientation: ImageOrientationPatient of the frames, which follow one another along their normal. position:
    ImagePositionPatient of the first. words: what the series is called.
    """
    if stack.slice_spacing is None or stack.pixel_spacing is None or stack.regions:
        return stack
    along_row, along_column = np.asarray(orientation[:3], float), np.asarray(orientation[3:], float)
    normal = np.cross(along_row, along_column)
    lies: Plane = ACROSS[int(np.abs(normal).argmax())]
    sizes = (stack.slice_spacing, *stack.pixel_spacing)
    axes = np.eye(4)
    axes[:3, 3] = np.asarray(position, float) * TO_LPS
    for axis, direction in enumerate((normal, along_column, along_row)):
        axes[:3, axis] = direction * TO_LPS * sizes[axis]
    shape: tuple[int, ...] = stack.pixels.shape
    affine = affine_of(axes, shape, AS_IT_IS)
    stack = replace(stack, affine=affine, affine_source="ImageOrientationPatient")
    if named_plane(*words) not in ("", lies):
        return stack
    turn = turn_of(axes)
    pixels = np.ascontiguousarray(turned(stack.pixels, turn))
    slices, rows, columns = (sizes[axis] for axis in np.argsort(turn[:, 0]))
    count, height, width = pixels.shape
    try:
        check_stack(count, height, width, pixels.itemsize, rows / columns)
    except Refusal:
        return replace(stack, plane=lies)
    return replace(
        stack,
        pixels=pixels,
        plane="axial",
        pixel_spacing=(rows, columns),
        slice_spacing=slices,
        affine=affine_of(axes, shape, turn),
    )
