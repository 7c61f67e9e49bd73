"""What checkers find, and what they could not assess."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from language.marks import gettext_noop

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
    "blur": gettext_noop("The picture is blurred"),
    "smear": gettext_noop("Structure is smeared along one direction, as when the head moves"),
    "noise": gettext_noop("Noise is strong beside the brain's own contrast"),
    "saturation": gettext_noop("Part of the head is as bright as the display can show"),
    "signal_void": gettext_noop("A patch of the brain is dark, as from movement or lost signal"),
    "cut_off": gettext_noop("Part of the head or its skull does not show"),
    "slice_jumps": gettext_noop("Neighbouring slices do not lie in line"),
    "not_analysable": gettext_noop("The models could not analyse the scan"),
    "no_spacing": gettext_noop("The scan has no scale, so that nothing can be measured in mm"),
    "sides_unmeasured": gettext_noop("Not both atria have been measured"),
    "landmarks_missing": gettext_noop("The measuring plane of a width is not confirmed: it is provisional"),
    "placement_unconfirmed": gettext_noop("How the caliper lies is not confirmed: the width is provisional"),
    "planes_missing": gettext_noop("Fewer than three orthogonal T2 series"),
    "thick_slices": gettext_noop("The slices are thick"),
    "slice_gap": gettext_noop("There are gaps between the slices"),
    "doubt": gettext_noop("The answer would turn when the picture is held a little differently"),
    "models_disagree": gettext_noop("The models call the scan differently"),
    "unfamiliar": gettext_noop("The picture is unlike those the models know"),
    "grey_zone": gettext_noop("The atrial width lies within measuring error of 10 mm"),
    "conflict": gettext_noop("The caliper and the models contradict each other"),
    "unreliable_explanation": gettext_noop("No explanation of the answer is reliable"),
}
"""Every finding in words. A rule that names another is refused."""
