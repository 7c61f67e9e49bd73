"""Pictures to learn from, drawn once: what a network sees and what it should say.

Real atria as they are or dilated, synthetic heads, boxes, and places without an atrium: beside it, in the
half before the probe, in heads where nobody can measure one, and in halves of heads that lie in shadow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.engine.atrium.grids import (
    HEAD,
    MIDDLE,
    OUT,
    PLACE_STEP,
    WIDTH_STEP,
    Floats,
    Grid,
    Places,
    halved,
    levelled,
    seen_on,
)
from inference.training.atrium.dilate import Dilation, Layout, dilation, painted
from inference.training.atrium.looks import another_look, dimmed, shadowed
from inference.training.atrium.material import Head

Step = Literal["place", "width"]
STEPS: tuple[Step, ...] = ("place", "width")
WIDTHS = (0.035, 0.36)
"""Of the head's length: 2.3 to 24 mm at 66 mm, 4 to 40 mm at 110 mm."""
LIMIT, WIDE = (0.07, 0.17), (0.18, 0.36)
"""Around 10 mm in heads of 60 to 140 mm, where the call falls; and the moderate and severe ones."""
AT_LIMIT, AT_WIDE = 0.25, 0.28
"""How often a width is drawn from these two; else from all, their logarithms alike."""
AS_IT_IS = 0.25
SHARES = {"phantom": 0.3, "box": 0.08, "none": 0.05, "shadow": 0.02}
"""How often a picture shows a phantom, an atrium of which only the place is known, a head without one, and a
real head whose atrium is pressed shut and whose far half lies in shadow."""
HEADS = {"mark": "marked", "phantom": "phantoms", "box": "boxed", "none": "empty", "shadow": "marked"}
NOTHING = ("none", "shadow")
"""Kinds of pictures in which no atrium can be measured."""
SHUT = 0.004
"""Of the head's length: what is left of an atrium that is pressed shut."""
DIMMED = 0.2
"""How often the far half of a head whose atrium can be measured is darker: dark alone means nothing."""
PLACE_SPREAD = 1.6
CALIPER_SPREAD = (2.5, 0.8)
"""Map pixels along the ventricle, where the caliper may slide, and across it, where it may not."""
ROUND = 0.88
"""From here on the ellipse does not say where the midline runs."""


@dataclass(frozen=True)
class Drawn:
    """Tensors, first axis n. pictures (n, SIDE, SIDE); maps (n, 1 or 2, OUT, OUT) that add up to 1.

    there: 1, 0, or -1 where nothing is said of it. direction (n, 2): cosine and sine of twice that of the
    midline (place) or of the ventricle (width); directed: 1 where it is known. ends (n, 2, 2), normal (n, 2),
    width (n): map pixels.
    """

    pictures: Tensor
    maps: Tensor
    there: Tensor
    direction: Tensor
    directed: Tensor
    ends: Tensor
    normal: Tensor
    width: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, rows: Tensor) -> "Drawn":
        """These rows."""
        return Drawn(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True)
class Shelf:
    """Heads by what is known of them; drawn from by chance."""

    marked: Sequence[Head]
    boxed: Sequence[Head]
    empty: Sequence[Head]
    phantoms: Sequence[Head]


def drawn(step: Step, shelf: Shelf, count: int, seed: int) -> Drawn:
    """`count` pictures; equal arguments give equal pictures."""
    rng = np.random.default_rng([seed, STEPS.index(step)])
    rows = [_one(step, shelf, rng) for _ in range(count)]
    columns = zip(*rows, strict=True)
    return Drawn(*(torch.from_numpy(np.stack(column).astype(np.float32)) for column in columns))


def _one(step: Step, shelf: Shelf, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    kind = _kind(step, shelf, rng)
    head = _any(getattr(shelf, HEADS[kind]), rng)
    turn = math.pi if kind == "phantom" and rng.random() < 0.3 else 0.0
    caliper = _caliper(kind, head, near=turn > 0)
    change = None
    if kind == "shadow":
        change = dilation(caliper, head.aspect, SHUT * HEAD, rng)
    elif kind == "mark" and rng.random() > AS_IT_IS:
        change = dilation(caliper, head.aspect, HEAD * _drawn_width(rng), rng)
        caliper = change.caliper
    if step == "place":
        grid, there = _place_grid(turn, kind, rng)
    else:
        grid, there = _width_grid(caliper, turn, kind, head.aspect, rng)
    seen = another_look(_levels(step, kind, head, grid, change, rng), rng)
    return _row(step, head, kind, grid, caliper, there, levelled(seen.astype(np.float32)))


def _kind(step: Step, shelf: Shelf, rng: np.random.Generator) -> str:
    chance = rng.random()
    for kind, share in SHARES.items():
        if not getattr(shelf, HEADS[kind]) or (kind == "box" and step != "place"):
            continue
        if chance < share:
            return kind
        chance -= share
    return "mark"


def _drawn_width(rng: np.random.Generator) -> float:
    """Of an atrium, over the head's length."""
    chance = rng.random()
    if chance < AT_LIMIT:
        return float(rng.uniform(*LIMIT))
    if chance < AT_LIMIT + AT_WIDE:
        return float(rng.uniform(*WIDE))
    return math.exp(rng.uniform(*np.log(WIDTHS)))


def _caliper(kind: str, head: Head, *, near: bool) -> Places:
    """What is known of a head's atrium; of a box its middle, of a head without one a place for the grid."""
    known: Places | None = head.near if near else head.far
    if kind == "box":
        known = None if head.place is None else head.place + np.array([[0.0, -12.0], [0.0, 12.0]])
    if kind == "none" or known is None:
        known = MIDDLE + np.array([[-40.0, 60.0], [-40.0, 80.0]])
    return known


def _any(heads: Sequence[Head], rng: np.random.Generator) -> Head:
    return heads[int(rng.integers(len(heads)))]


def _levels(
    step: Step, kind: str, head: Head, grid: Grid, change: Dilation | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    places = grid.places()
    below = (places[..., 1] - MIDDLE[1]) / HEAD
    half = step == "place"
    crop = halved(head.floats) if half else head.floats
    if change is None:
        seen = seen_on(crop, places, half=half).astype(np.float64)
        return dimmed(seen, below, rng) if kind == "mark" and rng.random() < DIMMED else seen
    lay = change.layout(places)
    if kind == "shadow":
        within = 1 - np.hypot(*np.moveaxis((places - MIDDLE) / (HEAD / 2) / [1.0, head.aspect], -1, 0))
        return shadowed(seen_on(crop, lay.source, half=half).astype(np.float64), below, within, rng)
    if half:
        lay = Layout(lay.source / 2 - 0.25, lay.along, lay.depth, lay.outward, lay.share, lay.stretch)
    seen = painted(crop, lay, change, rng)
    return dimmed(seen, below, rng) if rng.random() < DIMMED else seen


def _place_grid(turn: float, kind: str, rng: np.random.Generator) -> tuple[Grid, float]:
    """The whole head, turned by up to 60 degrees, and now and then by half: then nothing is seen below."""
    turn += float(rng.normal(0, 0.45) if rng.random() < 0.8 else rng.uniform(-1.05, 1.05))
    there = 0.0 if kind in NOTHING else 1.0
    if kind in ("mark", "box") and rng.random() < 0.12:
        turn, there = turn + math.pi, 0.0
    middle = MIDDLE + rng.normal(0, 0.03 * HEAD, 2)
    step = PLACE_STEP * math.exp(rng.normal(0, 0.12))
    return Grid(step, middle, turn, float(rng.choice((-1.0, 1.0)))), there


def _width_grid(
    caliper: Places, turn: float, kind: str, aspect: float, rng: np.random.Generator
) -> tuple[Grid, float]:
    """Around the caliper with the midline above; now and then somewhere else in the head."""
    turn += float(rng.normal(0, 0.28))
    middle = caliper.mean(axis=0)
    width = float(np.hypot(*(caliper[1] - caliper[0])))
    there = 0.0 if kind in NOTHING else 1.0
    if kind == "none":
        place = MIDDLE + np.array([rng.uniform(-0.35, 0.35), rng.uniform(0.05, 0.3)]) * HEAD
    elif rng.random() < 0.12:
        place, there = _elsewhere(middle, aspect, rng), -1.0 if kind == "phantom" else 0.0
    else:
        place = middle + rng.normal(0, 0.03 * HEAD + 0.1 * width, 2)
    step = WIDTH_STEP * math.exp(rng.normal(0, 0.14))
    return Grid(step, place, turn, float(rng.choice((-1.0, 1.0)))), there


def _elsewhere(atrium: Places, aspect: float, rng: np.random.Generator) -> Places:
    """A place in the head that is not the atrium's."""
    place = atrium
    for _ in range(30):
        place = atrium + rng.uniform(-0.45, 0.45, 2) * HEAD
        inside = np.hypot(*((place - MIDDLE) / (HEAD / 2) / [1.0, aspect])) < 0.85
        if inside and np.hypot(*(place - atrium)) > 0.17 * HEAD:
            break
    return place


def _row(
    step: Step, head: Head, kind: str, grid: Grid, caliper: Places, there: float, picture: Floats
) -> tuple[NDArray[np.float32], ...]:
    ends = grid.to_map(caliper)
    across = ends[1] - ends[0]
    width = float(np.hypot(*across))
    normal = across / max(width, 1e-6)
    along = np.array([-normal[1], normal[0]])
    if there > 0 and not ((ends > 0) & (ends < OUT - 1)).all():
        there = 0.0 if step == "place" else -1.0
    if step == "place":
        maps = [bump(ends.mean(axis=0), along, PLACE_SPREAD, PLACE_SPREAD)]
        tip = grid.to_map(np.stack([MIDDLE, MIDDLE + np.array([10.0, 0.0])]))
        line = tip[1] - tip[0]
        known = kind == "phantom" or head.aspect < ROUND
    else:
        maps = [bump(end, along, *CALIPER_SPREAD) for end in ends]
        line, known = along, there > 0
    twice = 2 * math.atan2(line[1], line[0])
    values = (
        picture,
        np.stack(maps),
        there,
        (math.cos(twice), math.sin(twice)),
        1.0 if known else 0.0,
        ends,
        normal,
        width,
    )
    return tuple(np.asarray(value, np.float32) for value in values)


_ROWS, _COLUMNS = np.mgrid[:OUT, :OUT].astype(np.float64)


def bump(place: Places, along: Places, spread_along: float, spread_across: float) -> NDArray[np.float64]:
    """Shares (OUT, OUT) that lie around a place; zero when it is far outside."""
    x, y = _COLUMNS - place[0], _ROWS - place[1]
    a, b = x * along[0] + y * along[1], y * along[0] - x * along[1]
    shares = np.exp(-((a / spread_along) ** 2) / 2 - (b / spread_across) ** 2 / 2)
    total = float(shares.sum())
    return np.asarray(shares / total if total > 1e-6 else shares)


def mirrored(batch: Drawn, which: Tensor) -> Drawn:
    """The batch with left and right exchanged in some of its rows."""
    sign = torch.where(which, -1.0, 1.0)
    flip = which[:, None, None]
    ends = batch.ends.clone()
    ends[which, :, 0] = (OUT - 1) - ends[which, :, 0]
    return Drawn(
        pictures=torch.where(flip, batch.pictures.flip(-1), batch.pictures),
        maps=torch.where(flip[:, None], batch.maps.flip(-1), batch.maps),
        there=batch.there,
        direction=batch.direction * torch.stack([torch.ones_like(sign), sign], 1),
        directed=batch.directed,
        ends=ends,
        normal=batch.normal * torch.stack([sign, torch.ones_like(sign)], 1),
        width=batch.width,
    )
