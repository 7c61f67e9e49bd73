"""One ultrasound machine at one moment: probe, fan, beams, resolution and display settings."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from inference.phantom.geometry import Floats
from inference.phantom.records import Defects, HeadSpec
from inference.phantom.view import View, frame_head

BEAMS, SAMPLES = 200, 288


@dataclass(frozen=True)
class Scanner:
    """Settings of one acquisition. Lengths in mm on the screen, angles in radians.

    apex: where all beams meet, relative to the picture's centre (right, down).
    near, far: the fan's first and last radius from the apex; half_angle: of the fan.
    roll: the finished picture was turned by this much about its centre.
    axial_mm, lateral_mm: resolution of a pulse along, and of a beam across.
    reverberation, clarity: 0..1, haze behind bone, and how much the near half of the brain shows.
    background: grey of everything outside the fan; lift: grey added to black inside it.
    """

    apex: tuple[float, float]
    near: float
    far: float
    half_angle: float
    roll: float
    frame: tuple[float, float]
    axial_mm: float
    lateral_mm: float
    looks: int
    dynamic_range_db: float
    gain_db: float
    near_gain_db: float
    far_gain_db: float
    reverberation: float
    clarity: float
    background: float
    lift: float

    def probe(self, right: Floats, down: Floats) -> tuple[Floats, Floats]:
        """Screen points before the picture was turned."""
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return cos * right + sin * down, cos * down - sin * right

    def screen(self, right: Floats, down: Floats) -> tuple[Floats, Floats]:
        """The way back from `probe`."""
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return cos * right - sin * down, cos * down + sin * right

    def polar(self, right: Floats, down: Floats) -> tuple[Floats, Floats]:
        """(radius from the apex, angle from the fan's middle) of screen points."""
        u, v = self.probe(right, down)
        u, v = u - self.apex[0], v - self.apex[1]
        return np.sqrt(u**2 + v**2), np.arctan2(u, v)

    def beams(self) -> tuple[Floats, Floats]:
        """Screen points of the samples, (SAMPLES, BEAMS), shallow first."""
        radius = np.linspace(self.near, self.far, SAMPLES, dtype=np.float32)[:, np.newaxis]
        angle = np.linspace(-self.half_angle, self.half_angle, BEAMS, dtype=np.float32)
        return self.screen(self.apex[0] + radius * np.sin(angle), self.apex[1] + radius * np.cos(angle))

    def step_mm(self) -> float:
        """Distance between two samples of a beam."""
        return (self.far - self.near) / (SAMPLES - 1)

    def convert(self, echo: Floats, right: Floats, down: Floats) -> tuple[Floats, Floats]:
        """Beams to picture: the echoes at screen points, and 1 where the fan lies, 0 outside."""
        radius, angle = self.polar(right, down)
        rows = (radius - self.near) / self.step_mm()
        columns = (angle / self.half_angle + 1) * (BEAMS - 1) / 2
        picture = map_coordinates(echo, np.stack([rows, columns]), order=1, mode="nearest")
        u, v = self.probe(right, down)
        inside = (np.abs(angle) <= self.half_angle) & (radius >= self.near) & (radius <= self.far)
        inside &= (np.abs(u) <= self.frame[0]) & (np.abs(v) <= self.frame[1])
        return np.asarray(picture, dtype=np.float32), inside.astype(np.float32)


def ultrasound_view(
    rng: np.random.Generator, spec: HeadSpec, defects: Defects, size: int
) -> tuple[View, Scanner]:
    """Choose a view and a machine. Nothing here looks at the ventricles."""
    roll = math.radians(float(rng.uniform(-35, 35))) if rng.random() < 0.35 else 0.0
    lie = math.radians(
        float(rng.normal(0.0, 18.0)) + (90.0 if rng.random() < 0.85 else float(rng.uniform(0, 180)))
    )
    lie += math.pi * float(rng.random() < 0.5)
    squeeze = float(rng.uniform(1.0, 1.4)) if rng.random() < 0.5 else 1.0
    view = frame_head(
        rng,
        spec,
        defects,
        size=size,
        fill=(0.5, 1.05),
        turn=lie + roll,
        squeeze=squeeze,
        mirrored=bool(rng.random() < 0.5),
    )
    return view, _scanner(rng, view, roll)


def _scanner(rng: np.random.Generator, view: View, roll: float) -> Scanner:
    half = view.pixel_spacing[0] * view.size / 2
    near = half * float(rng.uniform(0.25, 1.3))
    zoomed = rng.random() < 0.5
    hidden = half * float(rng.uniform(0.1, 0.7) if zoomed else rng.uniform(-0.1, 0.06))
    grey = rng.random() < 0.45
    lift = float(rng.uniform(0.06, 0.30)) if grey else float(rng.uniform(0.0, 0.05))
    far = near + hidden + half * float(rng.uniform(2.0, 2.8) if zoomed else rng.uniform(1.85, 2.1))
    contrast = float(rng.uniform(42, 62))
    return Scanner(
        apex=(half * float(rng.normal(0.0, 0.08)), -half - near - hidden),
        near=near,
        far=far,
        half_angle=math.radians(float(rng.uniform(28, 48))),
        roll=roll,
        frame=(half * view.pixel_spacing[1] / view.pixel_spacing[0], half),
        axial_mm=float(rng.uniform(0.005, 0.0095)) * half,
        lateral_mm=float(rng.uniform(0.007, 0.017)) * half,
        looks=int(rng.integers(1, 5)),
        dynamic_range_db=contrast,
        gain_db=float(rng.uniform(-15, -3)) + 0.5 * (52 - contrast),
        near_gain_db=float(rng.uniform(-8, 4)),
        far_gain_db=float(rng.uniform(-4, 6)),
        reverberation=float(rng.uniform(0.0, 1.0)),
        clarity=float(rng.uniform(0.0, 1.0)),
        background=lift if rng.random() < 0.8 else float(rng.uniform(0.0, 0.3)),
        lift=lift,
    )
