"""The report of a case: one structure that the PDF and the print page both show."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, gettext_noop

from blobs.store import BlobCorrupt
from cases import pictures
from cases.advising import rules
from cases.basis import answers_of as answered_advice
from cases.desk import Desk
from cases.measuring import Width
from cases.models import AdviceAnswer, Case, Measurement
from cases.reading import Answer, CaseReading, ScanReading, Why
from language.numbers import decimal
from language.stored import said as in_words

NOTICE = gettext_noop("Research and decision support, not a cleared device.")
UNSIGNED = gettext_noop("Not signed: this is a draft, and nobody stands for it yet.")
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


def _facts(case: Case) -> Facts:
    facts = [(gettext("Patient"), case.patient.patient_id), (gettext("Department"), case.department.name)]
    facts += [(gettext("Gestational age"), case.age_in_words)] if case.gestational_age else []
    facts += [(gettext("Question"), case.question)] if case.question else []
    data = (gettext("Data"), gettext("demonstration data, no real patient"))
    return facts + ([data] if case.is_demo else [])


def _finding(desk: Desk) -> Facts:
    read, facts = desk.counting, []
    if read and not desk.hidden:
        facts.append((gettext("Finding"), str(read)))
        facts += [(gettext("Note"), read.note)] if read.note else []
        facts += [(gettext("Differs from the models"), read.reason)] if read.agrees is False else []
    if desk.width:
        facts.append((gettext("Widest atrium"), _width_words(desk.width, desk.rules.scheme.title)))
    if desk.called:
        facts.append((gettext("The models"), in_words(desk.called.label)))
    return facts


def _width_words(width: Width, scheme: str) -> str:
    words = f"{decimal(width.mm, 1)} mm"
    if width.severity:
        severity = gettext("{severity} by {scheme}").format(severity=in_words(width.severity), scheme=scheme)
        words = f"{words}, {severity}"
    return f"{words}; {gettext('grey zone, measure again or in another plane')}" if width.is_grey else words


def _advice_words(one: AdviceAnswer) -> str:
    words = rules().in_words(str(one.suggestion["says"]), get_language())
    if one.suggestion["scan"]:
        words += ", " + gettext("scan {number}").format(number=one.suggestion["scan"])
    words += f": {one.get_outcome_display().lower()}"
    if one.reason:
        words += f": {one.reason}"
    if one.follow_up:
        words += "; " + gettext("scan {number} followed").format(number=one.follow_up.number)
    by = gettext("rules {version} {sha256}")
    return f"{words} ({by.format(version=one.advice.rules_version, sha256=one.advice.rules_sha256[:12])})"


def _read_words(read: Any) -> str:
    words = gettext("{kind} by {name}, {moment}: {finding}")
    kind, moment = read.get_kind_display(), _when(read.created_at)
    return words.format(kind=kind, name=read.reader.full_name, moment=moment, finding=read)


def _scan(entry: ScanReading, desk: Desk) -> ScanReport:
    image = entry.scan.image
    measured = [one for one in desk.standing if one.scan_id == entry.scan.pk]
    return ScanReport(
        title=gettext("Scan {number}: {modality}, {columns} x {rows}").format(
            number=entry.scan.number,
            modality=image.get_modality_display(),
            columns=image.columns,
            rows=image.rows,
        ),
        pictures=list(_pictures(entry, hidden=desk.hidden)),
        measurements=[_measured(one) for one in measured],
        answers=[] if desk.hidden else [_answer(answer) for answer in entry.answers],
    )


def _measured(one: Measurement) -> str:
    spacing = one.pixel_spacing_source or gettext("not known")
    words = gettext("{title}: {length} (spacing: {spacing}; {name})")
    return words.format(title=one.title, length=one, spacing=spacing, name=one.made_by.full_name)


def _answer(answer: Answer) -> tuple[str, str, str]:
    said = answer.prediction
    if said is None:
        return (str(answer.version), gettext("no answer"), "")
    if said.probability is None:
        return (
            str(answer.version),
            gettext("not analysable: {why}").format(why=in_words(said.refusal_reason)),
            "",
        )
    span = ""
    if said.probability_low is not None and said.probability_high is not None:
        low, high = decimal(said.probability_low, 2), decimal(said.probability_high, 2)
        span = f" ({gettext('{low} to {high}').format(low=low, high=high)})"
    words = gettext("{label}, {chance}{span}; from {threshold} ventriculomegaly").format(
        label=in_words(said.label),
        chance=decimal(said.probability, 2),
        span=span,
        threshold=decimal(said.threshold, 2),
    )
    return (f"{answer.version.network} {answer.version.version}", words, said.weights_sha256[:12])


def _pictures(entry: ScanReading, *, hidden: bool) -> Iterator[Picture]:
    """The frame as it is, then under the most reliable map of the answer that leads."""
    image, read = entry.scan.image, entry.frames_read
    middle = read[len(read) // 2] if read and not hidden else image.frames // 2
    try:
        frame_words = gettext("Frame {number} of {total}").format(number=middle + 1, total=image.frames)
        yield Picture(pictures.frame_png(image, middle), frame_words)
        if why := None if hidden else _best(entry):
            row = len(why.explanation.frames) // 2
            frame = why.explanation.frames[row]
            words = " ".join(why.trust.sentences[:1])
            caption = gettext("{method} for {label}, frame {number}. {words}").format(
                method=why.method,
                label=in_words(why.explanation.class_label),
                number=frame + 1,
                words=words,
            )
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
        (gettext("Signed by"), signed.name),
        (gettext("On"), _when(signed.signed_at)),
        (gettext("Meaning"), in_words(signed.meaning)),
        (gettext("SHA-256 of what was signed"), signed.content_sha256),
    ]


def _when(moment: Any) -> str:
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"
