"""The worklist: which cases are shown, and what one line says about each."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import User
from cases.forms import WorklistForm
from cases.models import Case, CaseQuerySet, Scan
from cases.words import finding
from inference.models import Prediction

PAGE = 40


@dataclass(frozen=True)
class Line:
    """One case in the worklist. progress: a Case.Progress value."""

    case: Case
    progress: str
    progress_words: str
    modalities: tuple[str, ...]
    scans: int
    verdict: str


@dataclass(frozen=True)
class Page:
    """Some lines, and the case from which the next page continues."""

    lines: list[Line]
    next_after: uuid.UUID | None


def page(user: User, form: WorklistForm) -> Page:
    """The newest cases that the user may see and the filters let through."""
    cases = form.narrow(Case.objects.visible_to(user).with_progress())
    cases = _continued(cases, user, form.continues_after()).select_related("patient", "department")
    found = list(cases.order_by("-opened_at", "-pk")[: PAGE + 1])
    shown = found[:PAGE]
    return Page(_lines(shown), shown[-1].pk if len(found) > PAGE else None)


def verdict(predictions: Sequence[Prediction]) -> str:
    """Several answers in a few words: not averaged, a disagreement is said, the most alarming leads."""
    chances = [answer.probability for answer in predictions if answer.probability is not None]
    if not chances:
        return "Not analysable" if predictions else ""
    low, high = f"{min(chances):.2f}", f"{max(chances):.2f}"
    figures = low if low == high else f"{low}–{high}"
    labels = {answer.label for answer in predictions if answer.analysable}
    if len(labels) > 1:
        return f"Answers differ {figures}"
    return f"{finding(labels.pop(), max(chances))} {figures}"


def _continued(cases: CaseQuerySet, user: User, after: uuid.UUID | None) -> CaseQuerySet:
    last = Case.objects.visible_to(user).filter(pk=after).first() if after else None
    return cases.after(last) if last else cases


def _lines(cases: Sequence[Case]) -> list[Line]:
    scans = defaultdict(list)
    for scan in Scan.objects.filter(case__in=cases).select_related("image"):
        scans[scan.case_id].append(scan)
    answers = newest_answers(scan.image_id for found in scans.values() for scan in found)
    return [_line(case, scans[case.pk], answers) for case in cases]


def newest_answers(images: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Prediction]]:
    """For each image the newest answer of every model version."""
    answers = Prediction.objects.shown().filter(image__in=list(images))
    newest = answers.order_by("image_id", "model_version_id", "-created_at")
    found = defaultdict(list)
    for answer in newest.distinct("image_id", "model_version_id"):
        found[answer.image_id].append(answer)
    return found


def _line(case: Case, scans: Sequence[Scan], answers: dict[uuid.UUID, list[Prediction]]) -> Line:
    progress = Case.Progress(case.progress)  # type: ignore[attr-defined]  # annotated by with_progress
    return Line(
        case=case,
        progress=progress.value,
        progress_words=str(progress.label),
        modalities=tuple(sorted({scan.image.get_modality_display() for scan in scans})),
        scans=len(scans),
        verdict=verdict([answer for scan in scans for answer in answers[scan.image_id]]),
    )
