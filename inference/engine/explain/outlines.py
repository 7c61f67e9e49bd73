"""The border of a piece of a picture, as the path of an SVG, along the edges of its pixels."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]
"""Column and row; the corner (0, 0) is above and left of the first pixel."""


def outline(inside: NDArray[np.bool_]) -> str:
    """Closed loops around everything that is True, holes too: to be filled by the even-odd rule."""
    onward = _edges(inside)
    loops = []
    while onward:
        start = here = next(iter(onward))
        corners: list[Corner] = []
        while True:
            corners.append(here)
            following = onward[here].pop()
            if not onward[here]:
                del onward[here]
            here = following
            if here == start:
                break
        loops.append(_loop(corners))
    return "".join(loops)


def _edges(inside: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Where the border goes on from each of its corners, with the inside to the right."""
    framed = np.pad(inside, 1)
    middle = framed[1:-1, 1:-1]
    onward: dict[Corner, list[Corner]] = defaultdict(list)
    sides = (
        (framed[:-2, 1:-1], (0, 0), (1, 0)),
        (framed[1:-1, 2:], (1, 0), (1, 1)),
        (framed[2:, 1:-1], (1, 1), (0, 1)),
        (framed[1:-1, :-2], (0, 1), (0, 0)),
    )
    for beyond, start, end in sides:
        for row, column in np.argwhere(middle & ~beyond).tolist():
            onward[column + start[0], row + start[1]].append((column + end[0], row + end[1]))
    return onward


def _loop(corners: list[Corner]) -> str:
    """Only the corners at which the border turns."""
    turns = [
        here
        for before, here, after in zip(
            corners[-1:] + corners[:-1], corners, corners[1:] + corners[:1], strict=True
        )
        if (before[0] == here[0]) != (here[0] == after[0])
    ]
    first, *others = turns
    steps, at = [f"M{first[0]} {first[1]}"], first
    for turn in others:
        steps.append(f"h{turn[0] - at[0]}" if turn[1] == at[1] else f"v{turn[1] - at[1]}")
        at = turn
    return "".join(steps) + "z"
