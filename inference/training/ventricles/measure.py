"""Widths on volumes that a network had not seen, against their label maps, in looks and thicknesses."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from inference.engine.atrium.records import LIMIT_MM
from inference.engine.ventricles.painter import Look, Painter
from inference.engine.ventricles.scan import measure_volume, thickness_of
from inference.formats.stack import PictureStack
from inference.training.evaluation.figures import auc, bootstrap
from inference.training.synthesis.atlas import MILLIMETRES
from inference.training.ventricles.looks import TISSUES, chance_levels
from inference.training.ventricles.volumes import Made, as_stack, thickened
from refusals import Refusal

THICK_MM = 3.2
VIEWS: tuple[tuple[str, int | None, bool], ...] = (
    ("as acquired, 0.8 mm", None, False),
    ("repainted, 0.8 mm", None, True),
    ("axial slices of 3.2 mm", 0, False),
    ("coronal slices of 3.2 mm", 1, False),
)
"""Name, the axis along which slices are thick, whether contrasts are chance."""


@dataclass(frozen=True)
class Measured:
    """One atrium: mm by the network (nan: none found) and by the labels."""

    group: str
    kind: str
    view: str
    thickness: float
    found: float
    true: float


def measured(look: Look, volumes: Sequence[Made], seed: int) -> Iterator[Measured]:
    """Both atria of every volume in every view."""
    painter = Painter(look, 0.5, 0.0, 0.0, {})
    for made in volumes:
        for number, (view, axis, repainted) in enumerate(VIEWS):
            rng = np.random.default_rng([seed, number, *made.group.encode(), *made.kind.encode()])
            stack = stack_of(made, axis, rng if repainted else None)
            yield from _compared(painter, made, view, stack)


def _compared(painter: Painter, made: Made, view: str, stack: PictureStack) -> Iterator[Measured]:
    try:
        said = measure_volume(painter, stack, gate=False)
    except Refusal:
        widths: dict[str, float] = {}
    else:
        mm = said.scale.mm_per_pixel if said.scale else math.nan
        widths = {one.side: one.width * mm for one in said.atria.widths}
    for side, true in zip(("right", "left"), made.widths, strict=False):
        found = widths.get(side, math.nan)
        yield Measured(made.group, made.kind, view, thickness_of(stack), found, true)


def stack_of(made: Made, thick_axis: int | None, repaint: np.random.Generator | None) -> PictureStack:
    """A made volume as the engine reads one; equal arguments give equal pixels."""
    picture = made.picture
    if repaint is not None:
        levels = chance_levels(repaint)
        painted = levels[np.clip(made.labels, 0, TISSUES - 1)]
        picture = ndimage.gaussian_filter(painted, 0.6) * (made.labels > 0)
        picture = picture + repaint.normal(0, 0.02, picture.shape) * (made.labels > 0)
    spacing = [MILLIMETRES] * 3
    if thick_axis is not None:
        picture, spacing[thick_axis] = thickened(picture, thick_axis, round(THICK_MM / MILLIMETRES))
    pixels = np.clip(picture / max(float(picture.max()), 1e-6) * 65535, 0, 65535).astype(np.uint16)
    return as_stack(pixels, spacing)


def summed(found: Sequence[Measured]) -> dict[str, Any]:
    """Mean error with its interval over volumes, bias, share not measured, of each view and kind."""
    parts: dict[str, list[Measured]] = {"all": list(found)}
    for one in found:
        parts.setdefault(one.view, []).append(one)
        parts.setdefault(one.kind, []).append(one)
    return {name: _row(part) for name, part in parts.items()}


def _row(part: Sequence[Measured]) -> dict[str, Any]:
    seen = [one for one in part if not math.isnan(one.found)]
    off = np.array([one.found - one.true for one in seen])
    if not len(off):
        return {"count": 0, "not measured": len(part)}
    groups = np.array([one.group for one in seen], np.str_)
    error = bootstrap(lambda _, each: float(each.mean()), np.zeros(len(off), np.int64), np.abs(off), groups)
    return {
        "count": len(seen),
        "not measured": len(part) - len(seen),
        "mean error mm": round(error.value, 3),
        "low": round(error.low, 3),
        "high": round(error.high, 3),
        "bias mm": round(float(off.mean()), 3),
        "largest mm": round(float(np.abs(off).max()), 2),
        "on the wrong side of 10 mm": sum((one.found >= 10) != (one.true >= 10) for one in seen),
    }


def called(found: Sequence[Measured]) -> dict[str, Any]:
    """What a call at LIMIT_MM by the wider atrium makes of every view that was measured, by its labels.

    AUC, sensitivity and specificity with intervals over volumes: views of one volume are not independent.
    """
    views: dict[tuple[str, str, str], list[Measured]] = {}
    for one in found:
        if not math.isnan(one.found):
            views.setdefault((one.group, one.kind, one.view), []).append(one)
    wide = np.array([max(one.true for one in each) >= LIMIT_MM for each in views.values()], np.int64)
    widths = np.array([max(one.found for one in each) for each in views.values()])
    groups = np.array([group for group, _, _ in views], np.str_)
    if len(np.unique(wide)) < 2:
        return {}
    said = widths >= LIMIT_MM
    figures = {"auc": bootstrap(auc, wide, widths, groups)}
    for name, label in (("sensitivity", 1), ("specificity", 0)):
        rows = wide == label
        right = (said == bool(label))[rows].astype(np.float64)
        figures[name] = bootstrap(lambda _, each: float(each.mean()), wide[rows], right, groups[rows])
    return {name: figure.as_json() for name, figure in figures.items()}


def errors(found: Sequence[Measured]) -> tuple[float, float]:
    """Standard deviation in thin slices, and what each mm of thickness adds: rough, from the same volumes."""
    thin = [one.found - one.true for one in found if one.thickness < 1.5 and not math.isnan(one.found)]
    thick = [
        (one.found - one.true, one.thickness)
        for one in found
        if one.thickness >= 1.5 and not math.isnan(one.found)
    ]
    base = math.sqrt(float(np.mean(np.square(thin)))) if thin else 1.0
    more = float(np.mean(np.square([off for off, _ in thick]))) - base**2 if thick else 0.0
    return base, math.sqrt(max(more, 0.0)) / (float(np.mean([mm for _, mm in thick])) if thick else 1.0)
