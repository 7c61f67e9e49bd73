"""The head upright on one grid, and the smaller grids on which the networks look at it.

Places are (x, y), pixel centres. `crop`: (ROWS, COLUMNS), the head's long axis from left to right and HEAD
pixels long, the probe's side up as far as a turn of at most 90 degrees can put it there.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inference.engine.head.ellipse import Ellipse

SIDE, STRIDE = 96, 2
"""Of what the networks are shown, and its pixels for one of what they give."""
OUT = SIDE // STRIDE
ROWS, COLUMNS = 320, 400
MARGIN = 1.15
HEAD = COLUMNS / MARGIN
"""Pixels of a crop from the front of the head to its back: the unit of length of everything here."""
MIDDLE = np.array([(COLUMNS - 1) / 2, (ROWS - 1) / 2])
LOW, HIGH = 1.0, 99.5

Floats = NDArray[np.float32]
Places = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """Where the crop's grid lies in its frame: frame = middle + pixel * turned(crop - MIDDLE)."""

    middle: tuple[float, float]
    pixel: float
    angle: float

    def to_frame(self, places: Places) -> Places:
        """(..., 2) in the crop to (..., 2) in the frame."""
        there: Places = turned((places - MIDDLE) * self.pixel, self.angle) + np.array(self.middle)
        return there

    def to_crop(self, places: Places) -> Places:
        """The way back."""
        here: Places = turned(places - np.array(self.middle), -self.angle) / self.pixel + MIDDLE
        return here


def pose(head: Ellipse) -> Pose:
    """The head's, its long axis turned to the right by at most 90 degrees."""
    angle = (head.angle + math.pi / 2) % math.pi - math.pi / 2
    return Pose((head.x, head.y), 2 * head.long / HEAD, angle)


def turned(places: Places, angle: float) -> Places:
    """Vectors (..., 2) turned from x towards y."""
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = places[..., 0], places[..., 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], -1)


def upright(frame: Floats, head: Ellipse) -> Floats:
    """The crop of a frame (rows, columns) with square pixels; black beyond the frame."""
    lie = pose(head)
    image = Image.fromarray(np.ascontiguousarray(frame, np.float32))
    shrink = max(lie.pixel, 1.0)
    if shrink > 1:
        size = (max(1, round(image.width / shrink)), max(1, round(image.height / shrink)))
        image = image.resize(size, Image.Resampling.BILINEAR)
    across, down = image.width / frame.shape[1], image.height / frame.shape[0]
    corners = (
        lie.to_frame(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) - 0.5) + 0.5
    )  # Pillow counts from the corner of the first pixel
    (x, y), right, below = corners * [across, down]
    way = (right[0] - x, below[0] - x, x, right[1] - y, below[1] - y, y)
    seen = image.transform((COLUMNS, ROWS), Image.Transform.AFFINE, way, Image.Resampling.BILINEAR)
    return np.asarray(seen, np.float32)


@dataclass(frozen=True)
class Grid:
    """SIDE x SIDE places in a crop: `step` crop pixels apart, around `middle`, its x axis turned by `angle`.

    mirror: -1 where left and right are exchanged, else 1.
    """

    step: float
    middle: Places
    angle: float
    mirror: float = 1.0

    def places(self) -> Places:
        """(SIDE, SIDE, 2) in the crop."""
        steps = (np.arange(SIDE) - (SIDE - 1) / 2) * self.step
        x, y = np.meshgrid(steps * self.mirror, steps)
        return turned(np.stack([x, y], -1), self.angle) + self.middle

    def from_map(self, places: Places) -> Places:
        """(..., 2) on a network's map to (..., 2) in the crop."""
        steps = (places * STRIDE + (STRIDE - 1) / 2 - (SIDE - 1) / 2) * self.step
        return turned(steps * [self.mirror, 1.0], self.angle) + self.middle

    def to_map(self, places: Places) -> Places:
        """The way back."""
        steps = turned(places - self.middle, -self.angle) * [self.mirror, 1.0] / self.step
        return (steps + (SIDE - 1) / 2 - (STRIDE - 1) / 2) / STRIDE


PLACE_STEP = HEAD * 1.22 / SIDE
"""The place is looked for in the whole head."""
WIDTH_STEP = HEAD * 0.55 / SIDE
"""Calipers are placed on a little more than half of its length."""


def halved(crop: Floats) -> Floats:
    """Means of two by two."""
    return np.asarray(crop.reshape(ROWS // 2, 2, COLUMNS // 2, 2).mean(axis=(1, 3)), np.float32)


def seen_on(crop: Floats, places: Places, *, half: bool = False) -> Floats:
    """Grey levels at places (rows, columns, 2) of a crop, or of what `halved` made of it."""
    at = places / 2 - 0.25 if half else places
    return np.asarray(ndimage.map_coordinates(crop, [at[..., 1], at[..., 0]], order=1), np.float32)


def levelled(picture: Floats) -> Floats:
    """Percentiles to 0 and 1, then around nought: gain and offset go."""
    low, high = np.percentile(picture, [LOW, HIGH])
    level = np.clip((picture - low) / max(float(high - low), 1e-3 * max(float(high), 1.0)), 0, 1.2)
    return np.asarray((level - level.mean()) / (level.std() + 0.05), np.float32)
