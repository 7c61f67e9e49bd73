"""Millimetres where a file states none: a reader says how long a line on the picture is.

What was measured before stays in pixels; what is measured after names the calibration it rests on, and counts
no more once that is withdrawn. Versions that measure are asked again, each time as a new answer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from audit.trail import record
from cases import services
from cases.access import lock_for_writing, lock_scan_for_writing
from cases.models import Calibration, CalibrationWithdrawal, Scan
from cases.review.measurements import Points, require_inside
from inference.engine.measuring.depth_marks import DepthMarks, depth_marks
from inference.results import images
from inference.results.store import digest
from language.numbers import decimal
from language.stored import english
from refusals import Refusal

SHORTEST_PX = 30
"""A shorter line is too short to be pointed at within 2 or 3 %."""
LEAST_MM, MOST_MM = 0.01, 2.0
"""A pixel of ultrasound: a probe that sees 3 mm over 300 pixels, and one that sees 40 cm over 200."""


MARKS_MM = (10.0, 5.0)
"""What machines print a mark for."""
DEPTHS_MM = (30.0, 300.0)
"""How deep an obstetric picture reaches, from top to bottom."""
ON_MARKS_PX = 0.1
"""Ends that lie within this of the proposed ones are those that were proposed."""


@dataclass(frozen=True)
class ProposedLine:
    """A line along the marks of a depth scale: proposed, and stored only once a person says what a mark is.

    depth: the picture's height in spacings. choices: how many mm a spacing may be, by how deep the picture
    would then reach.
    """

    frame: int
    marks: DepthMarks
    depth: float

    @property
    def choices(self) -> tuple[float, ...]:
        """Longest first."""
        least, most = DEPTHS_MM
        return tuple(mm for mm in MARKS_MM if least <= self.depth * mm <= most)

    def as_json(self) -> dict[str, Any]:
        """For the viewer and for programs."""
        start, end = self.marks.line
        return {
            "frame": self.frame,
            "start": [*start],
            "end": [*end],
            "steps": self.marks.steps,
            "marks": [[row, self.marks.column] for row in self.marks.rows],
            "depth": self.depth,
            "spacing_px": self.marks.spacing,
            "error": self.marks.error,
            "choices_mm": [*self.choices],
        }


@transaction.atomic
def calibrate(
    scan: Scan,
    points: Points,
    *,
    by: User,
    length_mm: float,
    note: str = "",
    mark_mm: float | None = None,
) -> Calibration:
    """Store how long the line between two points is. Raises scale_stated, not_measurable, line_too_short,
    scale_not_plausible, scan_withdrawn, case_signed, PermissionDenied.

    Distances are taken in true proportions, where the file states those of its pixels. mark_mm: what a mark
    stands for, where the line is that which was proposed along them.
    """
    lock_scan_for_writing(scan, by)
    if scan.image.states_scale:
        raise Refusal(
            "scale_stated", gettext("The file of this scan states its scale: it is not calibrated by hand.")
        )
    require_inside(points, scan.image)
    row = Calibration.objects.create(
        scan=scan,
        frame=points.frame,
        start=[float(number) for number in points.start],
        end=[float(number) for number in points.end],
        length_mm=float(length_mm),
        **dict(zip(("row_spacing", "column_spacing"), _spacing(scan, points, length_mm), strict=True)),
        note=note.strip()[:200],
        marks=_marks(scan, points, length_mm, mark_mm),
        made_by=by,
    )
    with english():
        words = str(row)
    record(
        "scan.calibrated",
        actor=by,
        subject=row,
        thread=scan.case.thread,
        scan=scan.number,
        detail=words,
        reason=row.note,
        digest=digest(row),
    )
    services.measure_again(scan, by=by)
    return row


@transaction.atomic
def withdraw(calibration: Calibration, *, by: User, reason: str) -> CalibrationWithdrawal:
    """Measure nothing by it any more; an earlier one that stands counts again.

    Raises already_withdrawn, scan_withdrawn, case_signed, PermissionDenied.
    """
    scan = calibration.scan
    lock_for_writing(scan.case, by)
    if CalibrationWithdrawal.objects.filter(calibration=calibration).exists():
        raise Refusal("already_withdrawn", gettext("The calibration was withdrawn before."))
    counted = Calibration.objects.counting(scan)
    row = CalibrationWithdrawal.objects.create(
        calibration=calibration, withdrawn_by=by, reason=reason.strip()[:200]
    )
    record(
        "calibration.withdrawn",
        actor=by,
        subject=row,
        thread=scan.case.thread,
        scan=scan.number,
        reason=row.reason,
        digest=digest(row),
    )
    if counted == calibration and not scan.is_withdrawn:
        services.measure_again(scan, by=by)
    return row


def proposed_line(scan: Scan, frame: int) -> ProposedLine | None:
    """Along the marks of a depth scale, where the frame shows them beyond doubt and its file states no scale.

    Raises IndexError for a frame that the scan does not have; BlobCorrupt, BlobUnavailable.
    """
    if scan.image.states_scale:
        return None
    found = depth_marks(images.frame(scan.image.pixels_id, frame))
    if found is None:
        return None
    line = ProposedLine(frame, found, scan.image.rows / found.spacing)
    return line if line.choices else None


def _marks(scan: Scan, points: Points, length_mm: float, mark_mm: float | None) -> Mapping[str, Any] | None:
    """What the line was proposed from, found again; None for one that was drawn or moved by hand."""
    proposed = proposed_line(scan, points.frame) if mark_mm else None
    if proposed is None or not mark_mm:
        return None
    ends = zip((points.start, points.end), proposed.marks.line, strict=True)
    is_moved = any(math.dist(one, other) > ON_MARKS_PX for one, other in ends)
    if is_moved or not math.isclose(length_mm, proposed.marks.steps * mark_mm, rel_tol=1e-4):
        return None
    return {**proposed.as_json(), "mark_mm": mark_mm}


def _spacing(scan: Scan, points: Points, length_mm: float) -> tuple[float, float]:
    """mm between rows, between columns. Raises line_too_short, scale_not_plausible."""
    aspect = scan.image.pixel_aspect or 1.0
    down, across = (abs(b - a) for a, b in zip(points.start, points.end, strict=True))
    if math.hypot(down, across) < SHORTEST_PX:
        sentence = gettext("The line is too short: draw it over at least {pixels} pixels.")
        raise Refusal("line_too_short", sentence.format(pixels=SHORTEST_PX))
    columns = length_mm / math.hypot(down * aspect, across)
    rows = columns * aspect
    if not all(LEAST_MM <= side <= MOST_MM for side in (rows, columns)):
        sentence = gettext(
            "A pixel would be {length} mm long, as no scanner makes them: check both ends and the length."
        )
        raise Refusal("scale_not_plausible", sentence.format(length=decimal(columns, 3)))
    return rows, columns
