"""What preparation makes of every picture, once for all rows that ask: an input, or a refusal's code."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.answering.pictures import Shown, shown
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.formats.stack import PictureStack
from inference.training.atrium.material import ASPECT
from refusals import Refusal

EARLY_MM = 150.0
"""Head circumference at about 18 weeks."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture after preparation. code: "" where it may be read; tensor: the networks' input then."""

    picture: Shown
    code: str
    tensor: NDArray[np.float32] | None

    @property
    def early(self) -> bool:
        """Whether its head is known to be from before about 18 weeks."""
        return float(self.picture.entry.get("head_circumference_mm") or EARLY_MM) < EARLY_MM


_looked: dict[tuple[Path, str, bool], Seen] = {}


def seen(picture: Shown, recipe: str, *, scaled: bool = False) -> Seen:
    """A picture in a preparation, asked of its gate. scaled: as a hospital's file would state its pixels."""
    key = picture.path, recipe, scaled
    if key not in _looked:
        stack = stated(picture) if scaled else picture.stack()
        _looked[key] = _seen(picture, stack, recipe)
    return _looked[key]


def all_seen(data: Path, every: int, recipe: str) -> Iterator[Seen]:
    """Every picture of ultrasound."""
    return (seen(one, recipe) for one in shown(data, every))


def stated(picture: Shown) -> PictureStack:
    """HC18 with its true scale; frames of FETAL_PLANES, stretched to a square, with their aspect."""
    stack = picture.stack()
    if "pixel_mm" in picture.entry:
        mm = float(picture.entry["pixel_mm"])
        return replace(stack, pixel_spacing=(mm, mm))
    return replace(stack, pixel_aspect=1 / ASPECT) if picture.source == "fetal_planes" else stack


def _seen(picture: Shown, stack: PictureStack, recipe: str) -> Seen:
    try:
        return Seen(picture, "", prepare(stack, RECIPES[recipe]).tensor)
    except Refusal as refused:
        return Seen(picture, refused.code, None)
