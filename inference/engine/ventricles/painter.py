"""The network that paints ventricles, brain and thalami, its weights file, and slices as it paints them."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from scipy.special import expit

from digests import sha256_hex
from inference.engine.backends.graphs import Tensors
from inference.engine.backends.with_onnxruntime import stage_of
from inference.engine.preprocessing.frames import head_extent
from inference.engine.preprocessing.square_pixels import back_to_scan, composed, spacing_of, squared
from inference.engine.ventricles.calipers import Painted
from inference.engine.ventricles.grids import PIXEL_MM, levelled, on_grid
from inference.formats.stack import PictureStack

SHIPPED = Path(__file__).parent.parent / "shipped_ventricles"
KEY = Path(__file__).parent.parent / "shipped_anatomy"
"""The weights that are a second key to the gate. They stay when what measures is trained again: a preparation
is named with them, and what was let in with them is let in when it is run again."""
LEVELS = (0.38, 0.7)
"""Share of the head's height, foot to head, in which thalami and atria are looked for; on eight volumes they
lie between 0.49 and 0.60."""
MOST_SLICES = 32
BATCH = 16

Floats = NDArray[np.float32]
Look = Callable[[Floats], Floats]
"""Levelled slices (n, 1, SIDE, SIDE) to probabilities (n, 3, SIDE, SIDE)."""


class VentriclesMismatch(Exception):
    """The network's weights are not what their record says."""


@dataclass(frozen=True)
class Painter:
    """The network, and what was settled on volumes that it had not seen.

    error_mm: standard deviation of a width in thin slices. error_of_thickness: what each mm of thickness adds
    to it, in squares. least_chance: below it no atrium counts as seen. record: all that was said.
    """

    look: Look
    error_mm: float
    error_of_thickness: float
    least_chance: float
    record: Mapping[str, Any]

    def error(self, thickness_mm: float) -> float:
        """Standard deviation in mm of a width seen in slices of that thickness."""
        return math.hypot(self.error_mm, self.error_of_thickness * thickness_mm)


def levels_of(stack: PictureStack) -> tuple[int, ...]:
    """The slices in which thalami may lie, at most MOST_SLICES."""
    lowest, highest = head_extent(stack.pixels)
    low, high = (round(lowest + share * (highest - lowest)) for share in LEVELS)
    wanted = np.linspace(low, high, min(high - low + 1, MOST_SLICES))
    return tuple(sorted({round(float(index)) for index in wanted}))


def painted(
    look: Look, stack: PictureStack, levels: Sequence[int], middle: tuple[float, float]
) -> tuple[list[Painted], list[NDArray[np.float64]]]:
    """Slices as the network paints them, and the affine of each from its grid to the scan's own pixels.

    middle: (x, y) of the head in the scan's own pixels.
    """
    pictures, ways = [], []
    for level in levels:
        own = stack.pixels[level].astype(np.float32)
        frame, fine = squared(own, spacing_of(stack))
        back = back_to_scan(own.shape, frame.shape)
        at = np.linalg.solve(back[:, :2], np.array(middle) - back[:, 2])
        seen, way = on_grid(frame, fine or PIXEL_MM, (float(at[0]), float(at[1])))
        pictures.append(levelled(seen))
        ways.append(composed(back, way))
    shown = np.stack(pictures)[:, None]
    maps = np.concatenate([_both_ways(look, shown[at : at + BATCH]) for at in range(0, len(shown), BATCH)])
    return [Painted(one[0], one[1], one[2], PIXEL_MM) for one in maps], ways


def _both_ways(look: Look, shown: Floats) -> Floats:
    """The mean of a slice and its mirror image: heads are nearly symmetric, networks are not."""
    return np.asarray((look(shown) + look(shown[..., ::-1])[..., ::-1]) / 2, np.float32)


def ventricle_painter_name() -> str:
    """The first twelve digits of the hash of the weights that are the key to the gate."""
    return str(json.loads((KEY / "ventricles.json").read_text())["weights_sha256"])[:12]


@cache
def shipped_painter() -> Painter:
    """The network that measures as it comes with the code, hash checked. VentriclesMismatch."""
    return load_painter(SHIPPED)


@cache
def key_painter() -> Painter:
    """The network whose paint is a key to the gate, likewise."""
    return load_painter(KEY)


def load_painter(folder: Path) -> Painter:
    """Read ventricles.json and ventricles.safetensors from a folder. Raises VentriclesMismatch."""
    record = json.loads((folder / "ventricles.json").read_text())
    return painter_of((folder / "ventricles.safetensors").read_bytes(), record)


def painter_of(content: bytes, record: Mapping[str, Any]) -> Painter:
    """The network in a weights file, with the errors and the least chance of its record.

    Raises VentriclesMismatch for another file, WrongTensors for tensors that are not its own.
    """
    if sha256_hex(content) != record["weights_sha256"]:
        raise VentriclesMismatch("the ventricle network's weights do not have the hash their record states")
    look = looker(safetensors.numpy.load(content))
    return Painter(look, record["error_mm"], record["error_of_thickness"], record["least_chance"], record)


def looker(tensors: Tensors) -> Look:
    """The network out of the tensors of a weights file, as a function of slices. Raises WrongTensors."""
    stage = stage_of("ventricles", tensors)

    def look(pictures: Floats) -> Floats:
        (odds,) = stage(np.asarray(pictures, np.float32))
        return np.asarray(expit(odds), np.float32)

    return look
