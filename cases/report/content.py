"""What the report of a case says, as plain JSON: built once from the rows, stored when the case is signed.

Codes, numbers and names as the rows have them; cases.report.words puts them into the reader's language.
Pictures are PNG bytes beside it, named in it by their SHA-256.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from audit.rows import newest
from blobs import store
from blobs.store import BlobCorrupt, BlobUnavailable
from cases.advice.basis import answers_of as answered_advice
from cases.case_page.summary import Answer, CaseSummary, ExplanationSummary, ScanSummary
from cases.models import (
    AdviceAnswer,
    Calibration,
    CalibrationWithdrawal,
    Case,
    Confirmation,
    Measurement,
    Read,
    Scan,
    ScanIdentity,
    ScanWithdrawal,
    Withdrawal,
)
from cases.review.atria import Atrium
from cases.review.calls import Call
from cases.review.measurements import Width, is_provisional
from cases.review.panel import ReviewPanel
from cases.review.proposals import origin_of
from cases.viewer import pixels
from inference.models import Prediction
from inference.results.planes import plane_of
from inference.results.proposals import proposals_of

FORM = 2
"""Of the content. A signature of form 1, without this number, bound findings and hashes, not the print."""


@dataclass
class Draft:
    """What a report says, and the PNG bytes of its pictures by their SHA-256."""

    said: dict[str, Any]
    pictures: dict[str, bytes] = field(default_factory=dict)

    def keep_pictures(self) -> None:
        """Store the pictures, so that they are printed again byte by byte. Raises BlobUnavailable.

        Also where there are none to store: a store that is away must leave no signature without pictures.
        """
        if reason := store.fault():
            raise BlobUnavailable(reason)
        for png in self.pictures.values():
            store.put(png)


def draft(case: Case, summary: CaseSummary, panel: ReviewPanel, called: Call | None) -> Draft:
    """The report as this reader may see it now. called: what the models say, if it may be told."""
    found = Draft({})
    read = None if panel.hidden else panel.counting
    found.said = {
        "form": FORM,
        "case": facts_of(case),
        "rules": {
            "mode": panel.rules.mode,
            "second_reader": panel.rules.second_reader,
            "severity_scheme": panel.rules.severity_scheme,
        },
        "finding": _read(read) if read else None,
        "width": _width(panel.width, panel) if panel.width else None,
        "provisional_width": _width(panel.provisional, panel) if panel.provisional else None,
        "atria": [_atrium(one, panel) for one in panel.atria],
        "call": {**called.content(), "answers": called.as_json()} if called else None,
        "scans": [_scan(entry, panel, found) for entry in summary.scans],
        "withdrawn": [_withdrawn(scan) for scan in summary.withdrawn],
        "reads": [] if panel.hidden else [_read(one) for one in panel.reads],
        "advice": [] if panel.hidden else [_advice(one) for one in answered_advice(case)],
        "rests_on": {} if panel.hidden else rests_on(case, summary),
        "signature": None,
    }
    return found


def rests_on(case: Case, summary: CaseSummary) -> dict[str, str]:
    """The digest of every row behind the report (audit.rows), by table and key."""
    answers = [one for entry in summary.scans for one in entry.answers]
    scans = list(case.scans.select_related("image"))
    measured = list(Measurement.objects.of_case(case))
    rows: list[Model] = [
        *scans,
        *(scan.image for scan in scans),
        *ScanIdentity.objects.filter(scan__case=case),
        *ScanWithdrawal.objects.filter(scan__case=case),
        *case.reads.all(),
        *Confirmation.objects.filter(read__case=case),
        *measured,
        *(one.proposal for one in measured if one.proposal),
        *Withdrawal.objects.filter(measurement__scan__case=case),
        *Calibration.objects.of_case(case),
        *CalibrationWithdrawal.objects.filter(calibration__scan__case=case),
        *case.atrium_statements.all(),
        *answered_advice(case),
        *(one.prediction for one in answers if one.prediction),
        *(why.explanation for one in answers for why in one.why),
    ]
    keys: dict[type[Model], list[str]] = defaultdict(list)
    for row in rows:
        keys[type(row)].append(str(row.pk))
    return {
        f"{table._meta.label} {key}": said
        for table, wanted in keys.items()
        for key, said in newest(table, wanted).items()
    }


def facts_of(case: Case) -> dict[str, Any]:
    """What the head of the report says."""
    return {
        "number": case.number,
        "patient_id": case.patient.patient_id,
        "department": case.department.name,
        "gestational_age_days": case.gestational_age_days,
        "question": case.question,
        "is_demo": case.is_demo,
    }


def _read(read: Read) -> dict[str, Any]:
    return {
        "id": str(read.pk),
        "kind": read.kind,
        "reader": read.reader.username,
        "name": read.reader.full_name,
        "finding": read.finding,
        "laterality": read.laterality,
        "note": read.note,
        "called": read.called,
        "agrees": read.agrees,
        "reason": read.reason,
        "unblinded": read.unblinded,
        "confirmed_by": read.confirmation.confirmed_by.full_name if hasattr(read, "confirmation") else "",
        "at": moment(read.created_at),
    }


def _width(width: Width, panel: ReviewPanel) -> dict[str, Any]:
    return {
        "measurement": str(width.measurement.pk),
        "mm": width.mm,
        "is_provisional": width.is_provisional,
        "severity": width.severity,
        "scheme": panel.rules.scheme.title,
        "is_grey": width.is_grey,
    }


def _atrium(one: Atrium, panel: ReviewPanel) -> dict[str, Any]:
    """One side: its width, or who said why it cannot be measured."""
    unseen = one.unseen
    return {
        "side": one.side,
        "width": _width(one.width, panel) if one.width else None,
        "pixels": one.pixels.length_px if one.pixels else None,
        "spacing": one.pixels.pixel_spacing_source if one.pixels else "",
        "unseen": unseen
        and {
            "id": str(unseen.pk),
            "reason": unseen.reason,
            "note": unseen.note,
            "name": unseen.stated_by.full_name,
            "at": moment(unseen.created_at),
        },
    }


def _advice(one: AdviceAnswer) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "says": str(one.suggestion["says"]),
        "scan": one.suggestion["scan"],
        "outcome": one.outcome,
        "reason": one.reason,
        "follow_up": one.follow_up.number if one.follow_up else None,
        "rules_version": one.advice.rules_version,
        "rules_sha256": one.advice.rules_sha256,
    }


def _scan(entry: ScanSummary, panel: ReviewPanel, found: Draft) -> dict[str, Any]:
    scan, image = entry.scan, entry.scan.image
    measured = [one for one in panel.active_measurements if one.scan_id == scan.pk]
    return {
        "id": str(scan.pk),
        "number": scan.number,
        "sha256": scan.original_sha256,
        "modality": image.modality,
        "columns": image.columns,
        "rows": image.rows,
        "frames": image.frames,
        "identity": _identity(scan),
        "calibration": _calibration(panel.calibration_of(scan)),
        "pictures": _pictures(entry, measured, found, hidden=panel.hidden),
        "measurements": [_measurement(number, one) for number, one in enumerate(measured, start=1)],
        "biometry": None if panel.hidden or entry.biometry is None else entry.biometry.as_json(),
        "answers": [] if panel.hidden else [answered(answer) for answer in entry.answers],
    }


def _identity(scan: Scan) -> dict[str, Any] | None:
    """What its file says of the study; mismatch: where it names another patient, and why it was taken."""
    said: ScanIdentity | None = getattr(scan, "identity", None)
    if said is None:
        return None
    return {
        "accession_number": said.accession_number,
        "study_date": said.study_date.isoformat() if said.study_date else "",
        "study_instance_uid": said.study_instance_uid,
        "mismatch": said.mismatch,
        "reason": said.reason,
        "name": scan.added_by.full_name,
    }


def _calibration(one: Calibration | None) -> dict[str, Any] | None:
    """What millimetres rest on where the file states none."""
    if one is None:
        return None
    return {
        "id": str(one.pk),
        "frame": one.frame,
        "start": one.start,
        "end": one.end,
        "length_mm": one.length_mm,
        "pixel_spacing": [*one.spacing],
        "note": one.note,
        "name": one.made_by.full_name,
        "at": moment(one.created_at),
    }


def _withdrawn(scan: Scan) -> dict[str, Any]:
    row = scan.withdrawal
    return {
        "number": scan.number,
        "modality": scan.image.modality,
        "sha256": scan.original_sha256,
        "reason": row.reason,
        "note": row.note,
        "name": row.withdrawn_by.full_name,
        "at": moment(row.created_at),
    }


def _measurement(number: int, one: Measurement) -> dict[str, Any]:
    """number: as it is written beside the line on the picture."""
    origin = origin_of(one)
    return {
        "id": str(one.pk),
        "number": number,
        "tool": one.tool,
        "side": one.side,
        "frame": one.frame,
        "across": one.across,
        "start": one.start,
        "end": one.end,
        "length_mm": one.length_mm,
        "length_px": one.length_px,
        "spacing": one.pixel_spacing_source,
        "calibration": _calibration(one.calibration),
        "checklist": one.checklist,
        "is_provisional": is_provisional(one),
        "proposal": origin.as_json() if origin else None,
        "name": one.made_by.full_name,
        "at": moment(one.created_at),
    }


def answered(answer: Answer) -> dict[str, Any]:
    """What one version says about one scan, or that it says nothing.

    experimental: the conditions of the rule for use that the version does not meet now.
    """
    version, prediction = answer.version, answer.prediction
    return {
        "model_version": str(version.pk),
        "network": version.network,
        "version": version.version,
        "prediction": _prediction(prediction) if prediction else None,
        "explanations": [str(why.explanation.pk) for why in answer.why],
        "experimental": [one.as_json() for one in answer.lacking],
    }


def _prediction(said: Prediction) -> dict[str, Any]:
    return {
        "id": str(said.pk),
        "label": said.label,
        "probability": said.probability,
        "low": said.probability_low,
        "high": said.probability_high,
        "threshold": said.threshold,
        "refusal": said.refusal_reason,
        "weights_sha256": said.weights_sha256,
        "proposals": [one.as_json() for one in proposals_of(said)],
        "at": moment(said.created_at),
    }


def _pictures(
    entry: ScanSummary, measured: Sequence[Measurement], found: Draft, *, hidden: bool
) -> list[dict[str, Any]]:
    """The frame that was read, those that were measured on, and the most reliable map of what was called.

    Where the stored bytes are gone or changed, the picture has no SHA-256: the report says so.
    """
    image, read = entry.scan.image, entry.frames_read
    middle = read[len(read) // 2] if read and not hidden else image.frames // 2
    shown = [
        _frame(entry.scan, across, number, measured, found)
        for across, number in dict.fromkeys([("", middle), *((one.across, one.frame) for one in measured)])
    ]
    why = None if hidden else _best(entry)
    return [*shown, _map(entry.scan, why, found)] if why else shown


def _frame(
    scan: Scan, across: str, number: int, measured: Iterable[Measurement], found: Draft
) -> dict[str, Any]:
    """across: as Measurement has it: a frame, or a cut through all of them."""
    where = (across, number)
    here = {place: one for place, one in enumerate(measured, start=1) if (one.across, one.frame) == where}
    lines = {place: (one.start, one.end) for place, one in here.items()}
    broken = {place for place, one in here.items() if is_provisional(one)}
    try:
        sha256 = _keep(pixels.frame_png(scan.image, number, lines, broken, across=across), found)
    except (BlobCorrupt, BlobUnavailable):
        sha256 = ""
    said = {"sha256": sha256, "frame": number, "measurements": sorted(here), "map": None}
    return said | ({"plane": _plane(scan, across)} if across else {})


def _plane(scan: Scan, across: str) -> dict[str, Any]:
    """name: "" where nothing says how the volume lies."""
    plane = plane_of(scan.image, across)
    return {"across": across, "name": plane.name if plane else "", "count": plane.count if plane else 0}


def _map(scan: Scan, why: ExplanationSummary, found: Draft) -> dict[str, Any]:
    explanation = why.explanation
    row = len(explanation.frames) // 2
    frame = explanation.frames[row]
    try:
        sha256 = _keep(pixels.overlay_png(scan.image, frame, explanation, row), found)
    except (BlobCorrupt, BlobUnavailable):
        sha256 = ""
    return {"sha256": sha256, "frame": frame, "measurements": [], "map": _explanation(why)}


def _explanation(why: ExplanationSummary) -> dict[str, Any]:
    row, said = why.explanation, why.explanation.prediction
    return {
        "id": str(row.pk),
        "method": row.method,
        "class_label": row.class_label,
        "explains_prediction": row.explains_prediction,
        "heatmap_sha256": row.heatmap_id,
        "frames": list(row.frames),
        "metrics": row.metrics,
        "network": said.model_version.network,
        "version": said.model_version.version,
        "label": said.label,
    }


def _best(entry: ScanSummary) -> ExplanationSummary | None:
    """Of the maps that explain what was called: a reliable one before others."""
    maps = [why for answer in entry.answers for why in answer.why if why.explanation.explains_prediction]
    return next((why for why in maps if why.trust.is_reliable), maps[0] if maps else None)


def _keep(png: bytes, found: Draft) -> str:
    sha256 = hashlib.sha256(png).hexdigest()
    found.pictures[sha256] = png
    return sha256


def moment(at: datetime) -> str:
    """As JSON keeps it: ISO 8601 with its offset."""
    return at.isoformat()


def keys_of(said: dict[str, Any]) -> frozenset[UUID]:
    """The answers and explanations that a content names."""
    answers = [answer for scan in said["scans"] for answer in scan["answers"]]
    predictions = [one["prediction"]["id"] for one in answers if one["prediction"]]
    return frozenset(
        UUID(key) for key in predictions + [key for one in answers for key in one["explanations"]]
    )
