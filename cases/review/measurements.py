"""Calipers: what readers measure, what is withdrawn, and what the widths say beside the models."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from audit.trail import record
from cases.access import lock_for_writing, lock_scan_for_writing
from cases.models import Calibration, Measurement, Scan, Withdrawal
from cases.review.calls import Call
from cases.review.proposals import proposal_for
from cases.severity import WIDE_MM, Scheme, in_grey_zone
from inference.engine.records import POSITIVE
from inference.formats.spacing import CALIBRATED
from inference.models import Image
from inference.results.planes import plane_of
from inference.results.store import digest
from language.stored import english
from refusals import Refusal

CHECKLIST: Mapping[str, str | Promise] = {
    "axial": gettext_lazy("Strict axial plane, at the level of the thalami"),
    "cavum": gettext_lazy("Cavum septi pellucidi seen in front"),
    "glomus": gettext_lazy("At the glomus of the choroid plexus"),
    "perpendicular": gettext_lazy("Perpendicular to the ventricle's long axis"),
    "on_to_on": gettext_lazy("On to on: inner wall to inner wall"),
}
"""What makes an atrial width comparable (NHS GGC guideline 491; ISUOG 2020)."""
SHORTEST_PX = 0.5
Proposed = tuple[UUID, int]
"""An answer by its key, and which of its atria."""


@dataclass(frozen=True)
class Points:
    """Where the ends of a caliper lie: (row, column) in pixels of one frame.

    across: as Measurement has it; frame then names a cut through all frames.
    """

    frame: int
    start: tuple[float, float]
    end: tuple[float, float]
    across: str = ""


@dataclass(frozen=True)
class Width:
    """An atrial width in mm. severity: "" below the first step, and always while the width is provisional.

    is_provisional: its reader did not confirm the whole CHECKLIST, so that nothing follows from it.
    """

    measurement: Measurement
    mm: float
    severity: str
    is_provisional: bool

    @property
    def is_grey(self) -> bool:
        """Whether a repeated measurement could fall on the other side of 10 mm."""
        return not self.is_provisional and in_grey_zone(self.mm)


def unconfirmed(checklist: Mapping[str, bool]) -> list[str]:
    """The points of the measuring plane that a reader did not confirm, in the order of CHECKLIST."""
    return [name for name in CHECKLIST if not checklist.get(name)]


def is_provisional(measurement: Measurement) -> bool:
    """Whether it is an atrial width whose measuring plane is not confirmed in full."""
    return measurement.tool == Measurement.Tool.ATRIAL_WIDTH and bool(unconfirmed(measurement.checklist))


@transaction.atomic
def measure(
    scan: Scan,
    points: Points,
    *,
    by: User,
    tool: str,
    side: str = "",
    checklist: Sequence[str] = (),
    proposed: Proposed | None = None,
) -> Measurement:
    """Store a distance, in mm where a scale is known. Raises not_measurable, case_signed.

    proposed: the caliper that the reader confirmed or moved. Raises no_such_proposal, PermissionDenied.
    """
    lock_scan_for_writing(scan, by)
    require_inside(points, scan.image)
    spacing, stated_by, calibration = scale_of(scan, points)
    width = tool == Measurement.Tool.ATRIAL_WIDTH
    if width and points.across:
        raise Refusal("not_measurable", gettext("Atrial widths are measured on the frames of a scan."))
    if proposed and not width:
        raise Refusal("no_such_proposal", gettext("What is proposed are atrial widths."))
    said = proposal_for(scan, *proposed, frame=points.frame, by=by) if proposed else None
    found = Measurement.objects.create(
        scan=scan,
        frame=points.frame,
        across=points.across,
        tool=tool,
        side=side if width else "",
        start=list(points.start),
        end=list(points.end),
        length_px=_length(points, pixel_sides(_looked_at(points, scan.image).aspect)),
        length_mm=_length(points, spacing) if spacing else None,
        pixel_spacing=list(spacing) if spacing else None,
        pixel_spacing_source=stated_by,
        calibration=calibration,
        checklist={name: name in checklist for name in CHECKLIST} if width else {},
        proposal=said,
        proposal_atrium=proposed[1] if proposed else None,
        made_by=by,
    )
    _tell(found, by)
    return found


def _tell(made: Measurement, by: User) -> None:
    """The audit's line of a new measurement."""
    with english():
        words = f"{made.title}: {made}"
    record(
        "measurement.made",
        actor=by,
        subject=made,
        thread=made.scan.case.thread,
        scan=made.scan.number,
        detail=words,
        digest=digest(made),
    )


@transaction.atomic
def withdraw(measurement: Measurement, *, by: User, reason: str) -> Withdrawal:
    """Let a measurement no longer count. Raises already_withdrawn, case_signed, PermissionDenied."""
    case = lock_for_writing(measurement.scan.case, by)
    if Withdrawal.objects.filter(measurement=measurement).exists():
        raise Refusal("already_withdrawn", gettext("The measurement was withdrawn before."))
    row = Withdrawal.objects.create(measurement=measurement, withdrawn_by=by, reason=reason.strip()[:200])
    record(
        "measurement.withdrawn",
        actor=by,
        subject=row,
        thread=case.thread,
        scan=measurement.scan.number,
        reason=row.reason,
        digest=digest(row),
    )
    return row


def widest(measurements: Sequence[Measurement], scheme: Scheme) -> Width | None:
    """The widest of the standing atrial widths in mm; a provisional one only where none is confirmed."""
    tool = Measurement.Tool.ATRIAL_WIDTH
    known = [(one.length_mm, one) for one in measurements if one.tool == tool and one.length_mm is not None]
    if not known:
        return None
    mm, measurement = max(known, key=lambda pair: (not is_provisional(pair[1]), pair[0]))
    if is_provisional(measurement):
        return Width(measurement, mm, "", is_provisional=True)
    return Width(measurement, mm, scheme.of(mm), is_provisional=False)


def conflict(width: Width | None, called: Call | None) -> Literal["", "wide", "narrow"]:
    """Whether caliper and models contradict each other: wide but called normal, or the other way round.

    Nothing contradicts models that are undecided, or could not analyse the case; and "wide" is a claim that a
    provisional width does not carry.
    """
    if width is None or width.is_provisional or called is None or not called.is_decided:
        return ""
    if width.mm >= WIDE_MM and called.label != POSITIVE:
        return "wide"
    return "narrow" if width.mm < WIDE_MM and called.label == POSITIVE else ""


def require_inside(points: Points, image: Image) -> None:
    """Raises not_measurable where the points lie outside the scan, or on each other."""
    picture = _looked_at(points, image)
    inside = all(
        -0.5 <= row <= picture.rows - 0.5 and -0.5 <= column <= picture.columns - 0.5
        for row, column in (points.start, points.end)
    )
    if not inside or not 0 <= points.frame < picture.count:
        raise Refusal("not_measurable", gettext("The points do not lie on this scan."))
    if _length(points, (1.0, 1.0)) < SHORTEST_PX:
        raise Refusal("not_measurable", gettext("Both points are the same: nothing was measured."))


@dataclass(frozen=True)
class _Pictures:
    """Frames or cuts: how many, and their sides in pixels. aspect: height of a pixel over its width."""

    count: int
    rows: int
    columns: int
    aspect: float


def _looked_at(points: Points, image: Image) -> _Pictures:
    """Among which pictures a caliper lies. Raises not_measurable where the scan has no such plane."""
    if not points.across:
        return _Pictures(image.frames, image.rows, image.columns, image.aspect)
    plane = plane_of(image, points.across)
    if plane is None:
        raise Refusal("not_measurable", gettext("The points do not lie on this scan."))
    return _Pictures(plane.count, plane.rows, plane.columns, plane.spacing[0] / plane.spacing[1])


def scale_of(scan: Scan, points: Points) -> tuple[tuple[float, float] | None, str, Calibration | None]:
    """mm (between rows, between columns) that a caliper goes by, what states them, and the calibration.

    The one place that decides it. What the file states comes first; one that has scales in parts of its
    picture alone has none between them: it is named, without millimetres. Only where it states none at all a
    calibration by hand counts; (None, "", None) without one.
    """
    image = scan.image
    if (plane := plane_of(image, points.across)) is not None:
        return plane.spacing, image.spacing_stated_by, None
    if image.states_scale:
        stated = image.spacing_between(points.frame, (points.start, points.end))
        return stated, image.spacing_stated_by, None
    calibration = Calibration.objects.counting(scan)
    return (calibration.spacing, CALIBRATED, calibration) if calibration else (None, "", None)


def pixel_sides(aspect: float) -> tuple[float, float]:
    """Height and width of a pixel, the shorter one 1: what lengths without millimetres are counted in."""
    return max(aspect, 1.0), max(1 / aspect, 1.0)


def _length(points: Points, spacing: tuple[float, float]) -> float:
    """PixelSpacing: mm between rows, then between columns."""
    rows, columns = (b - a for a, b in zip(points.start, points.end, strict=True))
    return math.hypot(rows * spacing[0], columns * spacing[1])
