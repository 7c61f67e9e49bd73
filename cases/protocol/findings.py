"""What checkers find, and what they could not assess."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Where = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Finding:
    """One checker's value. It says nothing of whether that is too much: the rules do.

    checker: name and version of what found it. scan: its number, None for the whole case.
    where: two opposite corners (row, column) in the frame. is_telling: it rests on what models or other
    readers said, so that a blind reader may not be shown it.
    """

    name: str
    value: float
    modality: str
    checker: str
    scan: int | None = None
    frame: int | None = None
    where: Where = ()
    detail: str = ""
    is_telling: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values, the same for equal findings."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "modality": self.modality,
            "checker": self.checker,
            "scan": self.scan,
            "frame": self.frame,
            "where": [list(corner) for corner in self.where],
            "detail": self.detail,
        }


@dataclass(frozen=True)
class NotAssessable:
    """What could not be checked, and why: missing data calls for the data, never for a guess."""

    name: str
    why: str
    scan: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.name, "why": self.why, "scan": self.scan}


FINDINGS: Mapping[str, str] = {
    "blur": "The picture is blurred",
    "smear": "Structure is smeared along one direction, as when the head moves",
    "noise": "Noise is strong beside the brain's own contrast",
    "saturation": "Part of the head is as bright as the display can show",
    "signal_void": "A patch of the brain is dark, as from movement or lost signal",
    "cut_off": "Part of the head or its skull does not show",
    "slice_jumps": "Neighbouring slices do not lie in line",
    "not_analysable": "The models could not analyse the scan",
    "no_spacing": "The scan has no scale, so that nothing can be measured in mm",
    "sides_unmeasured": "Not both atria have been measured",
    "landmarks_missing": "A landmark of the measuring plane was not seen",
    "planes_missing": "Fewer than three orthogonal T2 series",
    "thick_slices": "The slices are thick",
    "slice_gap": "There are gaps between the slices",
    "doubt": "The answer would turn when the picture is held a little differently",
    "models_disagree": "The models call the scan differently",
    "unfamiliar": "The picture is unlike those the models know",
    "grey_zone": "The atrial width lies within measuring error of 10 mm",
    "conflict": "The caliper and the models contradict each other",
    "unreliable_explanation": "No explanation of the answer is reliable",
}
"""Every finding in words. A rule that names another is refused."""
