"""A real atrium made wider or narrower: its walls move apart, what lies beside them is pressed together.

The lumen is drawn out and filled with fluid of the picture's own level, the plexus keeps its size and lies on
the outer wall, the skull and the midline stay. So walls, speckle and gain are those of a real picture, and
the width is known. Lengths are crop pixels.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.atrium.grids import HEAD, MIDDLE, Floats, Places

INNER_TABLE = 0.95
"""Of the head's radii: where the skull begins."""
MOST_OUT, MOST_IN = 0.88, 0.85
"""Shares of the room between a wall and the skull, or the midline, that a wall may take."""
REACH = (0.06, 0.22)
"""Of the head's length: over how much of the ventricle, beyond its widest part, the widening fades."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """The places of a picture in a dilated ventricle. All arrays have the picture's shape.

    source: (..., 2), where in the crop each place comes from. along: from the caliper, along the ventricle.
    depth: into the lumen from its nearer wall, negative outside. outward: from the caliper's middle to the
    skull.
    share: 1 where the walls are moved by their full way, 0 where not at all.
    stretch: by how much the lumen was drawn out here, 0 where it was not.
    """

    source: Places
    along: Numbers
    depth: Numbers
    outward: Numbers
    share: Numbers
    stretch: Numbers


@dataclass(frozen=True)
class Dilation:
    """How one ventricle is changed. before: its width; into, out: how far the inner and the outer wall move.

    split: share of the old lumen, from the inner wall on, that is drawn out; the rest keeps its size.
    """

    middle: Places
    normal: Places
    before: float
    into: float
    out: float
    split: float
    fades: tuple[float, float]
    to_midline: float
    to_skull: Numbers

    @property
    def width(self) -> float:
        """The new width."""
        return self.before + self.into + self.out

    @property
    def caliper(self) -> Places:
        """(2, 2): the new inner and outer end."""
        half = self.before / 2
        return np.stack(
            [self.middle - self.normal * (half + self.into), self.middle + self.normal * (half + self.out)]
        )

    def layout(self, places: Places) -> Layout:
        """Where places (..., 2) come from."""
        tangent = np.array([-self.normal[1], self.normal[0]])
        away = places - self.middle
        along, outward = away @ tangent, away @ self.normal
        fade = np.where(along > 0, self.fades[0], self.fades[1])
        plateau = 0.5 * self.width + 0.02 * HEAD
        share = np.exp(-(np.maximum(np.abs(along) - plateau, 0) ** 2) / (2 * fade**2))
        room = np.maximum(np.interp(along, STATIONS, self.to_skull), 0.5)
        into, out = self.into * share, self.out * share
        if self.out > 0:
            out = np.minimum(out, MOST_OUT * room)
        half = self.before / 2
        inner, outer = -half - into, half + out
        beyond, within = outward - outer, inner - outward
        source = np.select(
            [outward > outer, outward < inner],
            [
                half + pressed(beyond, room, out),
                -half - pressed(within, np.full_like(room, self.to_midline), into),
            ],
            self._lumen(outward, inner, outer),
        )
        return Layout(
            source=self.middle + along[..., None] * tangent + source[..., None] * self.normal,
            along=along,
            depth=np.minimum(outward - inner, outer - outward),
            outward=outward,
            share=share,
            stretch=self._stretch(outward, inner, outer),
        )

    def _lumen(self, outward: Numbers, inner: Numbers, outer: Numbers) -> Numbers:
        half = self.before / 2
        if self.into + self.out < 0:
            return -half + (outward - inner) * self.before / np.maximum(outer - inner, 0.1)
        border = outer - (1 - self.split) * self.before
        drawn = -half + (outward - inner) * self.split * self.before / np.maximum(border - inner, 0.1)
        return np.where(outward < border, drawn, half - (outer - outward))

    def _stretch(self, outward: Numbers, inner: Numbers, outer: Numbers) -> Numbers:
        kept = (1 - self.split) * self.before
        more = np.clip((outer - inner - self.before) / (self.split * self.before + 1e-3), 0, 4)
        past = (outward - (outer - kept)) / (0.12 * self.before)
        soft = np.where(past < 0, 1.0, np.exp(-(np.minimum(past, 9.0) ** 2)))
        return np.where((outward > inner) & (outward < outer), more * soft, 0.0)


STATIONS = np.linspace(-0.8 * HEAD, 0.8 * HEAD, 65)
"""Places along the ventricle at which the room to the skull is known."""


def pressed(distance: Numbers, room: Numbers, taken: Numbers) -> Numbers:
    """How far from the old wall lies what is now `distance` from the new one, which took `taken` of its
    room."""
    left = np.maximum(room - taken, 0.1)
    return np.where(distance < left, distance * room / left, distance + taken)


def dilation(caliper: Places, aspect: float, width: float, rng: np.random.Generator) -> Dilation:
    """A change of a real atrium (its caliper, 2 x 2) to `width`, or as near to it as the head has room
    for."""
    inner, outer = caliper
    before = float(np.hypot(*(outer - inner)))
    normal = (outer - inner) / before
    tangent = np.array([-normal[1], normal[0]])
    to_skull = np.array([room(outer + a * tangent, normal, aspect) for a in STATIONS])
    side = math.copysign(1.0, normal[1])
    to_midline = max(1.0, float((inner - MIDDLE)[1]) * side / max(abs(float(normal[1])), 0.3))
    more = width - before
    if more > 0:
        most_in, most_out = MOST_IN * to_midline, MOST_OUT * float(np.interp(0.0, STATIONS, to_skull))
        into = min(rng.uniform(0.05, 0.6) * more, most_in)
        out = min(more - into, most_out)
        into = min(more - out, most_in)  # where the skull leaves no room, the midline's side gives it
        split = float(rng.uniform(0.25, 0.7))
    else:
        into = out = more / 2
        split = 1.0
    return Dilation(
        middle=caliper.mean(axis=0),
        normal=normal,
        before=before,
        into=float(into),
        out=float(out),
        split=split,
        fades=(float(rng.uniform(*REACH)) * HEAD, float(rng.uniform(*REACH)) * HEAD),
        to_midline=to_midline,
        to_skull=to_skull,
    )


def room(place: Places, direction: Places, aspect: float) -> float:
    """From a place to the inside of the skull, along a unit vector; 0 outside the head."""
    axes = HEAD / 2 * INNER_TABLE * np.array([1.0, aspect])
    p, d = (place - MIDDLE) / axes, direction / axes
    a, b, c = float(d @ d), float(p @ d), float(p @ p) - 1
    inside = b * b - a * c
    return max(0.0, (-b + math.sqrt(inside)) / a) if inside > 0 else 0.0


def painted(crop: Floats, lay: Layout, change: Dilation, rng: np.random.Generator) -> NDArray[np.float64]:
    """Grey levels of a dilated ventricle: what was there, fluid, now and then a plexus and bright walls."""
    seen = ndimage.map_coordinates(crop, [lay.source[..., 1], lay.source[..., 0]], order=1, output=np.float64)
    if lay.stretch.max() > 0.3:
        seen = _filled(seen, lay, rng)
        if change.width > 0.07 * HEAD and rng.random() < 0.45:
            seen = _with_plexus(seen, lay, change, rng)
    if rng.random() < 0.5:
        seen = _with_walls(seen, lay, rng)
    if rng.random() < 0.3:
        fluid = _soft(lay.depth - 1, 1.5) * (lay.share > 0.6) * (seen < np.percentile(seen, 60))
        seen = seen * (1 - rng.uniform(0.3, 1.0) * fluid)
    return np.asarray(seen)


def _filled(seen: Numbers, lay: Layout, rng: np.random.Generator) -> Numbers:
    """The part of the lumen that was drawn out becomes fluid with speckle of its own."""
    lumen = (lay.share > 0.6) & (lay.depth > 2)
    level = float(np.percentile(seen[lumen], rng.uniform(2, 35))) if lumen.any() else float(seen.min())
    grain = _grain(seen.shape, (rng.uniform(0.5, 1.0), rng.uniform(0.8, 1.8)), rng)
    here = np.clip(lay.stretch, 0, 1) * np.clip(lay.depth / 2.5, 0, 1)
    return seen * (1 - here) + here * level * np.exp(rng.uniform(0.1, 0.45) * grain)


def _with_plexus(seen: Numbers, lay: Layout, change: Dilation, rng: np.random.Generator) -> Numbers:
    """A smooth bright oval on the outer wall, beside the caliper."""
    long, short = rng.uniform(0.04, 0.09) * HEAD, rng.uniform(0.018, 0.045) * HEAD
    along = lay.along - rng.choice((-1.0, 1.0)) * (long + rng.uniform(0, 0.08) * HEAD)
    outward = lay.outward - (change.before / 2 + change.out) + 0.9 * short
    lean = rng.normal(0, 0.3)
    u = along * math.cos(lean) + outward * math.sin(lean)
    v = outward * math.cos(lean) - along * math.sin(lean)
    size = rng.uniform(1.0, 2.5)
    grain = _grain(seen.shape, (size, size), rng)
    reach = np.hypot(u / long, v / short) * (1 + 0.06 * grain)
    here = _soft((1 - reach) * short, 1.0) * np.clip(lay.depth / 1.5, 0, 1)
    return seen * (1 - here) + here * np.percentile(seen, rng.uniform(85, 98)) * np.exp(0.15 * grain)


def _with_walls(seen: Numbers, lay: Layout, rng: np.random.Generator) -> Numbers:
    """A thin bright line where the lumen ends, on one side or both."""
    bright = float(np.percentile(seen, rng.uniform(85, 99)))
    thick, long = rng.uniform(1.2, 2.6), rng.uniform(0.05, 0.2) * HEAD
    line = np.exp(-(((lay.depth + thick) / thick) ** 2))
    line = line * np.exp(-(((lay.along - rng.uniform(-0.05, 0.05) * HEAD) / long) ** 2))
    outer, inner = rng.random(2) < 0.75
    line = line * np.where(lay.outward > 0, outer, inner)
    return np.asarray(seen + rng.uniform(0.2, 0.9) * np.maximum(bright - seen, 0) * line)


def _soft(distance: Numbers, steep: float) -> Numbers:
    """1 where positive, 0 where negative, soft between."""
    return np.asarray(1 / (1 + np.exp(-np.clip(distance * steep, -30, 30))))


def _grain(shape: tuple[int, ...], sigma: tuple[float, float], rng: np.random.Generator) -> Numbers:
    grain = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
    return np.asarray(grain / grain.std())
