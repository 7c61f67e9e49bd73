"""What could be better about a scan: values of deterministic checks, and where in the picture they stand.

Every value grows with the fault. From which value on something is advised is not said here: the department's
rules hold the thresholds (cases/advice/rules.yaml). What each check is worth on faults of known strength is
measured by bench/guidance.py and told in docs/guidance.md.

A shadow in ultrasound is not among them: on phantoms, where beams drop out by nature, no measure tried here
told a shadow from the rest (docs/guidance.md).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.head.by_skull import Head, find_head
from inference.engine.preprocessing.square_pixels import spacing_of, squared
from inference.engine.quality.cut import beyond, share_outside
from inference.engine.quality.upright import CORE, Picture, Upright, upright
from inference.formats.stack import Modality, PictureStack

VERSION = "1.3"
SMALLEST_CORE = 200
"""Pixels of brain below which nothing is measured."""
TOP = 0.95
"""Share of the display's range from which ultrasound counts as saturated."""
TOUCHING, UNSEEN = 0.05, 0.2
"""What a head at a lit edge, and one without any skull to see, add to the share cut off."""
OCTAVES = (0.7, 1.4, 2.8)
"""Sigma in pixels of an upright head: between them lie the fine structure and the coarse."""
NEARBY = 6
"""Sigma in pixels of what lies around a slope."""
MASK_EDGE = 3
"""Pixels from the core's edge within which nothing is measured."""
SECOND_DIFFERENCE = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])

Where = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Check:
    """One check of one scan: the worst frame's value.

    where: corners (row, column) of the place in that frame, two opposite ones; empty for the whole head.
    """

    name: str
    value: float
    frame: int
    where: Where = ()


@dataclass(frozen=True)
class Seen:
    """A frame with its head, as each check gets it."""

    modality: Modality
    frame: Picture
    head: Head
    brain: Upright
    top: float


Found = tuple[float, Where]


def check(stack: PictureStack, frames: Sequence[int]) -> tuple[Check, ...]:
    """Every check that can be made of these frames; none where no head is found.

    frames: indices in the stack, those an answer rests on. Volumes are also looked through slice by slice.
    """
    top = _top(stack)
    found = [(index, seen) for index in frames if (seen := _seen(stack, index, top))]
    checks = [_worst(name, measure, found) for name, measure in CHECKS[stack.modality].items() if found]
    return (*(_in_scan(one, stack, found) for one in checks), *_between_slices(stack))


def _in_scan(check: Check, stack: PictureStack, frames: Sequence[tuple[int, Seen]]) -> Check:
    """The place in the scan's own pixels; checks look at square ones."""
    _, rows, columns = stack.pixels.shape
    seen = next(seen for index, seen in frames if index == check.frame)
    if seen.frame.shape == (rows, columns):
        return check
    down, across = rows / seen.frame.shape[0], columns / seen.frame.shape[1]
    places = tuple(((row + 0.5) * down - 0.5, (column + 0.5) * across - 0.5) for row, column in check.where)
    return replace(check, where=places)


def _seen(stack: PictureStack, index: int, top: float) -> Seen | None:
    frame, _ = squared(stack.pixels[index].astype(np.float32), spacing_of(stack))
    if frame.max() == frame.min():
        return None
    head = find_head(frame, stack.modality)
    if head is None:
        return None
    brain = upright(frame, head.ellipse)
    return Seen(stack.modality, frame, head, brain, top) if brain.core.sum() >= SMALLEST_CORE else None


def _top(stack: PictureStack) -> float:
    """The brightest a pixel can be: of the display in ultrasound, of what was reached in MRI."""
    if stack.pixels.dtype == np.uint8:
        return 255.0
    return float(stack.pixels.max())


def _worst(name: str, measure: Callable[[Seen], Found], frames: Sequence[tuple[int, Seen]]) -> Check:
    values = [(measure(seen), index) for index, seen in frames]
    (value, where), frame = max(values, key=lambda pair: pair[0][0])
    return Check(name, float(value), frame, where)


def blur(seen: Seen) -> Found:
    """How much weaker the brain's fine structure is than structure twice as coarse, 0 to 1.

    Sharp is about a half. Why not Crete-Roffet's measure: docs/guidance.md.
    """
    inner = _inner(seen.brain)
    first, second, third = (ndimage.gaussian_filter(seen.brain.grey, sigma)[inner] for sigma in OCTAVES)
    fine, coarse = float(np.std(first - second)), float(np.std(second - third))
    return coarse / max(fine + coarse, 1e-9), ()


def smear(seen: Seen) -> Found:
    """How much weaker structure is along one direction than across, 0 to 1: the head moved in the beam.

    Slopes count in units of those around them, so that one bright midline does not decide.
    """
    down, right = np.gradient(ndimage.gaussian_filter(seen.brain.grey, 0.4))
    around = np.sqrt(ndimage.gaussian_filter(down**2 + right**2, NEARBY)) + 1e-6
    inner = _inner(seen.brain)
    down, right = (down / around)[inner], (right / around)[inner]
    tensor = np.array([[np.mean(down**2), np.mean(down * right)], [np.mean(down * right), np.mean(right**2)]])
    weak, strong = np.linalg.eigvalsh(tensor)
    return float(1 - weak / max(strong, 1e-9)), ()


def noise(seen: Seen) -> Found:
    """Spread of the noise (Immerkaer 1996) as a share of the brain's own range of grey.

    Of the pixels as they were acquired: what makes a head upright averages noise away.
    """
    inner = seen.head.ellipse.grown(CORE).mask(_shape(seen.frame))
    grain = np.abs(ndimage.convolve(seen.frame, SECOND_DIFFERENCE)[inner]).mean()
    low, high = np.percentile(seen.frame[inner], [5, 95])
    return float(grain * math.sqrt(math.pi / 2) / 6 / max(high - low, 1e-6)), ()


def saturation(seen: Seen) -> Found:
    """Share of the head that is as bright as a pixel can be."""
    inside = seen.frame[seen.head.ellipse.mask(_shape(seen.frame))]
    return float((inside >= TOP * seen.top).mean()), ()


def signal_void(seen: Seen) -> Found:
    """How dark the darkest broad patch of the brain is, 0 to 1; MRI only."""
    brain = seen.brain
    broad = np.where(brain.core, ndimage.gaussian_filter(_only_brain(brain), 6), np.inf)
    usual = float(np.percentile(broad[brain.core], 60))
    dark = float(np.percentile(broad[brain.core], 5))
    row, column = (int(place) for place in np.unravel_index(np.argmin(broad), broad.shape))
    corners = brain.place(row - 12, column - 12), brain.place(row + 12, column + 12)
    return 1 - dark / max(usual, 1e-6), corners


def cut_off(seen: Seen) -> Found:
    """Share of the head beyond the picture, and a little for an edge it touches and for skull not seen."""
    ellipse = seen.head.ellipse
    near, share = beyond(seen.frame, ellipse, seen.modality)
    outside = max(share, share_outside(ellipse, _shape(seen.frame)))
    return outside + TOUCHING * near + UNSEEN * (1 - seen.head.coverage), ()


CHECKS: Mapping[Modality, Mapping[str, Callable[[Seen], Found]]] = {
    "ultrasound": {
        "blur": blur,
        "smear": smear,
        "noise": noise,
        "saturation": saturation,
        "cut_off": cut_off,
    },
    "mri": {
        "blur": blur,
        "noise": noise,
        "saturation": saturation,
        "signal_void": signal_void,
        "cut_off": cut_off,
    },
}


def _between_slices(stack: PictureStack) -> Iterator[Check]:
    """Median jump of the brain from slice to slice, in hundredths of the side; volumes only."""
    if not stack.is_volume or len(stack.pixels) < 5:
        return
    low, high = int(0.2 * len(stack.pixels)), int(0.85 * len(stack.pixels))
    centres = np.array([_centre(picture) for picture in stack.pixels[low:high]])
    jumps = np.abs(centres[2:] - 2 * centres[1:-1] + centres[:-2]).max(axis=1) / 2
    known = np.isfinite(jumps)
    if known.any():
        worst = low + 1 + int(np.argmax(np.where(known, jumps, -1)))
        yield Check("slice_jumps", float(np.median(jumps[known])), worst)


def _centre(picture: NDArray[np.generic]) -> NDArray[np.float64]:
    """(row, column) of the bright part, in hundredths of the picture's longer side."""
    bright = picture.astype(np.float64)
    mask = ndimage.binary_opening(bright > 0.25 * np.percentile(bright, 99), iterations=2)
    if not mask.any():
        return np.full(2, np.nan)
    return np.asarray(np.array(ndimage.center_of_mass(bright * mask)) * 100 / max(picture.shape))


def _inner(brain: Upright) -> NDArray[np.bool_]:
    """The core without its edge; the core itself where it is nothing but edge."""
    inner: NDArray[np.bool_] = ndimage.binary_erosion(brain.core, iterations=MASK_EDGE)
    return inner if inner.any() else brain.core


def _only_brain(brain: Upright) -> NDArray[np.float64]:
    """The head with everything outside the core in its middle grey."""
    return np.asarray(np.where(brain.core, brain.grey, np.median(brain.brain)))


def _shape(frame: Picture) -> tuple[int, int]:
    return frame.shape[0], frame.shape[1]
