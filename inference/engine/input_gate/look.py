"""How the gate looks at a frame: the found head alone, always of one size, in SonoNet's maps.

The crop is not turned: SonoNet knows planes as a probe shows them. Turned until the long axis was level,
abdomens looked like heads (SonoNet's own classes called 33 % of other planes a brain, unturned 2 %).

Only what lies inside the skull and along it is asked: a collection can be told by what surrounds its heads.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inference.engine.head.by_network import SURENESS
from inference.engine.head.by_skull import Head
from inference.engine.head.ellipse import Ellipse

PLANES = (
    "3VV", "4CH", "abdominal", "background", "brain (cerebellum)", "brain (transventricular)", "femur",
    "kidneys", "lips", "LVOT", "profile", "RVOT", "spine (coronal)", "spine (sagittal)",
)  # fmt: skip
"""That SonoNet16 tells apart."""
DEEP, CLASSES = 128, len(PLANES)
MAPS = DEEP + CLASSES
"""Channels that it gives out: the fifth block, and the log-odds of PLANES."""
INPUT_SCALE = 255.0
ROWS, COLUMNS = 144, 176
MARGIN = 1.3
"""Half of the crop's width over half of the head's long axis."""
REDUCTION = 16
CORE, RING = 0.78, 1.15
"""In units of the head: what counts as inside, and how far the skull's ring goes out."""
FEATURES = 2 * DEEP + 2 * CLASSES + 3 + len(SURENESS)

Floats = NDArray[np.float32]
Stage = Callable[[Floats], Floats]


def crop(frame: Floats, head: Ellipse, *, mirrored: bool = False) -> Floats:
    """The head (ROWS, COLUMNS); mirrored: left for right. Black where the frame ends."""
    pixel = max(2 * MARGIN * head.long / COLUMNS, 0.1)
    fine = _reduced(frame, pixel) if pixel > 1 else frame
    down, across = frame.shape[0] / fine.shape[0], frame.shape[1] / fine.shape[1]
    x, y = np.meshgrid(
        (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * pixel, (np.arange(ROWS) - (ROWS - 1) / 2) * pixel
    )
    columns, rows = head.x + (-x if mirrored else x), head.y + y
    places = [(rows + 0.5) / down - 0.5, (columns + 0.5) / across - 0.5]
    return np.asarray(ndimage.map_coordinates(fine, places, order=1, cval=0.0), np.float32)


def _reduced(frame: Floats, factor: float) -> Floats:
    rows, columns = (max(1, round(side / factor)) for side in frame.shape)
    image = Image.fromarray(np.ascontiguousarray(frame, np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR), np.float32)


def standardised(picture: Floats) -> Floats:
    """(1, 1, rows, columns) as SonoNet takes pictures: minus the mean, over the spread, times 255."""
    spread = max(float(picture.std()), 1e-6)
    return np.asarray((picture - picture.mean()) / spread * INPUT_SCALE, np.float32)[None, None]


def features(stage: Stage, frame: Floats, head: Head) -> Floats:
    """What is known of a found head (FEATURES,): SonoNet's maps inside and along it, and the find itself."""
    return summed(stage(standardised(crop(frame, head.ellipse)))[0], head)


def summed(maps: Floats, head: Head, *, mirrored: bool = False) -> Floats:
    """Maps (MAPS, rows, columns) to means by zone."""
    angle = -head.ellipse.angle if mirrored else head.ellipse.angle
    core, ring = zones(head.ellipse.aspect, angle)
    flat = maps.reshape(MAPS, -1)
    inside, along = flat[:, core], flat[:, ring]
    parts = (
        np.sqrt(np.maximum(inside[:DEEP].mean(axis=1), 0)),
        np.sqrt(np.maximum(along[:DEEP].mean(axis=1), 0)),
        inside[DEEP:].mean(axis=1),
        flat[DEEP:].mean(axis=1),
        [head.ellipse.aspect, head.score, head.coverage, *head.sureness],
    )
    return np.concatenate(parts).astype(np.float32)


def zones(aspect: float, angle: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which places of the maps lie inside a head of this shape, and along its skull; each at least one."""
    rows, columns = ROWS // REDUCTION, COLUMNS // REDUCTION
    long = COLUMNS / REDUCTION / 2 / MARGIN
    y, x = np.mgrid[:rows, :columns]
    x, y = x - (columns - 1) / 2, y - (rows - 1) / 2
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    far = np.hypot(along / long, across / (long * max(aspect, 0.4))).ravel()
    return far < CORE, (far >= CORE) & (far < RING)
