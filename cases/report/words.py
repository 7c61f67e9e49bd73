"""A report in the words of whoever reads it: one structure that the PDF and the print page both show.

It is made from the content alone (cases.report.content), so that a signed case prints what was signed.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, gettext_noop

from cases import words
from cases.advice.service import rules
from cases.models import Addendum, AdviceAnswer, AtriumStatement, Case, Measurement, Read, ScanWithdrawal
from cases.models.calibration import provenance
from cases.review.biometry import sentences
from cases.review.call_words import EXPERIMENTAL, call_sentence
from cases.review.measurements import CHECKLIST, unconfirmed
from cases.review.proposals import SIDES, origin_words, scale_words, width_words
from inference.models import Explanation, Image
from inference.results.proposals import Proposal
from language.numbers import decimal, probability
from language.stored import said as in_words

NOTICE = gettext_noop("Research and decision support, not a cleared device.")
UNSIGNED = gettext_noop("Not signed: this is a draft, and nobody stands for it yet.")
LATER = gettext_noop("No part of what was signed.")
EARLIER_FORM = gettext_noop(
    "Signed under an earlier form of the record: the signature binds the finding, the reads, the "
    "measurements and the scans by their hashes. The rest is shown as it stood when it was signed."
)
PROVISIONAL = gettext_noop("provisional: the measuring plane is not confirmed in full")
Facts = list[tuple[str, str]]
Content = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """A frame as PNG bytes, with or without lines and overlay; png: None where the bytes are damaged."""

    png: bytes | None
    caption: str

    @property
    def data_address(self) -> str:
        """For the print page."""
        return "data:image/png;base64," + base64.b64encode(self.png or b"").decode()


@dataclass(frozen=True)
class ScanReport:
    """One scan: what its file says of the study, its pictures, what was measured, what each version says.

    warning: where the file names another patient than the case's.
    """

    title: str
    study: str
    warning: str
    pictures: list[Picture]
    measurements: list[str]
    answers: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Report:
    """Everything a report says, in words. signature: empty while nobody has signed.

    later: what came after the signature; no part of what was signed.
    """

    title: str
    facts: Facts
    finding: Facts
    reads: list[str]
    advice: list[str]
    scans: list[ScanReport]
    signature: Facts
    made: str
    form: str = ""
    later: list[str] = field(default_factory=list)
    addenda: list[tuple[str, str]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)


def report(
    said: Content,
    png: Callable[[str], bytes | None],
    *,
    signed_sha256: str = "",
    form: str = "",
    later: list[str] | None = None,
    addenda: list[Addendum] | None = None,
) -> Report:
    """A content in words. png: the bytes of a picture by their SHA-256, None where they are damaged."""
    return Report(
        title=gettext("Case {number}").format(number=said["case"]["number"]),
        facts=_facts(said["case"]),
        finding=_finding(said),
        reads=[_read(read) for read in said["reads"]],
        advice=[_advice(one) for one in said["advice"]],
        scans=[_scan(scan, png) for scan in said["scans"]],
        signature=_signature(said["signature"], signed_sha256),
        made=_when(timezone.now()),
        form=gettext(form) if form else "",
        later=later or [],
        withdrawn=[_withdrawn(one) for one in said.get("withdrawn", [])],
        addenda=[(f"{one.name}, {_when(one.written_at)}", one.text) for one in addenda or []],
    )


def _facts(case: Content) -> Facts:
    age = Case(gestational_age_days=case["gestational_age_days"]).age_in_words
    facts = [(gettext("Patient"), case["patient_id"]), (gettext("Department"), case["department"])]
    facts += [(gettext("Gestational age"), age)] if age else []
    facts += [(gettext("Question"), case["question"])] if case["question"] else []
    data = (gettext("Data"), gettext("demonstration data, no real patient"))
    return facts + ([data] if case["is_demo"] else [])


def _finding(said: Content) -> Facts:
    read, facts = said["finding"], []
    if read:
        facts.append((gettext("Finding"), _found(read)))
        facts += [(gettext("Note"), read["note"])] if read["note"] else []
        facts += [(gettext("Differs from the models"), read["reason"])] if read["agrees"] is False else []
    if said["width"]:
        facts.append((gettext("Widest atrium"), _width(said["width"])))
    if said.get("provisional_width"):
        facts.append((gettext("Wider, but provisional"), _width(said["provisional_width"])))
    sides = said.get("atria", ())
    if any(one["width"] or one["unseen"] or one["pixels"] is not None for one in sides):
        facts += [_atrium(one) for one in sides]
    if said["call"]:
        facts.append((gettext("The models"), call_sentence(said["call"])))
    if reliance := _reliance(said):
        facts.append((gettext("Reliance on the models"), reliance))
    return facts


def _reliance(said: Content) -> str:
    """The first reason why each version is experimental; "" where none is, or was when it was signed."""
    lacking = {
        f"{answer['network']} {answer['version']}": answer["experimental"]
        for scan in said["scans"]
        for answer in scan["answers"]
        if answer.get("experimental") and answer["prediction"]
    }
    return "\n".join(
        f"{version}: {gettext(EXPERIMENTAL)} {in_words(conditions[0]['detail'])}"
        for version, conditions in lacking.items()
    )


def _found(read: Content) -> str:
    return str(Read(finding=read["finding"], laterality=read["laterality"]))


def _width(width: Content) -> str:
    told = f"{decimal(width['mm'], 1)} mm"
    if width.get("is_provisional"):
        return f"{told}, {gettext(PROVISIONAL)}"
    if width["severity"]:
        severity = in_words(width["severity"])
        told += ", " + gettext("{severity} by {scheme}").format(severity=severity, scheme=width["scheme"])
    return f"{told}; {gettext('grey zone, measure again or in another plane')}" if width["is_grey"] else told


def _atrium(one: Content) -> tuple[str, str]:
    """What is known of one side; that nothing is known is said too."""
    name = gettext("Left atrium") if one["side"] == "left" else gettext("Right atrium")
    if one["width"]:
        return name, _width(one["width"])
    if one["unseen"]:
        reason = AtriumStatement(reason=one["unseen"]["reason"], note=one["unseen"]["note"])
        told = gettext("not seen, because: {reason} ({name})")
        return name, told.format(reason=reason, name=one["unseen"]["name"])
    if one["pixels"] is not None:
        row = Measurement(length_px=one["pixels"], pixel_spacing_source=one.get("spacing", ""))
        return name, str(row)
    return name, gettext("not measured")


def _calibrated(scan: Content) -> list[str]:
    """By what a reader has calibrated the scan whose file states no scale; nothing where nobody has."""
    one = scan.get("calibration")
    if not one:
        return []
    told = gettext("Scale: {provenance}, {moment}, by a line of {length} mm on frame {number}").format(
        provenance=_provenance(one),
        moment=_at(one["at"]),
        length=decimal(one["length_mm"], 1),
        number=one["frame"] + 1,
    )
    return [f"{told}: {one['note']}" if one["note"] else f"{told}."]


def _provenance(one: Content) -> str:
    rows, columns = one["pixel_spacing"]
    return provenance((rows, columns), one["name"])


def _biometry(scan: Content) -> list[str]:
    """What the head measures; nothing where its scale is unknown, or was signed before it was measured."""
    return [sentences(scan["biometry"])] if scan.get("biometry") else []


def _advice(one: Content) -> str:
    told = rules().in_words(one["says"], get_language())
    if one["scan"]:
        told += ", " + gettext("scan {number}").format(number=one["scan"])
    told += f": {AdviceAnswer.Outcome(one['outcome']).label.lower()}"
    if one["reason"]:
        told += f": {one['reason']}"
    if one["follow_up"]:
        told += "; " + gettext("scan {number} followed").format(number=one["follow_up"])
    by = gettext("rules {version} {sha256}")
    return f"{told} ({by.format(version=one['rules_version'], sha256=one['rules_sha256'][:12])})"


def _read(read: Content) -> str:
    told = gettext("{kind} by {name}, {moment}: {finding}")
    kind, names = Read.Kind(read["kind"]).label, read["name"]
    if read.get("confirmed_by"):
        names = gettext("{name} and {other}").format(name=names, other=read["confirmed_by"])
    words = told.format(kind=kind, name=names, moment=_at(read["at"]), finding=_found(read))
    return f"{words} ({gettext('not blind')})" if read.get("unblinded") else words


def _scan(scan: Content, png: Callable[[str], bytes | None]) -> ScanReport:
    title = gettext("Scan {number}: {modality}, {columns} x {rows}")
    return ScanReport(
        title=title.format(
            number=scan["number"],
            modality=Image.Modality(scan["modality"]).label,
            columns=scan["columns"],
            rows=scan["rows"],
        ),
        study=_study(scan.get("identity") or {}),
        warning=_mismatch(scan.get("identity") or {}),
        pictures=[_picture(one, scan, png) for one in scan["pictures"]],
        measurements=[
            *_calibrated(scan),
            *_biometry(scan),
            *(_measured(one) for one in scan["measurements"]),
        ],
        answers=[answer_words(one) for one in scan["answers"]],
    )


def _study(said: Content) -> str:
    """ "Study of 3 November 2026, accession number A-77"; "" where the file says nothing of it."""
    told = []
    if said.get("study_date"):
        day = date_format(date.fromisoformat(said["study_date"]), "DATE_FORMAT")
        told.append(gettext("study of {day}").format(day=day))
    if said.get("accession_number"):
        told.append(gettext("accession number {number}").format(number=said["accession_number"]))
    if said.get("study_instance_uid"):
        told.append(f"StudyInstanceUID {said['study_instance_uid']}")
    return ", ".join(told)


def _mismatch(said: Content) -> str:
    if not said.get("mismatch"):
        return ""
    told = gettext("The file names another patient ({where}). Taken by {name}: {reason}")
    return told.format(where=", ".join(said["mismatch"]), name=said["name"], reason=said["reason"])


def _withdrawn(one: Content) -> str:
    why = ScanWithdrawal(reason=one["reason"], note=one["note"])
    told = gettext("Scan {number}, {modality}: withdrawn by {name}, {moment}: {why}")
    modality = Image.Modality(one["modality"]).label
    return told.format(
        number=one["number"], modality=modality, name=one["name"], moment=_at(one["at"]), why=why
    )


def _picture(one: Content, scan: Content, png: Callable[[str], bytes | None]) -> Picture:
    content = png(one["sha256"]) if one["sha256"] else None
    if one["map"]:
        caption = _map_caption(one["map"], one["frame"])
    else:
        caption = _place(one, scan)
        caption = "; ".join([caption, *_lines(one, scan)])
    if content is None:
        caption += ". " + gettext("The picture cannot be shown: its stored bytes are damaged.")
    return Picture(content, caption)


def _place(one: Content, scan: Content) -> str:
    """Which frame of the scan, or which cut of one of its other planes."""
    cut, number = one.get("plane"), one["frame"] + 1
    if cut:
        name = words.plane(cut["name"], cut["across"])
        return gettext("{plane} {number} of {total}").format(plane=name, number=number, total=cut["count"])
    return gettext("Frame {number} of {total}").format(number=number, total=scan["frames"])


def _lines(one: Content, scan: Content) -> Iterator[str]:
    """Each line on the picture by its number, with what it measures."""
    for measured in scan["measurements"]:
        if measured["number"] in one["measurements"]:
            row = _row(measured)
            told = f"{measured['number']}: {row.title} {row}"
            if measured.get("is_provisional"):
                told = gettext("{words} (broken line: provisional)").format(words=told)
            yield told


def _map_caption(found: Content, frame: int) -> str:
    told = gettext("{method} for {label}, frame {number}. {words}").format(
        method=words.method(found["method"]),
        label=in_words(found["class_label"]),
        number=frame + 1,
        words=" ".join(words.trust(_explanation(found)).sentences[:1]),
    )
    who = gettext("By {network} {version}, which calls the scan {label}.")
    who = who.format(network=found["network"], version=found["version"], label=in_words(found["label"]))
    return f"{told} {who}"


def _explanation(found: Content) -> Explanation:
    """A row that is never stored: what cases.words needs to say how far to trust it."""
    names = ("method", "class_label", "explains_prediction", "frames", "metrics")
    return Explanation(**{name: found[name] for name in names})


def _measured(one: Content) -> str:
    row = _row(one)
    told = gettext("{title}: {length} (spacing: {spacing}; {name})").format(
        title=row.title, length=row, spacing=_spacing(one), name=one["name"]
    )
    origin = [origin_words(one["proposal"])] if one.get("proposal") else []
    return " ".join([f"{one['number']}. {told}", *_plane(one), *origin])


def _spacing(one: Content) -> str:
    """Where the millimetres come from."""
    if one.get("calibration"):
        return _provenance(one["calibration"])
    return one["spacing"] or gettext("not known")


def _row(one: Content) -> Measurement:
    """A row that is never stored: what was measured, in words."""
    said = {name: one[name] for name in ("tool", "side", "length_mm", "length_px")}
    return Measurement(**said, pixel_spacing_source=one["spacing"])


def _plane(one: Content) -> Iterator[str]:
    """What whoever measured an atrial width confirmed of its plane, and what not."""
    if not one["checklist"]:
        return
    missing = unconfirmed(one["checklist"])
    points = [str(words) for name, words in CHECKLIST.items() if name not in missing]
    if missing:
        yield gettext("Provisional.")
    if points:
        yield gettext("{name} confirmed: {points}.").format(name=one["name"], points="; ".join(points))
    if missing:
        points = [str(CHECKLIST[name]) for name in missing]
        yield gettext("Not confirmed: {points}.").format(points="; ".join(points))


def answer_words(answer: Content) -> tuple[str, str, str]:
    """Version, what it says, and the beginning of its weights' SHA-256."""
    version = f"{answer['network']} {answer['version']}"
    said = answer["prediction"]
    if said is None:
        return (version, gettext("no answer"), "")
    proposed = "".join(f"; {_proposed(one)}" for one in said.get("proposals", ()))
    if answer.get("experimental") and (proposed or said["probability"] is not None):
        proposed += f". {gettext(EXPERIMENTAL)}"
    if said["probability"] is None:
        why = gettext("not analysable: {why}").format(why=in_words(said["refusal"]))
        return (version, why + proposed, "")
    told = gettext("{label}, {chance}{span}; from {threshold} ventriculomegaly").format(
        label=in_words(said["label"]),
        chance=probability(said["probability"]),
        span=_span(said["low"], said["high"]),
        threshold=probability(said["threshold"]),
    )
    return (version, told + proposed, said["weights_sha256"][:12])


def _proposed(one: Content) -> str:
    """A caliper that the version places, as no reader has confirmed it."""
    proposal = Proposal.of(one)
    told = gettext("{atrium}: {width} ({scale}), proposed, not confirmed")
    return told.format(atrium=SIDES[proposal.side], width=width_words(proposal), scale=scale_words(proposal))


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f" ({gettext('{low} to {high}').format(low=probability(low), high=probability(high))})"


def _signature(signed: Content | None, sha256: str) -> Facts:
    if signed is None:
        return []
    return [
        (gettext("Signed by"), signed["name"]),
        (gettext("On"), _at(signed["at"])),
        (gettext("Meaning"), in_words(signed["meaning"])),
        (gettext("SHA-256 of what was signed"), sha256),
    ]


def later_words(scans: list[Content], known: frozenset[Any]) -> Iterator[str]:
    """What stands beside a signed report: answers of scans that the signature does not name."""
    for scan in scans:
        for answer in scan["answers"]:
            if answer["prediction"] and answer["prediction"]["id"] not in known:
                version, told, _weights = answer_words(answer)
                sentence = gettext("Scan {number}, {moment}: {version}: {words}")
                yield sentence.format(
                    number=scan["number"],
                    moment=_at(answer["prediction"]["at"]),
                    version=version,
                    words=told,
                )


def _at(moment: str) -> str:
    return _when(datetime.fromisoformat(moment))


def _when(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"
