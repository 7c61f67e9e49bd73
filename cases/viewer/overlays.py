"""What the scripts of the viewer are told about a scan, as JSON."""

from typing import Any

from django.urls import reverse

from cases import words
from cases.case_page.summary import ScanSummary
from cases.models import Calibration, Scan
from inference.formats.spacing import aspect_of
from inference.models import Explanation, Image
from inference.results.planes import Plane, letters_of, planes_of
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
        "letters": letters_of(image),
        "planes": [_plane(scan, plane) for plane in planes_of(image)],
        "first": reading.frames_read[len(reading.frames_read) // 2]
        if reading.frames_read
        else image.frames // 2,
        "address": reverse("cases:frame", args=[scan.pk, 0]).removesuffix("0"),
        "view": view,
    }


def planes(image: Image) -> list[dict[str, Any]]:
    """What the page says of the planes that are cut through all frames."""
    return [
        {
            "across": plane.across,
            "letters": plane.letters,
            "words": words.plane(plane.name, plane.across),
        }
        for plane in planes_of(image)
    ]


def _plane(scan: Scan, plane: Plane) -> dict[str, Any]:
    """A plane that is cut through all frames, as `picture` says the frames."""
    return {
        "across": plane.across,
        "letters": plane.letters,
        "frames": plane.count,
        "rows": plane.rows,
        "columns": plane.columns,
        "spacing": [*plane.spacing],
        "aspect": aspect_of(plane.spacing, None),
        "address": reverse(f"cases:cut_{plane.across}", args=[scan.pk, 0]).removesuffix("0"),
    }


def _spacing(image: Image, calibration: Calibration | None) -> list[float] | None:
    """mm between rows, between columns."""
    if image.spacing:
        return [*image.spacing]
    return [*calibration.spacing] if calibration else None
