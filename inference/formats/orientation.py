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

from inference.formats.limits import check_stack
from inference.formats.stack import PictureStack, Plane
from refusals import Refusal

FOOT_TO_HEAD, FRONT_TO_BACK, RIGHT_TO_LEFT = "S", "P", "L"
TO_RAS = np.array([-1.0, -1.0, 1.0])  # DICOM's axes go to the left, the back and the head
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


def named_plane(*words: str) -> Plane:
    """The one plane that the words of a series name; "" where they name none, or several."""
    named = {plane for plane, pattern in _PLANES for text in words if pattern.search(text)}
    return named.pop() if len(named) == 1 else ""


def axially(stack: PictureStack, orientation: Sequence[float], *words: str) -> PictureStack:
    """A DICOM volume as axial frames, where its directions may be believed; else as it is.

    Of so few slices that axial frames would be too low to be pictures it stays as it is, too.

    orientation: ImageOrientationPatient of the frames, which follow one another along their normal. words:
    what the series is called.
    """
    if stack.slice_spacing is None or stack.pixel_spacing is None or stack.regions:
        return stack
    along_row, along_column = np.asarray(orientation[:3], float), np.asarray(orientation[3:], float)
    normal = np.cross(along_row, along_column)
    lies: Plane = ACROSS[int(np.abs(normal).argmax())]
    if named_plane(*words) not in ("", lies):
        return stack
    sizes = (stack.slice_spacing, *stack.pixel_spacing)
    axes = np.eye(4)
    for axis, direction in enumerate((normal, along_column, along_row)):
        axes[:3, axis] = direction * TO_RAS * sizes[axis]
    turn = turn_of(axes)
    pixels = np.ascontiguousarray(turned(stack.pixels, turn))
    slices, rows, columns = (sizes[axis] for axis in np.argsort(turn[:, 0]))
    try:
        check_stack(*pixels.shape[:3], pixels.itemsize, rows / columns)
    except Refusal:
        return replace(stack, plane=lies)
    return replace(stack, pixels=pixels, plane="axial", pixel_spacing=(rows, columns), slice_spacing=slices)
