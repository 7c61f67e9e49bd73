"""Proposed calipers beside readers' own: which are offered, in what words, and what became of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from cases.models import Measurement, Scan
from cases.review.policy import may_see_answers
from inference.engine.preprocessing.square_pixels import side_of
from inference.models import Prediction
from inference.results.proposals import Proposal, proposals_of, scale_of
from language.numbers import decimal, percent
from refusals import Refusal

SIDES: Mapping[str, str | Promise] = {
    "far": gettext_lazy("Far atrium"),
    "near": gettext_lazy("Near atrium"),
    "beside": gettext_lazy("Atrium beside the beam"),
    "right": gettext_lazy("Atrium on the left of the picture"),
    "left": gettext_lazy("Atrium on the right of the picture"),
}
"""A stored left or right is that of the file's directions, which in DICOM are the mother's. All MRI is stored
as radiologists look at it, right on the left: the side of the picture is true of every file."""
SCALES: Mapping[str, str | Promise] = {
    "file": gettext_lazy("scale: stated by the file"),
    "calibration": gettext_lazy("scale: calibrated by hand"),
    "gestational_age": gettext_lazy("scale: estimated from the gestational age, no severity follows from it"),
}
UNMOVED_PX = 0.05
"""Ends that lie within this of the proposed ones were confirmed as they were."""


@dataclass(frozen=True)
class Offered:
    """A proposal of one answer. confirmed: the standing measurement that came of it, or None."""

    prediction: Prediction
    proposal: Proposal
    confirmed: Measurement | None

    @property
    def title(self) -> str:
        """ "Far atrium"."""
        return str(SIDES[self.proposal.side])

    @property
    def width(self) -> str:
        """Its width with its error, in words."""
        return width_words(self.proposal)

    @property
    def scale(self) -> str:
        """Where the millimetres come from, in words."""
        return scale_words(self.proposal)

    @property
    def mark(self) -> dict[str, Any]:
        """What the viewer draws, as JSON. side: "" of left and right that need not be the fetus's."""
        one = self.proposal
        is_mothers = self.prediction.image.source_format == "dicom" and one.side in ("left", "right")
        note = gettext("proposed, not confirmed")
        return {
            "prediction": str(self.prediction.pk),
            "atrium": one.atrium,
            "frame": one.frame,
            "side": "" if is_mothers else one.side,
            "start": [*one.start],
            "end": [*one.end],
            "words": f"{self.title}: {self.width}; {self.scale}; {note}",
            "label": f"{self.width}, {note}",
            "confirmed": self.confirmed is not None,
        }


def offered(predictions: Iterable[Prediction | None], active: Sequence[Measurement]) -> list[Offered]:
    """What these answers propose. standing: the measurements that nobody has withdrawn."""
    taken = {(one.proposal_id, one.proposal_atrium): one for one in active if one.proposal_id}
    return [
        Offered(said, one, taken.get((said.pk, one.atrium)))
        for said in predictions
        if said
        for one in proposals_of(said)
    ]


def width_words(one: Proposal) -> str:
    """In mm with its standard deviation where a scale is known, else as a share of the head's width."""
    if one.width_mm is None or one.error_mm is None:
        return gettext("{share} of the BPD").format(share=percent(one.over_bpd))
    about = gettext("about {width} ± {error} mm") if one.estimated else gettext("{width} ± {error} mm")
    return about.format(width=decimal(one.width_mm, 1), error=decimal(one.error_mm, 1))


def scale_words(one: Proposal) -> str:
    """Where the millimetres come from."""
    return str(SCALES[one.scale]) if one.scale else gettext("no scale known: nothing is called")


def proposal_for(scan: Scan, key: UUID, atrium: int, *, frame: int, by: User) -> Prediction:
    """The answer whose proposal a reader goes by. Raises no_such_proposal; PermissionDenied while hidden."""
    if not may_see_answers(scan.case, by):
        raise PermissionDenied(gettext("The models' answers are hidden until you have filed your read."))
    said = Prediction.objects.shown().filter(pk=key, image=scan.image_id).first()
    fits = said and any((one.atrium, one.frame) == (atrium, frame) for one in proposals_of(said))
    if not said or not fits:
        raise Refusal("no_such_proposal", gettext("No such caliper was proposed on this frame."))
    return said


@dataclass(frozen=True)
class Origin:
    """What a measurement came from. moved_px, moved_mm: how far its ends lie from the proposed ones, at most.

    moved_mm: None without the file's scale. estimated_mm: the length by a scale that a gestational age gave.
    """

    prediction: Prediction
    proposal: Proposal
    moved_px: float
    moved_mm: float | None
    estimated_mm: float | None

    def as_json(self) -> dict[str, Any]:
        """For programs and for the report's content."""
        version = self.prediction.model_version
        return {
            "prediction": str(self.prediction.pk),
            "network": version.network,
            "version": version.version,
            "atrium": self.proposal.atrium,
            "start": [*self.proposal.start],
            "end": [*self.proposal.end],
            "moved_px": self.moved_px,
            "moved_mm": self.moved_mm,
            "estimated_mm": self.estimated_mm,
        }


def origin_of(one: Measurement) -> Origin | None:
    """The proposal that a reader confirmed or moved; None for a line of their own."""
    if one.proposal is None:
        return None
    proposed = next((two for two in proposals_of(one.proposal) if two.atrium == one.proposal_atrium), None)
    if proposed is None:  # `verify` names such a row
        return None
    spacing = (one.pixel_spacing[0], one.pixel_spacing[1]) if one.pixel_spacing else None
    return Origin(
        prediction=one.proposal,
        proposal=proposed,
        moved_px=_moved(one, proposed, (1.0, 1.0)),
        moved_mm=_moved(one, proposed, spacing) if spacing else None,
        estimated_mm=_estimated(one, proposed, scale_of(one.proposal)) if spacing is None else None,
    )


def _moved(one: Measurement, proposed: Proposal, unit: tuple[float, float]) -> float:
    """The farther of both ends from where it was proposed; which end is first does not matter."""
    ways = ((one.start, one.end), (one.end, one.start))
    return min(
        max(_apart(start, proposed.start, unit), _apart(end, proposed.end, unit)) for start, end in ways
    )


def _apart(one: Sequence[float], other: Sequence[float], unit: tuple[float, float]) -> float:
    return math.hypot(*((a - b) * size for a, b, size in zip(one, other, unit, strict=True)))


def _estimated(one: Measurement, proposed: Proposal, mm: float | None) -> float | None:
    """The confirmed length by the estimated scale, which is that of square pixels."""
    if mm is None or not proposed.estimated:
        return None
    pair = (one.scan.image.pixel_aspect or 1.0, 1.0)
    side = side_of(pair)
    return _apart(one.start, one.end, (mm * pair[0] / side, mm * pair[1] / side))


def origin_words(said: Mapping[str, Any]) -> str:
    """An origin's JSON in one sentence."""
    version = f"{said['network']} {said['version']}"
    if said["moved_px"] <= UNMOVED_PX:
        told = gettext("Confirmed as {version} proposed it.").format(version=version)
    elif said["moved_mm"] is not None:
        moved = decimal(said["moved_mm"], 1)
        told = gettext("Confirmed from a proposal of {version}, moved by {moved} mm.")
        told = told.format(version=version, moved=moved)
    else:
        moved = decimal(said["moved_px"], 1)
        told = gettext("Confirmed from a proposal of {version}, moved by {moved} pixels.")
        told = told.format(version=version, moved=moved)
    if said["estimated_mm"] is None:
        return told
    estimated = gettext("About {mm} mm by a scale estimated from the gestational age: no severity follows.")
    return f"{told} {estimated.format(mm=decimal(said['estimated_mm'], 1))}"
