"""The calipers that a version which measures has stored with its answer, as readers and programs take them.

In a row their ends are (x, y) as the engine counts; here, as everywhere beside the scan, (row, column).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from inference.models import Prediction

Place = tuple[float, float]


@dataclass(frozen=True)
class Proposal:
    """One atrium's caliper: proposed, and confirmed by nobody.

    atrium: its place in the stored list. start, end: inner and outer wall, (row, column) in pixels of the
    scan's frame. side: far from the probe, near it, or beside the beam; of MRI left or right as the file's
    directions say, right being on the left of the picture. width_px, error_px: in square pixels; an error is
    a standard deviation. over_bpd: share of the head's short diameter. width_mm, error_mm, probability: None
    where no scale is known. scale: file, calibration or gestational_age; "" for none.
    """

    atrium: int
    frame: int
    side: str
    start: Place
    end: Place
    width_px: float
    error_px: float
    over_bpd: float
    scale: str
    width_mm: float | None
    error_mm: float | None
    probability: float | None

    @property
    def estimated(self) -> bool:
        """Millimetres from a gestational age: good for a probability, never for a severity."""
        return self.scale == "gestational_age"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "start": [*self.start], "end": [*self.end], "estimated": self.estimated}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Proposal":
        """Back from `as_json`."""
        return cls(**{one.name: said[one.name] for one in fields(cls)})


def proposals_of(prediction: Prediction) -> list[Proposal]:
    """Those of one answer, far side first; none of a version that knows classes."""
    said: Mapping[str, Any] = prediction.measurement or {}
    scale = (said.get("scale") or {}).get("source", "")
    return [_proposal(place, one, said["frame"], scale) for place, one in enumerate(said.get("atria", ()))]


def scale_of(prediction: Prediction) -> float | None:
    """Millimetres of one square pixel, by whatever the answer went by; None where nothing tells it."""
    said: Mapping[str, Any] = prediction.measurement or {}
    scale = said.get("scale")
    return scale["mm_per_pixel"] if scale else None


def _proposal(place: int, one: Mapping[str, Any], frame: int, scale: str) -> Proposal:
    return Proposal(
        atrium=place,
        frame=frame,
        side=one["side"],
        start=_place(one["inner"]),
        end=_place(one["outer"]),
        width_px=one["width_px"],
        error_px=one["error_px"],
        over_bpd=one["over_bpd"],
        scale=scale,
        width_mm=one.get("width_mm"),
        error_mm=one.get("error_mm"),
        probability=one.get("probability"),
    )


def _place(point: list[float]) -> Place:
    x, y = point
    return y, x
