"""From a scan to a network's input: find the head, crop to it, hide the rest, even out the brightness.

The labels of the ultrasound collection can be told from the border of its pictures alone, so nothing
outside the skull may reach a network, and neither may gain, gamma or the size of the head on the screen.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from digests import canonical_json, sha256_hex
from inference.engine.head.by_skull import Head, find_head
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined, finder_name
from inference.engine.input_gate import admission
from inference.engine.input_gate.sononet_gate import gate_name
from inference.engine.preprocessing.frames import choose_frames
from inference.engine.preprocessing.square_pixels import (
    Pair,
    are_square,
    back_to_scan,
    composed,
    spacing_of,
    squared,
)
from inference.engine.quality import frame_contrast, head_quality, outline_quality, refuse_coarse_slices
from inference.engine.records import SLICES_ACROSS, Prepared, Recipe
from inference.engine.ventricles.painter import ventricle_painter_name
from inference.formats.stack import MODALITIES, Modality, PictureStack
from refusals import Refusal

SIZE = 64


@dataclass(frozen=True)
class FrameState:
    """One frame on its way through the steps. `grid` is the size x size picture once it has been cropped.

    scan: the frame, its pixels squared where the recipe says so; spacing: between its rows and columns.
    square_to_scan, grid_to_scan: affines (2 x 3) to the scan's own pixels.
    """

    scan: NDArray[np.float32]
    spacing: Pair | None
    size: int
    quality: Mapping[str, float]
    found: Head | None
    head: Ellipse
    grid: NDArray[np.float32]
    inside: NDArray[np.bool_]
    square_to_scan: NDArray[np.float64] | None
    grid_to_scan: NDArray[np.float64]

    @property
    def head_in_scan(self) -> Ellipse:
        """The head in the scan's own pixels."""
        return self.head if self.square_to_scan is None else self.head.through(self.square_to_scan)


def prepare(
    stack: PictureStack,
    recipe: Recipe,
    *,
    frames: Sequence[int] | None = None,
    scope: bool = True,
    age_days: int | None = None,
) -> Prepared:
    """The network's input and the way back to scan coordinates.

    Frames without a head are left out when others have one; Refusal when none has.
    scope=False leaves out the question whether a head is what was found: for training and its checks.
    age_days: gestational age, where the case states it.
    """
    choice = choose_frames(stack, frames)
    states: dict[int, FrameState] = {}
    refused: Refusal | None = None
    for index in choice.frames:
        try:
            states[index] = _prepare_frame(stack, index, recipe)
        except Refusal as refusal:
            refused = refusal
    across = _slices_across(stack, recipe, states)
    if states and scope:
        states, refused = _in_scope(stack, recipe, states, age_days)
    if not states and refused:
        raise refused
    return _record(stack, recipe, choice.rule, states, across)


def _slices_across(
    stack: PictureStack, recipe: Recipe, states: Mapping[int, FrameState]
) -> Mapping[str, float]:
    """How many slices of another plane the largest head spans, where the frames are axial views of such.

    Refuses those that lie too far apart for it.
    """
    limits = dict(recipe.steps).get("slices")
    spacing = stack.pixel_spacing
    if limits is None or spacing is None or not stack.is_volume or are_square(spacing):
        return {}
    downwards = spacing[0] > spacing[1]
    sides = [one.spacing[0] * one.head.reach(downwards=downwards) for one in states.values() if one.spacing]
    head_mm = 2 * max(sides, default=math.inf)
    refuse_coarse_slices(
        spacing,
        head_mm,
        coarsest_mm=float(limits["coarsest_mm"]),
        least_across=int(limits["least_across"]),
    )
    return {SLICES_ACROSS: head_mm / max(spacing)} if sides else {}


def _in_scope(
    stack: PictureStack, recipe: Recipe, states: Mapping[int, FrameState], age_days: int | None
) -> tuple[dict[int, FrameState], Refusal | None]:
    """The frames that show what the recipe's gate lets through, with what it saw."""
    frames = {i: admission.Frame(one.scan, one.head, one.found, one.spacing) for i, one in states.items()}
    name, parameters = next((step for step in recipe.steps if step[0] in GATES), NO_GATE)
    passed, refused = GATES.get(name, admission.by_scope)(stack, frames, age_days, parameters)
    kept = {i: replace(states[i], quality={**states[i].quality, **more}) for i, more in passed.items()}
    return kept, refused


def tensor_sha256(tensor: NDArray[np.float32]) -> str:
    """Hash of a tensor's dtype, shape and bytes."""
    head = canonical_json([str(tensor.dtype), list(tensor.shape)])
    return sha256_hex(head + np.ascontiguousarray(tensor).tobytes())


def _record(
    stack: PictureStack,
    recipe: Recipe,
    rule: str,
    states: Mapping[int, FrameState],
    whole: Mapping[str, float],
) -> Prepared:
    """whole: what was measured of all frames together."""
    _, rows, columns = stack.pixels.shape
    found = list(states.values())
    tensor = np.stack([state.grid for state in found])[:, None].astype(np.float32)
    values = {name: float(np.mean([one.quality[name] for one in found])) for name in found[0].quality}
    return Prepared(
        tensor=tensor,
        frames=tuple(states),
        frame_rule=rule,
        grid_to_scan=tuple(state.grid_to_scan for state in found),
        head=np.stack([state.head_in_scan.mask((rows, columns)) for state in found]),
        scan_shape=(rows, columns),
        modality=stack.modality,
        recipe=recipe,
        sha256=tensor_sha256(tensor),
        quality={**values, **whole},
        ellipses=tuple(state.head for state in found),
    )


def _prepare_frame(stack: PictureStack, index: int, recipe: Recipe) -> FrameState:
    frame = stack.pixels[index].astype(np.float32)
    state = FrameState(
        scan=frame,
        spacing=spacing_of(stack),
        size=recipe.size,
        quality={} if "contrast" in dict(recipe.steps) else {"contrast": frame_contrast(frame)},
        found=None,
        head=Ellipse(0, 0, 1, 1, 0),
        grid=np.zeros((recipe.size, recipe.size), np.float32),
        inside=np.zeros((recipe.size, recipe.size), np.bool_),
        square_to_scan=None,
        grid_to_scan=np.eye(2, 3),
    )
    for name, parameters in recipe.steps:
        state = STEPS[name](state, **parameters)
    return state


def _slices(state: FrameState, *, coarsest_mm: float, least_across: int) -> FrameState:  # noqa: ARG001
    """Nothing yet: how far slices may lie apart is asked once the heads of all frames are known."""
    return state


def _square(state: FrameState) -> FrameState:
    """Pixels as high as they are wide, before anything is measured; square ones stay as they are."""
    frame, side = squared(state.scan, state.spacing)
    if frame is state.scan or side is None:
        return state
    way = back_to_scan(state.scan.shape, frame.shape)
    return replace(state, scan=frame, spacing=(side, side), square_to_scan=way)


def _contrast(state: FrameState) -> FrameState:
    """Whether the frame shows anything, asked of its square pixels; of its own unless a recipe says so."""
    return replace(state, quality={**state.quality, "contrast": frame_contrast(state.scan)})


def _find(state: FrameState, *, modality: Any) -> FrameState:
    found = find_head(state.scan, modality)
    quality = head_quality(found, (state.scan.shape[0], state.scan.shape[1]))
    head = found.ellipse if found else state.head
    return replace(state, head=head, quality={**state.quality, **quality})


def _outline(state: FrameState, *, finder: str) -> FrameState:
    """The learned finder's head. finder: its name, so that another one is another preprocessing."""
    if finder != finder_name():
        raise ValueError(f"the head finder {finder} is not the one that comes with this release")
    found = find_outlined(state.scan)
    quality = outline_quality(found, (state.scan.shape[0], state.scan.shape[1]))
    head = found.ellipse if found else state.head
    return replace(state, found=found, head=head, quality={**state.quality, **quality})


def _gate(state: FrameState, *, gate: str) -> FrameState:  # noqa: ARG001 - named, and asked of all frames at once
    """Nothing yet: the gate is asked at the end (in_scope), for frames of a volume together."""
    return state


def _anatomy(state: FrameState, *, painter: str) -> FrameState:
    """Likewise. painter: the name of the network that paints; another one is another preprocessing."""
    if painter != ventricle_painter_name():
        raise ValueError(f"the painter {painter} is not the one that comes with this release")
    return state


def _crop(state: FrameState, *, margin: float, turn: int) -> FrameState:
    """Square around the head, `margin` times its long axis; `turn` stands the long axis upright."""
    angle = state.head.angle - math.pi / 2 if turn else 0.0
    affine = grid_to_scan(state.head, state.size, margin, angle)
    pixel = 2 * margin * state.head.long / state.size
    smooth = ndimage.gaussian_filter(state.scan, 0.5 * max(pixel - 1, 0.0))
    grid = resample(smooth, affine, state.size)
    inside = resample(state.head.mask((state.scan.shape[0], state.scan.shape[1])), affine, state.size) > 0.5
    to_scan = affine if state.square_to_scan is None else composed(state.square_to_scan, affine)
    return replace(state, grid=grid, inside=inside, grid_to_scan=to_scan)


def grid_to_scan(head: Ellipse, size: int, margin: float, angle: float) -> NDArray[np.float64]:
    """Affine (2 x 3) from grid pixel centres (x, y) to those (x, y) of the frame that `head` was found in."""
    pixel = 2 * margin * head.long / size
    cos, sin = pixel * math.cos(angle), pixel * math.sin(angle)
    middle = (size - 1) / 2
    turn = np.array([[cos, -sin], [sin, cos]])
    offset = np.array([head.x, head.y]) - turn @ np.array([middle, middle])
    return np.hstack([turn, offset[:, None]])


def resample(picture: NDArray[Any], affine: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """The picture on the grid, bilinear; zero where the grid leaves the scan."""
    y, x = np.mgrid[:size, :size].reshape(2, -1)
    scan_x, scan_y = affine @ np.stack([x, y, np.ones_like(x)])
    values = ndimage.map_coordinates(picture.astype(np.float32), [scan_y, scan_x], order=1, cval=0.0)
    return np.asarray(values, np.float32).reshape(size, size)


def _soften(state: FrameState, *, sigma: float) -> FrameState:
    """One resolution for every source: speckle and JPEG texture tell sources apart, ventricles do not."""
    return replace(state, grid=ndimage.gaussian_filter(state.grid, sigma))


def _level(state: FrameState, *, low: float, high: float, middle: float) -> FrameState:
    """Percentiles inside the head to 0 and 1, then the gamma that puts the median at `middle`."""
    inside = state.grid[state.inside]
    bottom, median, top = np.percentile(inside, [low, 50, high])
    span = max(float(top - bottom), 1e-6)
    share = min(max(float(median - bottom) / span, 0.02), 0.98)
    level = np.clip((state.grid - bottom) / span, 0, 1) ** (math.log(middle) / math.log(share))
    return replace(state, grid=level.astype(np.float32))


def _hide(state: FrameState, *, centre: float, spread: float) -> FrameState:
    """Centre and scale, and zero everything outside the head."""
    grid = np.where(state.inside, (state.grid - centre) / spread, 0.0)
    return replace(state, grid=grid.astype(np.float32))


STEPS: Mapping[str, Callable[..., FrameState]] = {
    "slices": _slices,
    "square": _square,
    "contrast": _contrast,
    "find": _find,
    "outline": _outline,
    "gate": _gate,
    "anatomy": _anatomy,
    "crop": _crop,
    "soften": _soften,
    "level": _level,
    "hide": _hide,
}

GATES: Mapping[str, Callable[..., admission.Passed]] = {
    "gate": admission.by_look,
    "anatomy": admission.by_anatomy,
}
"""By the step that names them; recipes from before name none."""
NO_GATE: tuple[str, Mapping[str, float | int | str]] = ("", {})

_TURNED: Mapping[Modality, int] = {"ultrasound": 1, "mri": 0}
"""A probe is held at any angle; MRI slices come with the front of the head up."""


SOFT: Mapping[int, float] = {64: 0.8, 128: 1.0}
"""Sigma in grid pixels, by the grid's size: the wide grid keeps finer structure, ventricle walls among it."""


COARSEST_MM, LEAST_ACROSS = 4.5, 16
"""Slices that were not acquired axially: how far they may lie apart, and how many a head must span.

What becomes of answers beyond is told in docs/out-of-scope.md.
"""
FIRST_GATE = "901099d6c5a6"
"""The gate of `ultrasound-outline-*`: it knew nothing of how sure the finder is."""

Steps = tuple[tuple[str, Mapping[str, float | int | str]], ...]


def _recipe(name: str, modality: Modality, size: int, first: Steps) -> Recipe:
    """What comes first, then the same head and brightness on a grid of `size` pixels."""
    return Recipe(
        f"{modality}-{name}-{size}",
        size,
        (
            *first,
            ("crop", {"margin": 1.08, "turn": _TURNED[modality]}),
            ("soften", {"sigma": SOFT[size]}),
            ("level", {"low": 1.0, "high": 99.0, "middle": 0.35}),
            ("hide", {"centre": 0.4, "spread": 0.25}),
        ),
    )


def _recipes() -> Iterator[Recipe]:
    """Those of before are kept, so that answers given with them can be given again.

    head: as once; square: pixels squared first; outline: the learned finder and a gate; outline-2: another
    gate; anatomy: a second key to the gate of MRI; stack: slices of any plane, asked whether they show enough
    once they are squared.
    """
    for size in (64, 128):
        for modality in MODALITIES:
            search: Steps = (("find", {"modality": modality}),)
            yield _recipe("head", modality, size, search)
            yield _recipe("square", modality, size, (("square", {}), *search))
        for name, gate in (("outline", FIRST_GATE), ("outline-2", gate_name())):
            learned: Steps = (
                ("square", {}),
                ("outline", {"finder": finder_name()}),
                ("gate", {"gate": gate}),
            )
            yield _recipe(name, "ultrasound", size, learned)
        keyed: Steps = (
            ("square", {}),
            ("find", {"modality": "mri"}),
            ("anatomy", {"painter": ventricle_painter_name()}),
        )
        yield _recipe("anatomy", "mri", size, keyed)
        square, *rest = keyed
        limits = {"coarsest_mm": COARSEST_MM, "least_across": LEAST_ACROSS}
        thick: Steps = (("slices", limits), square, ("contrast", {}), *rest)
        yield _recipe("stack", "mri", size, thick)


RECIPES: dict[str, Recipe] = {recipe.id: recipe for recipe in _recipes()}
