"""The atria of a scan: in its surest frame, in the scan's own pixels, in mm where a pixel's size is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inference.engine.atrium.measure import Measurer, measure
from inference.engine.atrium.records import Atria, AtrialWidth, Point
from inference.engine.atrium.scale import Scale, scale_from_age, stated_scale
from inference.engine.head.ellipse import Ellipse
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.preprocessing.prepared_cache import prepared_once
from inference.engine.preprocessing.square_pixels import Floats, back_to_scan, spacing_of, squared
from inference.engine.records import Prepared
from inference.formats.spacing import CALIBRATED
from inference.formats.stack import PictureStack
from refusals import Refusal

RECIPE = RECIPES["ultrasound-outline-2-128"]
"""Finds the head and asks the gate. Networks of the same recipe that read the scan too have asked already."""


@dataclass(frozen=True)
class ScanAtria:
    """What was measured in one frame of a scan.

    atria: calipers in the scan's own pixels, lengths in square ones. head: in the frame's square pixels,
    which `pixels` are. scale: None where neither the file nor an age tells it; then there is no probability
    and nothing alarms.
    """

    frame: int
    atria: Atria
    head: Ellipse
    scale: Scale | None
    pixels: Floats

    @property
    def probability(self) -> float | None:
        """That the wider atrium measures 10 mm or more; None where that cannot be told."""
        return self.atria.probability(self.scale)


def measure_scan(
    measurer: Measurer,
    stack: PictureStack,
    *,
    gestational_age_days: int | None = None,
    frames: Sequence[int] | None = None,
) -> ScanAtria:
    """The atria of an ultrasound scan, where the input gate lets its head through.

    Raises Refusal (wrong_modality, no_such_frame, no_head, not_a_head, off_plane, too_early).
    """
    refuse_unread(stack)
    prepared = prepared_once(stack, RECIPE, frames=frames, age_days=gestational_age_days)
    return measure_prepared(measurer, stack, prepared, gestational_age_days)


def refuse_unread(stack: PictureStack) -> None:
    """Refuses scans that are not measured here, whatever they show. Code: wrong_modality."""
    if stack.modality != "ultrasound":
        raise Refusal("wrong_modality", "Calipers are proposed on ultrasound; the scan is MRI.")


def measure_prepared(
    measurer: Measurer, stack: PictureStack, prepared: Prepared, age_days: int | None
) -> ScanAtria:
    """The same for frames that the gate has let through: of several the one whose atrium is surest."""
    found = [
        _measured(measurer, stack, index, head, age_days)
        for index, head in zip(prepared.frames, prepared.ellipses, strict=True)
    ]
    return max(found, key=lambda one: one.atria.chance)


def _measured(
    measurer: Measurer, stack: PictureStack, index: int, head: Ellipse, age_days: int | None
) -> ScanAtria:
    own = stack.pixels[index].astype(np.float32)
    frame, fine = squared(own, spacing_of(stack))
    atria = _in_scan(measure(measurer, frame, head), back_to_scan(own.shape, frame.shape))
    return ScanAtria(index, atria, head, _scale(stack, fine, age_days, head), frame)


def _scale(stack: PictureStack, fine: float | None, age_days: int | None, head: Ellipse) -> Scale | None:
    """What the file states, else what a reader has calibrated, else by the age. fine: mm of a pixel."""
    if stack.pixel_spacing is not None and fine is not None:
        return stated_scale(fine, "calibration" if stack.pixel_spacing_source == CALIBRATED else "file")
    return None if age_days is None else scale_from_age(age_days / 7, head)


def _in_scan(atria: Atria, back: np.ndarray[Any, np.dtype[np.float64]]) -> Atria:
    def moved(point: Point) -> Point:
        x, y = back[:, :2] @ np.array(point) + back[:, 2]
        return float(x), float(y)

    widths = [replace(one, inner=moved(one.inner), outer=moved(one.outer)) for one in atria.widths]
    return replace(atria, widths=tuple(widths))


def as_json(scan: ScanAtria) -> Mapping[str, Any]:
    """For the command line and whoever stores it. Without a scale: the width over BPD, and no call."""
    return {
        "frame": scan.frame,
        "measurable": scan.atria.measurable,
        "chance": round(scan.atria.chance, 4),
        "scale": None
        if scan.scale is None
        else {
            "mm_per_pixel": round(scan.scale.mm_per_pixel, 6),
            "relative_error": scan.scale.error,
            "source": scan.scale.source,
        },
        "probability": None if scan.probability is None else round(scan.probability, 4),
        "atria": [_caliper(one, scan.scale) for one in scan.atria.widths],
    }


def _caliper(one: AtrialWidth, scale: Scale | None) -> Mapping[str, Any]:
    said: dict[str, Any] = {
        "side": one.side,
        "inner": [round(number, 2) for number in one.inner],
        "outer": [round(number, 2) for number in one.outer],
        "chance": round(one.chance, 4),
        "width_px": round(one.width, 2),
        "error_px": round(one.error, 2),
        "over_bpd": round(one.over_bpd, 4),
    }
    if scale is None:
        return said
    mm = one.millimetres(scale)
    known = {"width_mm": round(mm.width, 2), "error_mm": round(mm.error, 2), "estimated": mm.estimated}
    return said | known | {"probability": round(mm.probability, 4)}
