"""The checkers: is the case complete, and how much hangs on the present answer?

Complete by what the field asks of every examination. Much hangs on an answer where a wrong one is likely, or
could not be noticed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cases.advice.findings import Finding, NotAssessable

COMPLETENESS, RISK = "completeness 1.1", "risk 1.0"
PLACEMENT = frozenset({"perpendicular", "on_to_on"})
"""Points of the checklist that are about how the caliper lies; the others are landmarks of the plane."""
PLANES = 3
NEARLY_CUBIC = 1.5
"""A volume whose slices lie at most this much farther apart than its pixels can be cut in every plane."""


@dataclass(frozen=True)
class ScanFacts:
    """What is known of one scan. slice_thickness, slice_spacing: mm, None where no file states them."""

    number: int
    modality: str
    plane: str
    is_volume: bool
    pixel_spacing: tuple[float, float] | None
    slice_spacing: float | None
    slice_thickness: float | None


@dataclass(frozen=True)
class WidthFacts:
    """An atrial width that stands. missing: points of the checklist that its reader did not confirm."""

    scan: int
    modality: str
    side: str
    missing: tuple[str, ...]


def completeness(
    scans: Sequence[ScanFacts], widths: Sequence[WidthFacts], unseen: Collection[str] = ()
) -> tuple[list[Finding], list[NotAssessable]]:
    """What is missing, and what cannot be said. unseen: sides of which is said why not."""
    found = [*_without_scale(scans), *_sides(scans, widths, unseen), *_unconfirmed(widths)]
    unknown: list[NotAssessable] = []
    volumes = [scan for scan in scans if scan.modality == "mri"]
    if volumes:
        _planes(volumes, found, unknown)
        for scan in volumes:
            _slices(scan, found, unknown)
    return found, unknown


def _without_scale(scans: Sequence[ScanFacts]) -> Iterator[Finding]:
    for scan in scans:
        if scan.pixel_spacing is None:
            yield Finding("no_spacing", 1.0, scan.modality, COMPLETENESS, scan=scan.number)


def _sides(
    scans: Sequence[ScanFacts], widths: Sequence[WidthFacts], unseen: Collection[str]
) -> Iterator[Finding]:
    """Asked once somebody has begun to measure: before that, nothing is overdue."""
    if not scans or not (widths or unseen):
        return
    missing = {"left", "right"} - {width.side for width in widths} - set(unseen)
    if missing:
        detail = f"not measured, or the side not said: {' and '.join(sorted(missing))}"
        modality = widths[-1].modality if widths else scans[0].modality
        yield Finding(
            "sides_unmeasured", float(len(missing)), modality, COMPLETENESS, detail=detail, is_telling=True
        )


def _unconfirmed(widths: Sequence[WidthFacts]) -> Iterator[Finding]:
    """Of each side's best measured width: one with the whole checklist makes up for one without.

    A width whose side nobody said is asked about only where no other is confirmed.
    """
    for side in ("left", "right", ""):
        mine = [width for width in widths if width.side == side]
        best = min(mine, key=lambda width: len(width.missing), default=None)
        if best is None or not best.missing or (not side and any(not one.missing for one in widths)):
            continue
        landmarks = [name for name in best.missing if name not in PLACEMENT]
        placement = [name for name in best.missing if name in PLACEMENT]
        for name, missing in (("landmarks_missing", landmarks), ("placement_unconfirmed", placement)):
            if missing:
                yield Finding(
                    name,
                    float(len(missing)),
                    best.modality,
                    COMPLETENESS,
                    scan=best.scan,
                    detail=f"not confirmed: {', '.join(missing)}",
                    is_telling=True,
                )


def _planes(scans: Sequence[ScanFacts], found: list[Finding], unknown: list[NotAssessable]) -> None:
    if any(_is_cubic(scan) for scan in scans):
        return
    unstated = [scan for scan in scans if not scan.plane]
    planes = {scan.plane for scan in scans if scan.plane}
    if len(planes) >= PLANES:
        return
    if unstated:
        unknown.append(NotAssessable("planes_missing", "not every series states its plane"))
        return
    missing = sorted({"axial", "coronal", "sagittal"} - planes)
    detail = f"missing: {', '.join(missing)}"
    found.append(Finding("planes_missing", float(PLANES - len(planes)), "mri", COMPLETENESS, detail=detail))


def _is_cubic(scan: ScanFacts) -> bool:
    if scan.pixel_spacing is None or scan.slice_spacing is None:
        return False
    _, pixel, slices = sorted((*scan.pixel_spacing, scan.slice_spacing))
    return slices <= NEARLY_CUBIC * pixel


def _apart(scan: ScanFacts) -> float | None:
    """Millimetres between the slices of a volume as acquired: axial frames may be made of them."""
    if not scan.is_volume or scan.slice_spacing is None:
        return None
    rows, columns = scan.pixel_spacing or (0.0, 0.0)
    return max(scan.slice_spacing, rows, columns)


def _slices(scan: ScanFacts, found: list[Finding], unknown: list[NotAssessable]) -> None:
    thickness = scan.slice_thickness or _apart(scan)
    if thickness is None:
        unknown.append(NotAssessable("thick_slices", "the file does not state SliceThickness", scan.number))
        return
    found.append(Finding("thick_slices", thickness, "mri", COMPLETENESS, scan=scan.number, detail="mm"))
    if scan.slice_thickness and scan.slice_spacing:
        gap = max(0.0, scan.slice_spacing - scan.slice_thickness)
        found.append(Finding("slice_gap", gap, "mri", COMPLETENESS, scan=scan.number, detail="mm"))


@dataclass(frozen=True)
class AnswerFacts:
    """What one model version says about a scan. likelihood: of a head that its gate knows, 0 to 1.

    reliable: for each explanation of the called class, whether it can be relied on.
    """

    label: str
    analysable: bool
    refusal: str
    doubt: float | None
    likelihood: float | None
    is_combined: bool
    reliable: tuple[bool, ...]


def scan_risks(number: int, modality: str, answers: Sequence[AnswerFacts]) -> Iterator[Finding]:
    """Risks of one scan; everything here rests on what the models said."""

    def found(name: str, value: float, detail: str = "") -> Finding:
        return Finding(name, value, modality, RISK, scan=number, detail=detail, is_telling=True)

    said = [answer for answer in answers if answer.analysable]
    refused = [answer for answer in answers if not answer.analysable]
    if refused and not said:
        yield found("not_analysable", 1.0, refused[0].refusal)
        return
    doubts = [answer.doubt for answer in _leading(said) if answer.doubt is not None]
    if doubts:
        yield found("doubt", max(doubts))
    yield found("models_disagree", float(len({one.label for one in said if not one.is_combined}) > 1))
    known = [answer.likelihood for answer in said if answer.likelihood is not None]
    if known:
        yield found("unfamiliar", 1 - min(known))
    explained = [reliable for answer in said for reliable in answer.reliable]
    if explained:
        yield found("unreliable_explanation", float(not any(explained)))


def _leading(said: Sequence[AnswerFacts]) -> list[AnswerFacts]:
    """The combined answer where there is one, else all."""
    combined = [answer for answer in said if answer.is_combined]
    return combined or list(said)


def width_risks(modality: str, *, is_grey: bool, conflict: str) -> Iterator[Finding]:
    """Risks of the widest atrium. conflict: how caliper and models contradict each other, or ""."""
    yield Finding("grey_zone", float(is_grey), modality, RISK, is_telling=True)
    yield Finding("conflict", float(bool(conflict)), modality, RISK, detail=conflict, is_telling=True)
