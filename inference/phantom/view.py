"""Where a head lies in a picture: pixels to screen millimetres to head millimetres."""

import math
from dataclasses import dataclass

import numpy as np

from inference.phantom.geometry import Floats, Points
from inference.phantom.records import Defects, HeadSpec

STEEPEST_TILT = 0.30  # mm of plane height for each mm along the picture, at tilt = 1
TILT_LIFT_MM = 3.5  # an oblique plane also misses the widest level


@dataclass(frozen=True)
class View:
    """Placement of one acquisition; chosen from the head's size and the seed, never from its ventricles.

    pixel_spacing: mm (rows, columns). centre: the head's, mm right and down of the picture's centre.
    turn: radians the head is turned clockwise. mirrored: seen from the other side.
    slope, lift: height of the plane in the head is lift + slope[0] * x + slope[1] * y, mm.
    """

    size: int
    pixel_spacing: tuple[float, float]
    centre: tuple[float, float]
    turn: float
    mirrored: bool
    slope: tuple[float, float] = (0.0, 0.0)
    lift: float = 0.0

    def screen(self) -> tuple[Floats, Floats]:
        """Millimetres right and down of the picture's centre, for every pixel."""
        steps = np.arange(self.size, dtype=np.float32) - (self.size - 1) / 2
        right, down = np.meshgrid(steps * self.pixel_spacing[1], steps * self.pixel_spacing[0])
        return right.astype(np.float32), down.astype(np.float32)

    def head(self, right: Floats, down: Floats) -> Points:
        """Head coordinates of screen points."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        u, v = right - self.centre[0], down - self.centre[1]
        x, y = cos * u + sin * v, cos * v - sin * u
        x = -x if self.mirrored else x
        z = self.lift + self.slope[0] * x + self.slope[1] * y
        return Points(x, y, np.asarray(z, dtype=np.float32))

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """(row, column) of one point of the head: the way back from `head` and `screen`."""
        x = -x if self.mirrored else x
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        right, down = self.centre[0] + cos * x - sin * y, self.centre[1] + sin * x + cos * y
        middle = (self.size - 1) / 2
        return down / self.pixel_spacing[0] + middle, right / self.pixel_spacing[1] + middle


def frame_head(
    rng: np.random.Generator,
    spec: HeadSpec,
    defects: Defects,
    *,
    size: int,
    fill: tuple[float, float],
    turn: float,
    squeeze: float = 1.0,
    mirrored: bool = False,
) -> View:
    """Choose a field of view in which the head's length takes a share `fill` of the side.

    squeeze: spacing between columns over spacing between rows. The crop defect slides the head
    out of the picture, the tilt defect inclines the plane; both are drawn here.
    """
    share = float(rng.uniform(*fill))
    side = spec.occipitofrontal_mm / share
    spare = max(0.06 * side, (side - spec.occipitofrontal_mm) / 2)
    along, slide = float(rng.uniform(0, 2 * math.pi)), defects.crop * 0.5 * side
    jitter = rng.uniform(-0.6, 0.6, 2) * spare
    heading = float(rng.uniform(0, 2 * math.pi))
    steep = STEEPEST_TILT * defects.tilt
    return View(
        size=size,
        pixel_spacing=(side / size, side * squeeze / size),
        centre=(
            float(jitter[0]) * squeeze + slide * math.cos(along),
            float(jitter[1]) + slide * math.sin(along),
        ),
        turn=turn,
        mirrored=mirrored,
        slope=(steep * math.cos(heading), 0.5 * steep * math.sin(heading)),
        lift=TILT_LIFT_MM * defects.tilt,
    )
