"""The atria of a frame in which a head was found, and the networks that measure them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from digests import sha256_hex
from inference.engine.atrium.grids import (
    HEAD,
    MIDDLE,
    STRIDE,
    WIDTH_STEP,
    Floats,
    Places,
    pose,
    turned,
    upright,
)
from inference.engine.atrium.records import Atria, AtrialWidth, Point, Side
from inference.engine.atrium.search import Found, Looker, Networks, search
from inference.engine.backends.graphs import Tensors, WrongTensors
from inference.engine.backends.with_onnxruntime import stage_of
from inference.engine.head.ellipse import Ellipse

SHIPPED = Path(__file__).parent.parent / "shipped_atrium"
STEPS = ("place", "width")
"""Its networks, by which the names of their tensors begin."""
BESIDE = math.cos(math.radians(60))
"""How far up or down the outer wall must lie from the inner one for its side to have a name."""
FINEST = 0.15
"""Of a pixel of the network's map: no caliper is placed more surely."""
SECOND = 0.9
"""Least chance of the atrium across the midline from the likeliest: the near half shows little."""
ROUGH_OF_HEAD, ROUGH_OF_WIDTH = 0.04, 0.2
"""A width whose error is more than both, of the head's length and of itself, is none."""


class AtriumMismatch(Exception):
    """The atrium's weights are not what their record says."""


@dataclass(frozen=True)
class Measurer:
    """Networks and what was settled with them on heads that they had not seen.

    least_chance: below it an atrium cannot be measured. error_factor: from the network's stated error to a
    standard deviation. record: all that was said of them.
    """

    networks: Networks
    least_chance: float
    error_factor: float
    record: Mapping[str, Any]


def measure(measurer: Measurer, frame: Floats, head: Ellipse) -> Atria:
    """The atria of a frame (rows, columns; square pixels) with its head's ellipse, in that frame's pixels."""
    found = search(measurer.networks, upright(frame, head), head.aspect, measurer.least_chance)
    sure = [one for one in found if _is_sure(measurer, one)]
    widths = [_width(measurer, one, head) for one in _one_of_each_side(sure)]
    widths.sort(key=lambda one: one.side == "near")
    return Atria(tuple(widths), found[0].chance)


def _is_sure(measurer: Measurer, found: Found) -> bool:
    return found.chance >= measurer.least_chance and not too_rough(_error(measurer, found), found.width)


def too_rough(error: float, width: float) -> bool:
    """Whether a width with such an error is none; crop pixels."""
    return error > ROUGH_OF_HEAD * HEAD and error > ROUGH_OF_WIDTH * width


def _error(measurer: Measurer, found: Found) -> float:
    """Standard deviation of a width, crop pixels."""
    finest = FINEST * STRIDE * WIDTH_STEP
    return math.hypot(measurer.error_factor * found.error, found.spread / 2, finest)


def _one_of_each_side(found: list[Found]) -> list[Found]:
    """The likeliest, and the likeliest of those across the midline from it, where that is plain."""
    if not found:
        return []
    first = found[0]
    normal = turned(np.array([0.0, 1.0]), first.midline)
    sides = [float((one.points.mean(axis=0) - MIDDLE) @ normal) for one in found]
    plain = [(one, side) for one, side in zip(found, sides, strict=True) if one.chance >= SECOND]
    others = [one for one, side in plain if side * sides[0] < 0]
    return [first, *others[:1]]


def _width(measurer: Measurer, found: Found, head: Ellipse) -> AtrialWidth:
    lie = pose(head)
    ends = lie.to_frame(found.points)
    across = ends[1] - ends[0]
    pixels = found.width * lie.pixel
    return AtrialWidth(
        inner=_point(ends[0]),
        outer=_point(ends[1]),
        side=_side(across),
        width=pixels,
        error=_error(measurer, found) * lie.pixel,
        chance=found.chance,
        over_bpd=pixels / (2 * head.short),
    )


def _point(place: Places) -> Point:
    return float(place[0]), float(place[1])


def _side(across: Places) -> Side:
    """The probe stands above the picture: what lies below the midline is far from it."""
    down = float(across[1]) / max(float(np.hypot(*across)), 1e-9)
    if abs(down) < BESIDE:
        return "beside"
    return "far" if down > 0 else "near"


@cache
def shipped_measurer() -> Measurer:
    """The networks that come with the code, hash checked. AtriumMismatch."""
    return load_measurer(SHIPPED)


def load_measurer(folder: Path) -> Measurer:
    """Read atrium.json and atrium.safetensors from a folder. Raises AtriumMismatch."""
    record = json.loads((folder / "atrium.json").read_text())
    return measurer_of((folder / "atrium.safetensors").read_bytes(), record)


def measurer_of(content: bytes, record: Mapping[str, Any]) -> Measurer:
    """The networks in a weights file, with the least_chance and error_factor of its record.

    Raises AtriumMismatch for another file, WrongTensors for tensors that are not theirs.
    """
    if sha256_hex(content) != record["weights_sha256"]:
        raise AtriumMismatch("the atrium's weights do not have the hash their record states")
    networks = networks_of(safetensors.numpy.load(content))
    return Measurer(networks, record["least_chance"], record["error_factor"], record)


def networks_of(tensors: Tensors) -> Networks:
    """Both networks out of the tensors of a weights file. Raises WrongTensors."""
    known = tuple(f"{name}." for name in STEPS)
    if unknown := sorted(name for name in tensors if not name.startswith(known)):
        raise WrongTensors(f"unknown: {', '.join(unknown)[:200]}")
    return Networks(*(_looker(name, tensors) for name in STEPS))


def _looker(name: str, tensors: Tensors) -> Looker:
    look = stage_of(f"atrium_{name}", tensors, f"{name}.")

    def looked(pictures: Floats) -> tuple[Floats, Floats]:
        maps, numbers = look(np.asarray(pictures, np.float32))
        return maps, numbers

    return looked
