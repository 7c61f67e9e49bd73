"""The report of a case: one structure that the PDF and the print page both show."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Image as Drawing
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from blobs.store import BlobCorrupt
from cases import pictures
from cases.basis import answers_of as answered_advice
from cases.desk import Desk
from cases.models import AdviceAnswer, Case, Measurement
from cases.reading import Answer, CaseReading, ScanReading, Why

NOTICE = "Research and decision support, not a cleared device."
UNSIGNED = "Not signed: this is a draft, and nobody stands for it yet."
PICTURE_MM = 62
Facts = list[tuple[str, str]]


@dataclass(frozen=True)
class Picture:
    """A frame as PNG bytes, with or without an overlay."""

    png: bytes
    caption: str

    @property
    def data_address(self) -> str:
        """For the print page."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class ScanReport:
    """One scan: its pictures, what was measured on it, what each version says."""

    title: str
    pictures: list[Picture]
    measurements: list[str]
    answers: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Report:
    """Everything a report says, in words. signature: empty while nobody has signed."""

    title: str
    facts: Facts
    finding: Facts
    reads: list[str]
    advice: list[str]
    scans: list[ScanReport]
    signature: Facts
    addenda: list[tuple[str, str]]
    made: str


def report(case: Case, reading: CaseReading, desk: Desk) -> Report:
    """The report as this reader may see it."""
    return Report(
        title=f"{case}",
        facts=_facts(case),
        finding=_finding(desk),
        reads=[_read_words(read) for read in desk.reads] if not desk.hidden else [],
        advice=[] if desk.hidden else [_advice_words(one) for one in answered_advice(case)],
        scans=[_scan(entry, desk) for entry in reading.scans],
        signature=_signature(desk),
        addenda=[(f"{one.name}, {_when(one.written_at)}", one.text) for one in desk.addenda],
        made=_when(timezone.now()),
    )


def pdf(found: Report) -> bytes:
    """The report on A4. The same report gives the same bytes."""
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=f"Ventra report, {found.title}",
        author="Ventra",
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        invariant=1,
    )

    def foot(canvas: Canvas, page: Any) -> None:
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(colors.HexColor("#4f5c66"))
        words = f"{NOTICE}  {found.title}, page {page.page}. Taken {found.made}."
        canvas.drawString(18 * mm, 11 * mm, words)

    document.build(list(_flow(found)), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _facts(case: Case) -> Facts:
    facts = [("Patient", case.patient.patient_id), ("Department", case.department.name)]
    facts += [("Gestational age", case.gestational_age)] if case.gestational_age else []
    facts += [("Question", case.question)] if case.question else []
    return facts + ([("Data", "demonstration data, no real patient")] if case.is_demo else [])


def _finding(desk: Desk) -> Facts:
    read, facts = desk.counting, []
    if read and not desk.hidden:
        facts.append(("Finding", str(read)))
        facts += [("Note", read.note)] if read.note else []
        facts += [("Differs from the models", read.reason)] if read.agrees is False else []
    if desk.width:
        severity = f", {desk.width.severity} by {desk.rules.scheme.title}" if desk.width.severity else ""
        grey = "; grey zone, measure again or in another plane" if desk.width.is_grey else ""
        facts.append(("Widest atrium", f"{desk.width.mm:.1f} mm{severity}{grey}"))
    if desk.called:
        facts.append(("The models", desk.called.label))
    return facts


def _advice_words(one: AdviceAnswer) -> str:
    scan = f", scan {one.suggestion['scan']}" if one.suggestion["scan"] else ""
    why = f": {one.reason}" if one.reason else ""
    then = f"; scan {one.follow_up.number} followed" if one.follow_up else ""
    rules = f"rules {one.advice.rules_version} {one.advice.rules_sha256[:12]}"
    return f"{one.suggestion['says']}{scan}: {one.get_outcome_display().lower()}{why}{then} ({rules})"


def _read_words(read: Any) -> str:
    return f"{read.get_kind_display()} by {read.reader.full_name}, {_when(read.created_at)}: {read}"


def _scan(entry: ScanReading, desk: Desk) -> ScanReport:
    image = entry.scan.image
    measured = [one for one in desk.standing if one.scan_id == entry.scan.pk]
    return ScanReport(
        title=f"Scan {entry.scan.number}: {image.get_modality_display()}, {image.columns} x {image.rows}",
        pictures=list(_pictures(entry, hidden=desk.hidden)),
        measurements=[_measured(one) for one in measured],
        answers=[] if desk.hidden else [_answer(answer) for answer in entry.answers],
    )


def _measured(one: Measurement) -> str:
    return f"{one.title}: {one} (spacing: {one.pixel_spacing_source or 'not known'}; {one.made_by.full_name})"


def _answer(answer: Answer) -> tuple[str, str, str]:
    said = answer.prediction
    if said is None:
        return (str(answer.version), "no answer", "")
    if said.probability is None:
        return (str(answer.version), f"not analysable: {said.refusal_reason}", "")
    span = ""
    if said.probability_low is not None and said.probability_high is not None:
        span = f" ({said.probability_low:.2f} to {said.probability_high:.2f})"
    words = f"{said.label}, {said.probability:.2f}{span}; from {said.threshold:.2f} ventriculomegaly"
    return (f"{answer.version.network} {answer.version.version}", words, said.weights_sha256[:12])


def _pictures(entry: ScanReading, *, hidden: bool) -> Iterator[Picture]:
    """The frame as it is, then under the most reliable map of the answer that leads."""
    image, read = entry.scan.image, entry.frames_read
    middle = read[len(read) // 2] if read and not hidden else image.frames // 2
    try:
        yield Picture(pictures.frame_png(image, middle), f"Frame {middle + 1} of {image.frames}")
        if why := None if hidden else _best(entry):
            row = len(why.explanation.frames) // 2
            frame = why.explanation.frames[row]
            words = " ".join(why.trust.sentences[:1])
            caption = f"{why.method} for {why.explanation.class_label}, frame {frame + 1}. {words}"
            yield Picture(pictures.overlay_png(image, frame, why.explanation, row), caption)
    except BlobCorrupt:
        return


def _best(entry: ScanReading) -> Why | None:
    """Of the maps that explain what was called: a reliable one before others."""
    maps = [why for answer in entry.answers for why in answer.why if why.explanation.explains_prediction]
    return next((why for why in maps if why.trust.is_reliable), maps[0] if maps else None)


def _signature(desk: Desk) -> Facts:
    signed = desk.signature
    if signed is None:
        return []
    return [
        ("Signed by", signed.name),
        ("On", _when(signed.signed_at)),
        ("Meaning", signed.meaning),
        ("SHA-256 of what was signed", signed.content_sha256),
    ]


def _when(moment: Any) -> str:
    return str(timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z"))


# The PDF

SHEET = getSampleStyleSheet()
BODY = ParagraphStyle("body", parent=SHEET["BodyText"], fontSize=9, leading=12)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7.5, leading=9.5, textColor=colors.HexColor("#4f5c66"))
TITLE = ParagraphStyle("title", parent=SHEET["Heading1"], fontSize=16, spaceAfter=2)
PART = ParagraphStyle("part", parent=SHEET["Heading2"], fontSize=11, spaceBefore=8, spaceAfter=3)
WARNING = ParagraphStyle("warning", parent=BODY, textColor=colors.HexColor("#7a4f00"))


def _flow(found: Report) -> Iterator[Any]:
    yield Paragraph(escape(found.title), TITLE)
    yield Paragraph(NOTICE, SMALL)
    if not found.signature:
        yield Paragraph(UNSIGNED, WARNING)
    yield _table(found.facts)
    if found.finding:
        yield Paragraph("Finding", PART)
        yield _table(found.finding)
    for scan in found.scans:
        yield KeepTogether(list(_scan_flow(scan)))
    if found.reads:
        yield Paragraph("Reads", PART)
        yield from (Paragraph(escape(words), BODY) for words in found.reads)
    if found.advice:
        yield Paragraph("Advice on acquisition", PART)
        yield from (Paragraph(escape(words), BODY) for words in found.advice)
    if found.signature:
        yield Paragraph("Signature", PART)
        yield _table(found.signature)
    for head, text in found.addenda:
        yield Paragraph(f"Addendum, {escape(head)}", PART)
        yield Paragraph(escape(text).replace("\n", "<br/>"), BODY)


def _scan_flow(scan: ScanReport) -> Iterator[Any]:
    yield Paragraph(escape(scan.title), PART)
    if scan.pictures:
        row = [[_drawing(one), Paragraph(escape(one.caption), SMALL)] for one in scan.pictures]
        yield Table([row], hAlign="LEFT", colWidths=[(PICTURE_MM + 6) * mm] * len(row))
        yield Spacer(1, 2 * mm)
    yield from (Paragraph(escape(words), BODY) for words in scan.measurements)
    if scan.answers:
        head = [Paragraph(f"<b>{word}</b>", SMALL) for word in ("Model version", "Says", "Weights")]
        rows = [[Paragraph(escape(cell), SMALL) for cell in line] for line in scan.answers]
        yield Table([head, *rows], hAlign="LEFT", colWidths=[38 * mm, 106 * mm, 28 * mm])


def _drawing(picture: Picture) -> Drawing:
    drawing = Drawing(io.BytesIO(picture.png))
    factor = PICTURE_MM * mm / max(drawing.imageWidth, drawing.imageHeight)
    drawing.drawWidth, drawing.drawHeight = drawing.imageWidth * factor, drawing.imageHeight * factor
    return drawing


def _table(facts: Facts) -> Table:
    rows = [[Paragraph(escape(name), SMALL), Paragraph(escape(value), BODY)] for name, value in facts]
    return Table(rows, hAlign="LEFT", colWidths=[42 * mm, 130 * mm])
