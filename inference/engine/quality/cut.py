"""How much of a head lies beyond the picture.

The finder wants the skull all around, so into what is left of a cut head it draws a smaller ellipse. Here
larger ones compete that reach across the picture's edges: only the part of their ring that could be seen is
asked for skull. Where the edge beside the head is dark (a sector's corner, a margin) nothing is cut.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from inference.engine.head.by_skull import CIRCLE, FINE, Picture, direction_field, from_parameters, resized
from inference.engine.head.ellipse import Ellipse
from inference.formats.stack import Modality

LEAST_SEEN = 0.45
"""Share of its ring that must lie in the picture: less says nothing about an ellipse."""
GROWTHS = (1.25, 1.5)
"""How much larger than the found head the search begins, beyond each edge."""
EVALUATIONS = 120
MARGIN = 2
"""Pixels at the edge that count as outside: smoothing makes up what it finds there."""
LIT = 0.35
"""Share of the head's median grey from which the edge of a picture shows tissue."""
REACH, BEYOND = 0.15, 0.2
"""How near to the edge a head must be to be cut by it: an exponential's length; how far across it counts.
In the head's own radii."""

Field = NDArray[np.complex128]


def beyond(frame: Picture, head: Ellipse, modality: Modality) -> tuple[float, float]:
    """How near the head is to an edge that shows tissue, and the share of the likeliest head beyond it.

    frame: (rows, columns). Nearness is 1 where the found head touches a lit edge, more where it crosses it.
    """
    factor = max(frame.shape) / FINE
    fine, small = resized(frame, factor), head.scaled(1 / factor)
    nearness = _at_a_lit_edge(fine, small)
    if nearness < 0.01:
        return 0.0, 0.0
    down, right = direction_field(fine, modality)
    field = down + 1j * right
    found = max((_refined(field, start) for start in _starts(small)), key=lambda one: _likeness(field, one))
    return nearness, min(nearness, 1.0) * share_outside(found, (fine.shape[0], fine.shape[1]))


def share_outside(ellipse: Ellipse, shape: tuple[int, int]) -> float:
    """Share of an ellipse's area that lies outside a picture (rows, columns)."""
    return max(0.0, 1 - float(ellipse.mask(shape).sum()) / (math.pi * ellipse.long * ellipse.short))


def _at_a_lit_edge(fine: NDArray[np.float64], head: Ellipse) -> float:
    """1 where the head touches an edge that shows tissue all along it, more across it, 0 far from any."""
    inside = fine[head.mask(fine.shape)]
    if not inside.size:
        return 0.0
    tissue = LIT * float(np.median(inside))
    rows, columns = fine.shape
    wide = math.hypot(head.long * math.cos(head.angle), head.short * math.sin(head.angle))
    high = math.hypot(head.long * math.sin(head.angle), head.short * math.cos(head.angle))
    upright, level = slice(*_span(head.y, high)), slice(*_span(head.x, wide))
    edges = (
        (head.x - wide, fine[upright, :3]),
        (columns - 1 - head.x - wide, fine[upright, -3:]),
        (head.y - high, fine[:3, level]),
        (rows - 1 - head.y - high, fine[-3:, level]),
    )
    radius = math.sqrt(head.long * head.short)
    return max(
        float((strip > tissue).mean()) * math.exp(-max(gap, -BEYOND * radius) / (REACH * radius))
        if strip.size
        else 0.0
        for gap, strip in edges
    )


def _span(middle: float, half: float) -> tuple[int, int]:
    return max(0, int(middle - half)), max(0, int(middle + half) + 1)


def _starts(head: Ellipse) -> Iterator[Ellipse]:
    """The found head, and larger ones whose far side stays where it is."""
    yield head
    for growth in GROWTHS:
        long, short, step = head.long * growth, head.short * growth, (growth - 1) * head.long
        for across, down in ((step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)):
            yield Ellipse(head.x + across, head.y + down, long, short, head.angle)


def _refined(field: Field, start: Ellipse) -> Ellipse:
    first = np.array([start.x, start.y, start.long, start.aspect * 20, start.angle * 10])
    simplex = first + np.vstack([np.zeros(5), np.diag([4.0, 4.0, 6.0, -2.0, 2.0])])
    best = optimize.minimize(
        lambda p: -_likeness(field, from_parameters(p)),
        first,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "maxfev": EVALUATIONS},
    )
    return from_parameters(best.x)


def _likeness(field: Field, ellipse: Ellipse) -> float:
    """How much skull the visible part of a ring shows; larger rings are harder to fill by chance."""
    turn = complex(math.cos(ellipse.angle), math.sin(ellipse.angle))
    ring = turn * (ellipse.long * CIRCLE.real + 1j * ellipse.short * CIRCLE.imag)
    normal = turn * (CIRCLE.real / ellipse.long + 1j * CIRCLE.imag / ellipse.short)
    x, y = np.rint(ring.real + ellipse.x), np.rint(ring.imag + ellipse.y)
    rows, columns = field.shape
    seen = (x >= MARGIN) & (x < columns - MARGIN) & (y >= MARGIN) & (y < rows - MARGIN)
    if seen.mean() < LEAST_SEEN:
        return 0.0
    across = normal[seen]
    skull = field[y[seen].astype(np.intp), x[seen].astype(np.intp)]
    along = (np.conj(skull) * across**2).real / np.abs(across) ** 2
    size = math.sqrt(ellipse.long * ellipse.short) / max(rows, columns)
    return float(along.mean() * (0.5 + 0.5 * (along > 0.2).mean()) * size**0.75)
