"""From a scan to a network's input: find the head, crop to it, hide the rest, even out the brightness.

The labels of the ultrasound collection can be told from the border of its pictures alone, so nothing
outside the skull may reach a network, and neither may gain, gamma or the size of the head on the screen.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.engine.ellipse import Ellipse
from inference.engine.frames import choose_frames
from inference.engine.head import find_head
from inference.engine.quality import NotAnalysable, frame_contrast, head_quality
from inference.engine.records import Prepared, Recipe, canonical_json, sha256_hex
from inference.engine.scope import frame_chances, head_likelihood, pooled, refuse_adult, shipped_gate
from inference.engine.square import Pair, back_to_scan, composed, spacing_of, squared
from inference.formats.stack import MODALITIES, Modality, PictureStack

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
    stack: PictureStack, recipe: Recipe, *, frames: Sequence[int] | None = None, scope: bool = True
) -> Prepared:
    """The network's input and the way back to scan coordinates.

    Frames without a head are left out when others have one; NotAnalysable when none has.
    scope=False leaves out the question whether a head is what was found: for training and its checks.
    """
    choice = choose_frames(stack, frames)
    spacing = spacing_of(stack)
    states: dict[int, FrameState] = {}
    refused: NotAnalysable | None = None
    for index in choice.frames:
        try:
            states[index] = _prepare_frame(stack.pixels[index].astype(np.float32), recipe, spacing)
        except NotAnalysable as refusal:
            refused = refusal
    if states and scope:
        states, refused = _in_scope(stack, states)
    if not states and refused:
        raise refused
    return _record(stack, recipe, choice.rule, states)


def _in_scope(
    stack: PictureStack, states: Mapping[int, FrameState]
) -> tuple[dict[int, FrameState], NotAnalysable | None]:
    """The frames that show a head of this modality. Slices of one volume are judged together."""
    gate = shipped_gate()
    chances = {i: frame_chances(gate, state.scan, state.head) for i, state in states.items()}
    if stack.is_volume:
        chances = dict.fromkeys(chances, pooled(list(chances.values())))
    kept: dict[int, FrameState] = {}
    refused: NotAnalysable | None = None
    for index, state in states.items():
        try:
            refuse_adult(state.head, state.spacing if stack.pixel_spacing else None)
            likelihood = head_likelihood(gate, chances[index], stack.modality)
        except NotAnalysable as refusal:
            refused = refusal
        else:
            kept[index] = replace(state, quality={**state.quality, "head_likelihood": likelihood})
    return kept, refused


def tensor_sha256(tensor: NDArray[np.float32]) -> str:
    """Hash of a tensor's dtype, shape and bytes."""
    head = canonical_json([str(tensor.dtype), list(tensor.shape)])
    return sha256_hex(head + np.ascontiguousarray(tensor).tobytes())


def _record(stack: PictureStack, recipe: Recipe, rule: str, states: Mapping[int, FrameState]) -> Prepared:
    _, rows, columns = stack.pixels.shape
    found = list(states.values())
    tensor = np.stack([state.grid for state in found])[:, None].astype(np.float32)
    names = found[0].quality
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
        quality={name: float(np.mean([state.quality[name] for state in found])) for name in names},
    )


def _prepare_frame(frame: NDArray[np.float32], recipe: Recipe, spacing: Pair | None) -> FrameState:
    state = FrameState(
        scan=frame,
        spacing=spacing,
        size=recipe.size,
        quality={"contrast": frame_contrast(frame)},
        head=Ellipse(0, 0, 1, 1, 0),
        grid=np.zeros((recipe.size, recipe.size), np.float32),
        inside=np.zeros((recipe.size, recipe.size), np.bool_),
        square_to_scan=None,
        grid_to_scan=np.eye(2, 3),
    )
    for name, parameters in recipe.steps:
        state = STEPS[name](state, **parameters)
    return state


def _square(state: FrameState) -> FrameState:
    """Pixels as high as they are wide, before anything is measured; square ones stay as they are."""
    frame, side = squared(state.scan, state.spacing)
    if frame is state.scan or side is None:
        return state
    way = back_to_scan(state.scan.shape, frame.shape)
    return replace(state, scan=frame, spacing=(side, side), square_to_scan=way)


def _find(state: FrameState, *, modality: Any) -> FrameState:
    found = find_head(state.scan, modality)
    quality = head_quality(found, (state.scan.shape[0], state.scan.shape[1]))
    head = found.ellipse if found else state.head
    return replace(state, head=head, quality={**state.quality, **quality})


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
    "square": _square,
    "find": _find,
    "crop": _crop,
    "soften": _soften,
    "level": _level,
    "hide": _hide,
}

_TURNED: Mapping[Modality, int] = {"ultrasound": 1, "mri": 0}
"""A probe is held at any angle; MRI slices come with the front of the head up."""


SOFT: Mapping[int, float] = {64: 0.8, 128: 1.0}
"""Sigma in grid pixels, by the grid's size: the wide grid keeps finer structure, ventricle walls among it."""


def _head_recipe(modality: Modality, size: int, *, square: bool) -> Recipe:
    """The same head and brightness on a grid of `size` pixels.

    Those that do not square pixels are kept so that answers given with them can be given again.
    """
    first: tuple[tuple[str, Mapping[str, float | int | str]], ...] = (("square", {}),) if square else ()
    return Recipe(
        f"{modality}-{'square' if square else 'head'}-{size}",
        size,
        (
            *first,
            ("find", {"modality": modality}),
            ("crop", {"margin": 1.08, "turn": _TURNED[modality]}),
            ("soften", {"sigma": SOFT[size]}),
            ("level", {"low": 1.0, "high": 99.0, "middle": 0.35}),
            ("hide", {"centre": 0.4, "spread": 0.25}),
        ),
    )


RECIPES: dict[str, Recipe] = {
    recipe.id: recipe
    for recipe in (
        _head_recipe(modality, size, square=square)
        for modality in MODALITIES
        for size in (64, 128)
        for square in (False, True)
    )
}
