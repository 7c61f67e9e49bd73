"""The head finder that comes with the code, its hash checked."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from digests import sha256_hex
from inference.engine.backends.graphs import Tensors
from inference.engine.backends.with_onnxruntime import stage_of
from inference.engine.head.by_network import Painter, found_by
from inference.engine.head.by_skull import Head

SHIPPED = Path(__file__).parents[1] / "shipped_head_finder"


class FinderMismatch(Exception):
    """The finder's weights are not what its record says, or not those that are asked for."""


def find_outlined(frame: NDArray[np.float32]) -> Head | None:
    """The head in an ultrasound frame (rows, columns; square pixels), in its pixels; None without one.

    The ellipse runs along the skull's outer edge, as head circumference is measured. Raises FinderMismatch.
    """
    return found_by(shipped_painter(), frame)


def finder_name() -> str:
    """The first twelve digits of the hash of the shipped finder's weights."""
    return str(json.loads((SHIPPED / "head_finder.json").read_text())["weights_sha256"])[:12]


@cache
def shipped_painter() -> Painter:
    """The network as a function of evened grids. Raises FinderMismatch."""
    return load_painter(SHIPPED)


def load_painter(folder: Path) -> Painter:
    """Read head_finder.json and head_finder.safetensors from a folder. Raises FinderMismatch."""
    record = json.loads((folder / "head_finder.json").read_text())
    content = (folder / "head_finder.safetensors").read_bytes()
    if sha256_hex(content) != record["weights_sha256"]:
        raise FinderMismatch("the head finder's weights do not have the hash their record states")
    return painter_of(safetensors.numpy.load(content))


def painter_of(tensors: Tensors) -> Painter:
    """The network out of the tensors of a weights file. Raises WrongTensors."""
    stage = stage_of("head_finder", tensors)
    return lambda grids: stage(grids)[0]
