"""The atria of an MRI scan in mm: both sides, in the axial slice through the thalami where they are widest.

The result has the shape of ultrasound's (`inference.engine.atrium.scan`), so that whoever stores or shows a
measurement need not know where it comes from.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.engine.atrium.records import Atria, AtrialWidth
from inference.engine.atrium.scale import stated_scale
from inference.engine.atrium.scan import ScanAtria
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.preprocessing.prepared_cache import prepared_once
from inference.engine.preprocessing.square_pixels import back_to_scan, composed, spacing_of, squared
from inference.engine.records import Prepared
from inference.engine.ventricles.calipers import Caliper, Plane, atrial_plane
from inference.engine.ventricles.grids import PIXEL_MM
from inference.engine.ventricles.painter import Painter, levels_of, painted
from inference.formats.stack import PictureStack
from refusals import Refusal

RECIPE = RECIPES["mri-stack-128"]
"""Whose head and whose gate come first."""


def measure_volume(
    painter: Painter, stack: PictureStack, *, frames: Sequence[int] | None = None, gate: bool = True
) -> ScanAtria:
    """The atria of an axial MRI scan. frames: only in these; gate: ask whether it is a head.

    Raises Refusal (wrong_modality, no_scale, not_axial, no_such_frame, no_head, not_a_head).
    """
    refuse_unread(stack)
    prepared = (
        prepared_once(stack, RECIPE, frames=frames)
        if gate
        else prepare(stack, RECIPE, frames=frames, scope=False)
    )
    return measure_prepared(painter, stack, prepared, chosen=frames is not None)


def refuse_unread(stack: PictureStack) -> None:
    """Refuses scans that are not measured here, whatever they show. Codes: wrong_modality, no_scale,
    not_axial."""
    if stack.modality != "mri":
        raise Refusal("wrong_modality", "Ventricles are painted on MRI; the scan is ultrasound.")
    if stack.pixel_spacing is None:
        raise Refusal("no_scale", "The file does not state how large a pixel is, so no width in mm is given.")
    if stack.plane not in ("axial", ""):
        raise Refusal("not_axial", f"Widths are measured in axial slices; these are {stack.plane}.")


def measure_prepared(painter: Painter, stack: PictureStack, prepared: Prepared, *, chosen: bool) -> ScanAtria:
    """The same where the gate has let the head through: in the slices that a person chose, or in those
    through the thalami."""
    of_volume = stack.is_volume and not chosen
    return measure_slices(painter, stack, prepared, levels_of(stack) if of_volume else prepared.frames)


def measure_slices(
    painter: Painter, stack: PictureStack, prepared: Prepared, levels: Sequence[int]
) -> ScanAtria:
    """The same in these slices."""
    frame, fine = squared(stack.pixels[levels[0]].astype(np.float32), spacing_of(stack))
    back = back_to_scan(stack.pixels.shape[1:], frame.shape)
    x, y = (float(np.median([getattr(one, name) for one in prepared.ellipses])) for name in "xy")
    at = back[:, :2] @ np.array([x, y]) + back[:, 2]
    slices, ways = painted(painter.look, stack, levels, (float(at[0]), float(at[1])))
    scale = stated_scale(fine or PIXEL_MM)
    plane = atrial_plane(slices)
    if plane is None:
        middle = prepared.ellipses[len(prepared.ellipses) // 2]
        return ScanAtria(levels[len(levels) // 2], Atria((), 0.0), middle, scale, frame)
    index, way = levels[plane.index], ways[plane.index]
    error = painter.error(thickness_of(stack)) / scale.mm_per_pixel
    seen = [one for one in plane.calipers if one.chance >= painter.least_chance]
    widths = tuple(_width(one, plane, way, scale.mm_per_pixel, error) for one in seen)
    chance = max(one.chance for one in plane.calipers)
    shown, _ = squared(stack.pixels[index].astype(np.float32), spacing_of(stack))
    head = plane.brain.through(composed(_inverse(back), way))
    return ScanAtria(index, Atria(widths, chance), head, scale, shown)


def _inverse(way: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.linalg.inv(way[:, :2])
    return np.hstack([turn, -(turn @ way[:, 2])[:, None]])


def _width(one: Caliper, plane: Plane, way: NDArray[np.float64], mm: float, error: float) -> AtrialWidth:
    inner, outer = (way[:, :2] @ np.array(end) + way[:, 2] for end in (one.inner, one.outer))
    return AtrialWidth(
        inner=(float(inner[0]), float(inner[1])),
        outer=(float(outer[0]), float(outer[1])),
        side=one.side,
        width=one.width_mm / mm,
        error=error,
        chance=one.chance,
        over_bpd=one.width_mm / (2 * plane.brain.short * PIXEL_MM),
    )


def thickness_of(stack: PictureStack) -> float:
    """The coarsest spacing of a scan, mm: between slices, or within the axial view of a coronal stack."""
    return max(*(stack.pixel_spacing or (1.0, 1.0)), stack.slice_spacing or 0.0)
