"""The atria of a scan: in its surest frame, in the scan's own pixels, in mm where a pixel's size is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inference.engine.atrium.measure import Measurer, measure
from inference.engine.atrium.records import Atria, AtrialWidth, Point
from inference.engine.atrium.scale import Scale, scale_from_age, stated_scale
from inference.engine.biometry import measured
from inference.engine.ellipse import Ellipse
from inference.engine.frames import choose_frames
from inference.engine.head_finder.shipped import find_outlined
from inference.engine.input_gate.gate import hold_to, refuse_early, shipped_input_gate, verdict
from inference.engine.quality import NotAnalysable, refuse
from inference.engine.square import back_to_scan, spacing_of, squared
from inference.formats.stack import PictureStack

NO_HEAD = "No outline convincing enough for a fetal head was found in the picture."


@dataclass(frozen=True)
class ScanAtria:
    """What was measured in one frame of a scan.

    atria: calipers in the scan's own pixels, lengths in square ones. head: in the frame's square pixels.
    scale: None where neither the file nor an age tells it; then there is no probability and nothing alarms.
    """

    frame: int
    atria: Atria
    head: Ellipse
    scale: Scale | None

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

    Raises NotAnalysable (wrong_modality, no_such_frame, no_head, not_a_head, off_plane, too_early).
    """
    if stack.modality != "ultrasound":
        raise refuse("wrong_modality", "Calipers are proposed on ultrasound; the scan is MRI.")
    found, refused = [], refuse("no_head", NO_HEAD)
    for index in choose_frames(stack, frames).frames:
        try:
            found.append(_measured(measurer, stack, index, gestational_age_days))
        except NotAnalysable as refusal:
            refused = refusal
    if not found:
        raise refused
    return max(found, key=lambda one: one.atria.chance)


def _measured(measurer: Measurer, stack: PictureStack, index: int, age_days: int | None) -> ScanAtria:
    own = stack.pixels[index].astype(np.float32)
    frame, fine = squared(own, spacing_of(stack))
    head = find_outlined(frame)
    if head is None:
        raise refuse("no_head", NO_HEAD)
    stated = fine if stack.pixel_spacing is not None else None
    gate = shipped_input_gate()
    seen = verdict(gate, frame, head)
    hold_to(gate, seen)
    refuse_early(gate, seen, age_days, None if stated is None else measured(head.ellipse, stated))
    atria = measure(measurer, frame, head.ellipse)
    back = back_to_scan(own.shape, frame.shape)
    return ScanAtria(index, _in_scan(atria, back), head.ellipse, _scale(stated, age_days, head.ellipse))


def _scale(stated: float | None, age_days: int | None, head: Ellipse) -> Scale | None:
    if stated is not None:
        return stated_scale(stated)
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
