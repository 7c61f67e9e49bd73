"""What the scripts of the viewer are told about a scan, as JSON."""

from typing import Any

from django.urls import reverse

from cases.case_page.summary import ScanSummary
from cases.models import Calibration, Scan
from inference.models import Explanation, Image
from language.stored import said


def overlays(reading: ScanSummary) -> list[dict[str, Any]]:
    """What the viewer can lay over the scan, as JSON."""
    return [
        {
            "id": str(why.explanation.pk),
            "model": str(answer.version.network),
            "version": answer.version.version,
            "answer": str(why.explanation.prediction_id),
            "method": why.method,
            "key": why.key,
            "classLabel": said(why.explanation.class_label),
            "unit": said(why.explanation.unit),
            "signed": why.explanation.signed,
            "frames": why.explanation.frames,
            "address": reverse("cases:heatmap", args=[why.explanation.pk, 0]).removesuffix("0"),
            "pieces": _pieces_address(why.explanation),
            "segments": why.explanation.segments_id or "",
            "reliable": why.trust.is_reliable,
            "trust": why.trust.short,
        }
        for answer in reading.answers
        for why in answer.why
    ]


def _pieces_address(explanation: Explanation) -> str:
    """ "" for a method without superpixels."""
    if explanation.segments_id is None:
        return ""
    return reverse("cases:pieces", args=[explanation.pk, 0]).removesuffix("0")


def picture(
    scan: Scan, reading: ScanSummary, view: str, calibration: Calibration | None = None
) -> dict[str, Any]:
    """What the viewer needs to draw the scan, as JSON. view: names this view of the page in the audit.

    calibration: what its millimetres rest on, where the file states none.
    """
    image = scan.image
    window = [image.window_center, image.window_width] if image.window_width else None
    return {
        "scan": str(scan.pk),
        "frames": image.frames,
        "frameTime": image.acquisition.get("FrameTime"),
        "rows": image.rows,
        "columns": image.columns,
        "bits": image.bits,
        "window": window,
        "spacing": _spacing(image, calibration),
        "aspect": image.aspect,
        "regions": image.regions,
        "first": reading.frames_read[len(reading.frames_read) // 2]
        if reading.frames_read
        else image.frames // 2,
        "address": reverse("cases:frame", args=[scan.pk, 0]).removesuffix("0"),
        "view": view,
    }


def _spacing(image: Image, calibration: Calibration | None) -> list[float] | None:
    """mm between rows, between columns."""
    if image.spacing:
        return [*image.spacing]
    return [*calibration.spacing] if calibration else None
