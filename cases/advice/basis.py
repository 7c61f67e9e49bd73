"""What an advice rests on: the findings of every checker, as far as one reader may know them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from cases.advice.checks import AnswerFacts, ScanFacts, WidthFacts, completeness, scan_risks, width_risks
from cases.advice.findings import Finding, NotAssessable
from cases.advice.values import entropy
from cases.case_page.summary import Answer, CaseSummary, ScanSummary
from cases.models import AdviceAnswer, Case, Measurement, Scan
from cases.review.measurements import unconfirmed
from cases.review.panel import ReviewPanel
from inference.engine.quality import VERSION
from inference.models import Image, Prediction, Quality


@dataclass(frozen=True)
class Basis:
    """Everything an advice rests on. probability: of the leading answer, None where it may not be told.

    is_open: a width is provisional, so that the acquisition does not end on it.
    """

    findings: list[Finding]
    unknown: list[NotAssessable]
    probability: float | None
    settled: list[tuple[str, int | None]]
    spent_seconds: float
    is_open: bool


def basis(panel: ReviewPanel, summary: CaseSummary, qualities: Mapping[Any, Quality]) -> Basis:
    """Findings of every checker, as far as this reader may know them."""
    found: list[Finding] = []
    unknown: list[NotAssessable] = []
    for entry in summary.scans:
        quality = qualities.get(entry.scan.image_id)
        found += _picture_findings(entry.scan, quality)
        if quality is None or not quality.checks:
            why = "no head was found" if quality else "no model has read the scan"
            unknown.append(NotAssessable("picture", why, entry.scan.number))
        if not panel.hidden:
            facts = [_answer_facts(answer, said) for answer in entry.answers if (said := answer.prediction)]
            found += scan_risks(entry.scan.number, entry.scan.image.modality, facts)
    complete, missing = completeness(
        [_scan_facts(entry.scan, panel) for entry in summary.scans],
        [] if panel.hidden else _width_facts(panel, summary),
        [] if panel.hidden else [one.side for one in panel.atria if one.unseen],
    )
    found += complete
    if not panel.hidden and panel.width:
        modality = panel.width.measurement.scan.image.modality
        found += width_risks(modality, is_grey=panel.width.is_grey, conflict=panel.conflict)
    answers = list(answers_of(panel.case))
    replaced = {one.key[1] for one in answers if one.follow_up and not one.follow_up.is_withdrawn} - {None}
    found = [one for one in found if one.scan not in replaced]
    return Basis(
        found,
        unknown + missing,
        None if panel.hidden else _probability(summary, replaced),
        sorted({one.key for one in answers}, key=repr),
        sum(one.seconds for one in answers if one.outcome == AdviceAnswer.Outcome.DONE),
        is_open=panel.is_open and not panel.hidden,
    )


def assessment_of(entry: ScanSummary, qualities: Mapping[Any, Quality], *, hidden: bool) -> dict[str, Any]:
    """How one scan stands: its checks; its probability and entropy where they may be told."""
    quality = qualities.get(entry.scan.image_id)
    said = None if hidden else _leading_probability(entry.answers)
    return {
        "checks": {one["name"]: round(one["value"], 4) for one in quality.checks} if quality else {},
        "probability": said,
        "bits": None if said is None else round(entropy(said), 4),
    }


def answers_of(case: Case) -> QuerySet[AdviceAnswer]:
    """What became of everything that was advised on a case."""
    return AdviceAnswer.objects.filter(advice__case=case).select_related("advice", "follow_up__withdrawal")


def qualities_of(summary: CaseSummary) -> dict[Any, Quality]:
    """The checks of every scan that has them, by the image's key."""
    images = [entry.scan.image_id for entry in summary.scans]
    return {one.image_id: one for one in Quality.objects.filter(image__in=images, version=VERSION)}


def _picture_findings(scan: Scan, quality: Quality | None) -> list[Finding]:
    if quality is None:
        return []
    return [
        Finding(
            name=one["name"],
            value=one["value"],
            modality=scan.image.modality,
            checker=f"picture {quality.version}",
            scan=scan.number,
            frame=one["frame"],
            where=tuple((row, column) for row, column in one["where"]),
        )
        for one in quality.checks
    ]


def _answer_facts(answer: Answer, said: Prediction) -> AnswerFacts:
    return AnswerFacts(
        label=said.label,
        analysable=said.analysable,
        refusal=said.refusal_reason,
        doubt=said.doubt,
        likelihood=said.quality.get("head_likelihood"),
        is_combined=answer.is_combined,
        reliable=tuple(why.trust.is_reliable for why in answer.why if why.explanation.explains_prediction),
    )


def _scan_facts(scan: Scan, panel: ReviewPanel) -> ScanFacts:
    image: Image = scan.image
    spacing = image.spacing or next((one.spacing for one in image.parts), None)
    if spacing is None and (calibration := panel.calibration_of(scan)):
        spacing = calibration.spacing
    thickness = image.acquisition.get("SliceThickness")
    return ScanFacts(
        number=scan.number,
        modality=image.modality,
        plane=image.acquired_plane,
        is_volume=image.is_volume,
        pixel_spacing=spacing,
        slice_spacing=image.slice_spacing,
        slice_thickness=float(thickness) if isinstance(thickness, int | float) else None,
    )


def _width_facts(panel: ReviewPanel, summary: CaseSummary) -> list[WidthFacts]:
    modalities = {entry.scan.pk: entry.scan.image.modality for entry in summary.scans}
    return [
        WidthFacts(
            scan=one.scan.number,
            modality=modalities[one.scan_id],
            side=one.side,
            missing=tuple(unconfirmed(one.checklist)),
        )
        for one in panel.active_measurements
        if one.tool == Measurement.Tool.ATRIAL_WIDTH
    ]


def _probability(summary: CaseSummary, replaced: Collection[int | None]) -> float | None:
    """Of the least sure scan that no other has replaced: there another acquisition can change the call."""
    open_ = [entry for entry in summary.scans if entry.scan.number not in replaced]
    said = [value for entry in open_ if (value := _leading_probability(entry.answers)) is not None]
    return max(said, key=entropy) if said else None


def _leading_probability(answers: Sequence[Answer]) -> float | None:
    """Of the combined answer, else of the least sure."""
    said = [answer for answer in answers if answer.prediction and answer.prediction.probability is not None]
    leading = [answer for answer in said if answer.is_combined] or said
    found = [answer.prediction.probability for answer in leading if answer.prediction]
    return max((one for one in found if one is not None), key=entropy, default=None)
