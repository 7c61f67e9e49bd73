"""The superpixels of a stored explanation: where each lies, and what it counted.

Nothing is computed again: the pieces are those that were hidden and shown when the explanation was made, kept
beside its map. Both are read by their hash.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference.engine.explain.outlines import outline
from inference.models import Explanation
from inference.results import images


class NotTogether(ValueError):
    """The map and the pieces of an explanation contradict each other: neither is shown."""


@dataclass(frozen=True)
class Piece:
    """rank: from 1, by how much it counted for or against. middle: row and column of one of its pixels."""

    number: int
    rank: int
    weight: float
    pixels: int
    middle: tuple[int, int]
    outline: str


def of_frame(explanation: Explanation, row: int) -> tuple[Piece, ...]:
    """The pieces of one of its frames, the one that counted most first; IndexError past the end.

    Empty for a method without pieces. Raises BlobCorrupt and NotTogether.
    """
    if explanation.segments_id is None:
        return ()
    return _pieces(explanation.segments_id, explanation.heatmap_id, row)


@lru_cache(maxsize=64)
def _pieces(segments_sha256: str, heatmap_sha256: str, row: int) -> tuple[Piece, ...]:
    """Cached by content: the bytes behind a hash never change."""
    if row < 0:
        raise IndexError(row)
    segments, heat = images.load_npy(segments_sha256)[row], images.load_npy(heatmap_sha256)[row]
    found = [
        (int(number), _weight(heat[segments == number])) for number in np.unique(segments[segments >= 0])
    ]
    found.sort(key=lambda one: (-abs(one[1]), one[0]))
    return tuple(
        _piece(segments == number, number, rank, weight) for rank, (number, weight) in enumerate(found, 1)
    )


def _weight(heat: NDArray[np.generic]) -> float:
    """The one value that the whole piece has."""
    first = heat[0]
    if not (heat == first).all():
        raise NotTogether("A piece has more than one weight.")
    return float(first)


def _piece(inside: NDArray[np.bool_], number: int, rank: int, weight: float) -> Piece:
    places = np.argwhere(inside)
    nearest = np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()
    row, column = places[nearest].tolist()
    return Piece(number, rank, weight, len(places), (row, column), outline(inside))
