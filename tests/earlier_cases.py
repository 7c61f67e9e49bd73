"""Cases of one patient over time, with atria measured on scans of a known scale."""

from datetime import timedelta

import numpy as np
from django.db.models.functions import Now
from pages import shown_now

from accounts.models import Department, User
from blobs import store
from cases import services
from cases.models import Case
from cases.review import measurements
from cases.review import service as review
from cases.review.measurements import CHECKLIST, Points
from inference.formats.stack import PictureStack


def earlier_case(  # a history is told in full
    department: Department,
    by: User,
    *,
    width: float | None = 7.5,
    age: int | None = 143,
    days: int = 28,
    signed: bool = True,
    finding: str = "normal",
) -> Case:
    """A case of the patient P-1, so many days ago."""
    case, _ = services.open_case(by=by, department=department, patient_id="P-1", gestational_age_days=age)
    Case.objects.filter(pk=case.pk).update(opened_at=Now() - timedelta(days=days))
    case.refresh_from_db()
    add_width(case, by, width, seed=days)
    if signed:
        review.file_read(case, by=by, kind="final", finding=finding, shown=shown_now(case, by))
        review.sign(case, by=by, shown=shown_now(case, by))
    return case


def add_width(case: Case, by, mm: float | None, *, seed: int = 1, checklist=tuple(CHECKLIST)) -> None:
    """A scan of half a millimetre a pixel, and an atrium measured on it."""
    pixels = np.random.default_rng(seed).integers(0, 250, (1, 60, 60)).astype(np.uint8)
    original = store.put(pixels.tobytes())
    stack = PictureStack(
        pixels, "ultrasound", original.sha256, "png", pixel_spacing=(0.5, 0.5), pixel_spacing_source="made"
    )
    scan, _ = services.add_scan(case, stack, by=by, original=original, file_name="made.png")
    if mm is not None:
        points = Points(0, (20.0, 5.0), (20.0, 5.0 + mm / 0.5))
        measurements.measure(scan, points, by=by, tool="atrial_width", side="left", checklist=list(checklist))
