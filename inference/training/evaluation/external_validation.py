"""A finished version on labelled scans it was not made from: through the same door as in production.

What the engine refuses is counted and never dropped in silence: figures rest on the answered scans, and the
share of refusals stands beside them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.engine.explain.explainers import explain
from inference.engine.head.by_skull import find_head
from inference.engine.measuring.answer import MeasuringModel
from inference.engine.records import LABELS, Answer
from inference.engine.versions import Model, predict
from inference.formats import read
from inference.formats.stack import PictureStack
from inference.training.data.groups import check_groups, week_of
from inference.training.data.sources import table
from inference.training.evaluation.calls import right_calls
from inference.training.evaluation.figures import (
    Figure,
    auc,
    average_precision,
    bootstrap,
    calibration_error,
    difference,
    shares,
    wilson,
)
from inference.training.evaluation.selective import selective
from inference.training.evaluation.source_leakage import CHANGES
from refusals import Refusal

BATCH = 8
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".nii", ".nii.gz")
PATIENT = re.compile(r"(?i)(?:patient|case|sub|subject)[-_ ]?0*(\d+)")
UNDECIDED = 0.5
DEPENDS_ON_THE_MIX = frozenset({"positive_predictive_value", "negative_predictive_value"})
"""Shares of right calls that hold for this folder's mix alone: `calls` says them as counts instead."""


@dataclass(frozen=True)
class Labelled:
    """One labelled scan. label: one of LABELS, or anything else for a scan of neither class."""

    file: str
    label: str
    group: str
    severity: str = ""
    week: str = ""


def listed(folder: Path) -> list[Labelled]:
    """The scans of a folder with labels.csv, or with one folder for each class.

    Without labels.csv the group is the patient that a file name speaks of, or else the file itself.
    Raises GroupLeak, FileNotFoundError, KeyError.
    """
    path = folder / "labels.csv"
    found = _from_table(path) if path.exists() else _from_folders(folder)
    if not found:
        raise FileNotFoundError(f"{folder} has no labels.csv and no folder named after a class.")
    check_groups([scan.group for scan in found], [scan.file for scan in found])
    return found


def _from_table(path: Path) -> list[Labelled]:
    return [
        Labelled(
            row["file"],
            row["label"],
            row["group"],
            row.get("severity") or "",
            row.get("week") or week_of(row["group"]),
        )
        for row in table(path)
    ]


def _from_folders(folder: Path) -> list[Labelled]:
    found = []
    for label in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        for path in sorted((folder / label).rglob("*")):
            if path.name.lower().endswith(SUFFIXES):
                name = path.relative_to(folder).as_posix()
                patient = PATIENT.search(path.name)
                found.append(Labelled(name, label, f"patient-{patient.group(1)}" if patient else name))
    return found


@dataclass(frozen=True)
class Answers:
    """What a version said about labelled scans, in their order; nan where it refused."""

    scans: tuple[Labelled, ...]
    chances: np.ndarray[Any, np.dtype[np.float64]]
    doubts: np.ndarray[Any, np.dtype[np.float64]]
    heat_outside: np.ndarray[Any, np.dtype[np.float64]]
    refusals: dict[str, int]


def answered(model: Model, folder: Path, scans: Sequence[Labelled], change: Any = None) -> Answers:
    """Every scan through the engine. change: (stack, head) -> stack, for the confound checks."""
    chances, doubts, heat = (np.full(len(scans), np.nan) for _ in range(3))
    refusals: dict[str, int] = {}
    for start in range(0, len(scans), BATCH):
        read_in = list(_stacks(model, folder, scans[start : start + BATCH], refusals, change))
        ages = [_age_days(model, scans[start + offset]) for offset, _ in read_in]
        said = predict(model, [stack for _, stack in read_in], ages_days=ages)
        for (offset, stack), answer in zip(read_in, said, strict=True):
            row = start + offset
            if answer.probability is not None and answer.doubt is not None:
                chances[row], doubts[row] = answer.probability, answer.doubt
                heat[row] = np.nan if change else _heat_outside(model, stack, answer)
            elif answer.refusal:
                refusals[answer.refusal.code] = refusals.get(answer.refusal.code, 0) + 1
    return Answers(tuple(scans), chances, doubts, heat, refusals)


def _age_days(model: Model, scan: Labelled) -> int | None:
    """The week of a scan, for what measures: it gives millimetres where the file states no scale."""
    return 7 * int(scan.week) if isinstance(model, MeasuringModel) and scan.week.isdecimal() else None


def _heat_outside(model: Model, stack: PictureStack, answer: Answer) -> float:
    """Share of Grad-CAM's heat that lies outside the head; nan for networks without a layer to weigh."""
    if isinstance(model, MeasuringModel) or not model.network.gradcam_layer:
        return np.nan
    return 1 - float(explain("gradcam", model, stack, answer).metrics["inside_head"])


def _stacks(
    model: Model, folder: Path, scans: Sequence[Labelled], refusals: dict[str, int], change: Any
) -> Iterator[tuple[int, PictureStack]]:
    for offset, scan in enumerate(scans):
        try:
            stack = read(folder / scan.file, modality=model.record.modality, file_name=scan.file)
        except Refusal as refused:
            refusals[refused.code] = refusals.get(refused.code, 0) + 1
            continue
        yield offset, _changed(stack, change) if change else stack


def _changed(stack: PictureStack, change: Any) -> PictureStack:
    head = find_head(stack.pixels[0].astype(np.float32), stack.modality)
    changed: PictureStack = change(stack, head.ellipse) if head else stack
    return changed


def evaluate(model: Model, folder: Path, scans: Sequence[Labelled]) -> dict[str, Any]:
    """Every figure of the version on these scans; plain JSON values only."""
    found = answered(model, folder, scans)
    of_class = np.array([scan.label in LABELS for scan in found.scans])
    answers = of_class & ~np.isnan(found.chances)
    truth = np.array([scan.label == LABELS[1] for scan in found.scans], np.int64)
    groups = np.array([scan.group for scan in found.scans], np.str_)
    chances, called = found.chances, found.chances >= model.record.threshold
    part = _figures(truth[answers], chances[answers], called[answers], groups[answers])
    figures = {name: figure.as_json() for name, figure in part.items() if name not in DEPENDS_ON_THE_MIX}
    kept = [scan for scan, good in zip(found.scans, answers, strict=True) if good]
    return {
        "model": {"network": model.record.network, "version": model.record.version},
        "threshold": model.record.threshold,
        "counts": _counts(found, of_class),
        "figures": figures,
        "calibration_error": calibration_error(truth[answers], chances[answers]) if answers.any() else None,
        "calls": right_calls(figures),
        "by_severity": _by(kept, called[answers], truth[answers], "severity"),
        "by_week": _by(kept, called[answers], truth[answers], "week"),
        "confound": _confound(model, folder, found, answers),
        "heat": _heat(found.heat_outside[answers], truth[answers], groups[answers]),
        "selective": _selective(model, found, answers, truth, groups),
        "held_out_answers": _listed(truth[answers], chances[answers], groups[answers]),
    }


def _figures(truth: Any, chances: Any, called: Any, groups: Any) -> dict[str, Figure]:
    """Shares with Wilson's intervals; areas and F1 by drawing whole groups."""
    found = shares(truth, called)
    if len(np.unique(truth)) == 2:
        found["auc"] = bootstrap(auc, truth, chances, groups)
        found["average_precision"] = bootstrap(average_precision, truth, chances, groups)
        found["f1"] = bootstrap(_f1, truth, called.astype(float), groups)
    return found


def _selective(model: Model, found: Answers, answers: Any, truth: Any, groups: Any) -> dict[str, Any]:
    chances, threshold = found.chances[answers], model.record.threshold
    distance = np.abs(_logit(chances) - _logit(np.array(threshold)))
    called = (chances >= threshold).astype(np.int64)
    return selective(truth[answers], called, found.doubts[answers], distance, groups[answers])


def _logit(chances: Any) -> Any:
    inside = np.clip(chances, 1e-12, 1 - 1e-12)
    return np.log(inside / (1 - inside))


def _heat(outside: Any, truth: Any, groups: Any) -> dict[str, Any]:
    if not len(outside) or np.isnan(outside).any():
        return {}
    return {"heat_outside_head": bootstrap(lambda _, v: float(v.mean()), truth, outside, groups).as_json()}


def _f1(truth: Any, called: Any) -> float:
    hits = float((truth * called).sum())
    return 2 * hits / max(float(truth.sum() + called.sum()), 1.0)


def _counts(found: Answers, of_class: Any) -> dict[str, Any]:
    return {
        "scans": len(found.scans),
        "normal": sum(scan.label == LABELS[0] for scan in found.scans),
        "ventriculomegaly": sum(scan.label == LABELS[1] for scan in found.scans),
        "neither": int((~of_class).sum()),
        "groups": len({scan.group for scan in found.scans}),
        "answered": int((~np.isnan(found.chances)).sum()),
        "refused": found.refusals,
    }


def _by(kept: Sequence[Labelled], called: Any, truth: Any, name: str) -> dict[str, Any]:
    """Sensitivity within each severity or week that is known."""
    values = np.array([getattr(scan, name) for scan in kept], np.str_)
    found = {}
    for value in sorted({value for value in values.tolist() if value}):
        mine = (values == value) & (truth == 1)
        if mine.any():
            found[value] = wilson(int(called[mine].sum()), int(mine.sum())).as_json()
    return found


def _confound(model: Model, folder: Path, found: Answers, answers: Any) -> dict[str, Any]:
    """Only the border, the border removed, and other anomalies of the positives' own source.

    A refused scan carries no answer, so it ranks in the middle; the share of answers stands beside it.
    """
    truth = np.array([scan.label == LABELS[1] for scan in found.scans], np.int64)[answers]
    groups = np.array([scan.group for scan in found.scans], np.str_)[answers]
    scans = [scan for scan, good in zip(found.scans, answers, strict=True) if good]
    checks: dict[str, Any] = {}
    if model.record.modality == "ultrasound" and len(np.unique(truth)) == 2:
        ranked = {}
        for name, change in CHANGES.items():
            changed = answered(model, folder, scans, change).chances
            ranked[name] = np.where(np.isnan(changed), UNDECIDED, changed)
            checks[f"auc_{name}"] = bootstrap(auc, truth, ranked[name], groups).as_json()
            checks[f"share_answered_{name}"] = float((~np.isnan(changed)).mean())
        lost = difference(truth, ranked["border_removed"], found.chances[answers], groups)
        checks["border_removed_minus_whole"] = lost.as_json()
    return checks | _against_neither(found)


def _against_neither(found: Answers) -> dict[str, Any]:
    """AUC of ventriculomegaly against scans of neither class, and how many of these are called."""
    positive = np.array([scan.label == LABELS[1] for scan in found.scans])
    neither = np.array([scan.label not in LABELS for scan in found.scans])
    mine = (positive | neither) & ~np.isnan(found.chances)
    if not (positive & mine).any() or not (neither & mine).any():
        return {}
    groups = np.array([scan.group for scan in found.scans], np.str_)
    figure = bootstrap(auc, positive[mine].astype(np.int64), found.chances[mine], groups[mine])
    return {"auc_against_other_anomalies": figure.as_json()}


def _listed(truth: Any, chances: Any, groups: Any) -> list[list[float]]:
    _, numbers = np.unique(groups, return_inverse=True)
    rows = zip(truth.tolist(), chances.tolist(), numbers.tolist(), strict=True)
    return [[label, round(chance, 5), number] for label, chance, number in rows]
