"""The report on paper: how the PDF lays out what a report says."""

import io
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import get_language, gettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Image as Drawing
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from cases.report.words import LATER, NOTICE, UNSIGNED, Facts, Picture, Report, ScanReport

PICTURE_MM = 62
IN_A_ROW = 2
SHEET = getSampleStyleSheet()
BODY = ParagraphStyle("body", parent=SHEET["BodyText"], fontSize=9, leading=12)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7.5, leading=9.5, textColor=colors.HexColor("#4f5c66"))
TITLE = ParagraphStyle("title", parent=SHEET["Heading1"], fontSize=16, spaceAfter=2)
PART = ParagraphStyle("part", parent=SHEET["Heading2"], fontSize=11, spaceBefore=8, spaceAfter=3)
WARNING = ParagraphStyle("warning", parent=BODY, textColor=colors.HexColor("#7a4f00"))


def pdf(found: Report) -> bytes:
    """The report on A4. The same report gives the same bytes."""
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=gettext("Ventra report, {title}").format(title=found.title),
        author="Ventra",
        lang=get_language(),
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        invariant=1,
    )

    def foot(canvas: Canvas, page: Any) -> None:
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(colors.HexColor("#4f5c66"))
        place = gettext("{title}, page {page}. Taken {moment}.")
        words = place.format(title=found.title, page=page.page, moment=found.made)
        canvas.drawString(18 * mm, 11 * mm, f"{gettext(NOTICE)}  {words}")

    document.build(list(_flow(found)), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _flow(found: Report) -> Iterator[Any]:
    yield Paragraph(escape(found.title), TITLE)
    yield Paragraph(escape(gettext(NOTICE)), SMALL)
    if not found.signature:
        yield Paragraph(escape(gettext(UNSIGNED)), WARNING)
    if found.form:
        yield Paragraph(escape(found.form), WARNING)
    yield _table(found.facts)
    if found.finding:
        yield Paragraph(escape(gettext("Finding")), PART)
        yield _table(found.finding)
    for scan in found.scans:
        yield KeepTogether(list(_scan_flow(scan)))
    yield from _withdrawn_flow(found)
    if found.reads:
        yield Paragraph(escape(gettext("Reads")), PART)
        yield from (Paragraph(escape(words), BODY) for words in found.reads)
    if found.advice:
        yield Paragraph(escape(gettext("Advice on acquisition")), PART)
        yield from (Paragraph(escape(words), BODY) for words in found.advice)
    if found.signature:
        yield Paragraph(escape(gettext("Signature")), PART)
        yield _table(found.signature)
    if found.later or found.addenda:
        yield Paragraph(escape(gettext("After the signature")), PART)
        yield Paragraph(escape(gettext(LATER)), SMALL)
        yield from (Paragraph(escape(words), BODY) for words in found.later)
    for head, text in found.addenda:
        yield Paragraph(escape(gettext("Addendum, {head}").format(head=head)), PART)
        yield Paragraph(escape(text).replace("\n", "<br/>"), BODY)


def _withdrawn_flow(found: Report) -> Iterator[Any]:
    if found.withdrawn:
        yield Paragraph(escape(gettext("Withdrawn scans")), PART)
    yield from (Paragraph(f"<strike>{escape(words)}</strike>", SMALL) for words in found.withdrawn)


def _scan_flow(scan: ScanReport) -> Iterator[Any]:
    yield Paragraph(escape(scan.title), PART)
    if scan.warning:
        yield Paragraph(escape(scan.warning), WARNING)
    if scan.study:
        yield Paragraph(escape(scan.study), SMALL)
    if scan.pictures:
        cells = [_cell(one) for one in scan.pictures]
        rows = [cells[start : start + IN_A_ROW] for start in range(0, len(cells), IN_A_ROW)]
        rows[-1] += [[]] * (len(rows[0]) - len(rows[-1]))
        yield Table(rows, hAlign="LEFT", colWidths=[(PICTURE_MM + 6) * mm] * len(rows[0]))
        yield Spacer(1, 2 * mm)
    yield from (Paragraph(escape(words), BODY) for words in scan.measurements)
    if scan.answers:
        words = (gettext("Model version"), gettext("Says"), gettext("Weights"))
        head = [Paragraph(f"<b>{escape(word)}</b>", SMALL) for word in words]
        rows = [[Paragraph(escape(cell), SMALL) for cell in line] for line in scan.answers]
        yield Table([head, *rows], hAlign="LEFT", colWidths=[38 * mm, 106 * mm, 28 * mm])


def _cell(picture: Picture) -> list[Any]:
    caption = Paragraph(escape(picture.caption), SMALL)
    return [caption] if picture.png is None else [_drawing(picture.png), caption]


def _drawing(png: bytes) -> Drawing:
    drawing = Drawing(io.BytesIO(png))
    factor = PICTURE_MM * mm / max(drawing.imageWidth, drawing.imageHeight)
    drawing.drawWidth, drawing.drawHeight = drawing.imageWidth * factor, drawing.imageHeight * factor
    return drawing


def _table(facts: Facts) -> Table:
    rows = [
        [Paragraph(escape(name), SMALL), Paragraph(escape(value).replace("\n", "<br/>"), BODY)]
        for name, value in facts
    ]
    return Table(rows, hAlign="LEFT", colWidths=[42 * mm, 130 * mm])
