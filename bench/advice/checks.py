"""T1: do the checks notice faults of known strength, in order, and leave clean scans alone?"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from skimage.measure import blur_effect

from advice.decisions import limit
from cases.advice.rulebook import Rulebook
from inference.engine.head.by_skull import find_head
from inference.engine.quality import check
from inference.engine.quality.upright import upright
from inference.formats.stack import Modality, PictureStack
from inference.phantom import Defects, HeadSpec, Phantom, render, sample_spec, volume
from inference.training.data.examples import picture_stack
from inference.training.synthesis.acquisitions import FAULTS, labelled_heads
from inference.training.synthesis.degrade import spoiled

GRADES = (0.25, 0.5, 0.75, 1.0)
PLAIN = 0.5
"""From this strength on a fault is one that must be told from none."""
FIRST_HEAD = 210_000
PLAINLY_CUT = 0.1
"""Share of a phantom head outside the picture from which it is cut. How far it was slid does not say so: of
those slid half of the way a quarter lost less than a fiftieth."""

Row = dict[str, Any]


def graded_phantoms(modality: Modality, heads: int, processes: int) -> list[Row]:
    """A row for each head, fault and step; grade 0 is a clean scan.

    {head, fault, check, step, grade, plain, value, peer}: plain where the fault must be told from none;
    peer is what a library measures, where there is one.
    """
    jobs = [(modality, FIRST_HEAD + number) for number in range(heads)]
    with get_context("spawn").Pool(processes) as workers:
        return [row for rows in workers.starmap(_graded, jobs, chunksize=1) for row in rows]


def _graded(modality: Modality, head: int) -> list[Row]:
    spec = sample_spec(np.random.default_rng([43, head]))
    rows: list[Row] = []
    for fault, name in FAULTS[modality].items():
        for grade in (0.0, *GRADES):
            made = render(spec, modality, seed=head, defects=Defects(**{fault: grade}))
            if fault == "crop":
                rows += _rows(made.stack(), head, fault, name, grade, cut=_cut_share(spec, made))
            else:
                rows += _rows(made.stack(), head, fault, name, grade)
    if modality == "mri":
        for grade in (0.0, *GRADES):
            stack = volume(spec, seed=head, defects=Defects(motion=grade), size=96, slice_spacing=4.0).stack()
            rows += _rows(stack, head, "motion", "slice_jumps", grade)
    return rows


def _cut_share(spec: HeadSpec, made: Phantom) -> float:
    """Share of the head that lies outside the picture; 0 where its edge is whole."""
    head = made.head
    if not (head[0].any() or head[-1].any() or head[:, 0].any() or head[:, -1].any()):
        return 0.0
    shown = float(head.sum()) * math.prod(made.pixel_spacing)
    return max(1e-3, 1 - shown / _whole_mm2(spec))


def _whole_mm2(spec: HeadSpec) -> float:
    """Area of the whole head: that of a rendering with room all around."""
    made = render(spec, "mri", seed=0)
    return float(made.head.sum()) * math.prod(made.pixel_spacing)


def _rows(
    stack: PictureStack, head: int | str, fault: str, name: str, step: float, cut: float | None = None
) -> Iterator[Row]:
    """cut: how much was really cut off, where the step does not say so."""
    middle = [len(stack.pixels) // 2] if len(stack.pixels) > 1 else [0]
    grade, plain = (step, step >= PLAIN) if cut is None else (cut, cut >= PLAINLY_CUT)
    row = {"head": head, "fault": fault, "check": name, "step": step, "grade": grade, "plain": plain}
    peer = _blur_effect(stack, middle[0]) if name == "blur" else None
    yield from ({**row, "value": one.value, "peer": peer} for one in check(stack, middle) if one.name == name)


def _blur_effect(stack: PictureStack, index: int) -> float | None:
    """scikit-image's measure of blur (Crete-Roffet et al. 2007) on the brain alone: what ours is held to."""
    frame = stack.pixels[index].astype(np.float32)
    head = find_head(frame, stack.modality)
    if head is None:
        return None
    brain = upright(frame, head.ellipse)
    return float(blur_effect(np.where(brain.core, brain.grey, np.median(brain.brain)), h_size=5))


def figures(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Of each fault: AUC against clean scans and mean rank correlation with the grade; its peer's too."""
    found = {}
    for fault in sorted({row["fault"] for row in rows}):
        mine = [row for row in rows if row["fault"] == fault]
        found[fault] = {
            "check": mine[0]["check"],
            "auc": _auc(mine, "value"),
            "spearman": _within_heads(mine, "value"),
            "spearman_of_means": _of_means(mine),
        }
        if all(row["peer"] is not None for row in mine):
            found[fault] |= {"peer_auc": _auc(mine, "peer"), "peer_spearman": _within_heads(mine, "peer")}
    return found


def _auc(rows: Sequence[Row], key: str) -> float:
    clean = np.array([row[key] for row in rows if row["grade"] == 0])
    bad = np.array([row[key] for row in rows if row["plain"]])
    return float(np.mean(bad[:, None] > clean) + 0.5 * np.mean(bad[:, None] == clean))


def _within_heads(rows: Sequence[Row], key: str) -> float:
    """Mean rank correlation with the grade over the heads that were measured at every step."""
    ranks = [
        stats.spearmanr([row["grade"] for row in own], [row[key] for row in own]).statistic
        for head in sorted({row["head"] for row in rows}, key=str)
        if len(own := [row for row in rows if row["head"] == head]) == len(GRADES) + 1
        and len({row["grade"] for row in own}) > 1
    ]
    return float(np.nan_to_num(ranks).mean())


def _of_means(rows: Sequence[Row]) -> float:
    """Of the mean value at each step: whether the response grows with the fault at all."""
    means = [np.mean([row["value"] for row in rows if row["step"] == step]) for step in (0.0, *GRADES)]
    return float(stats.spearmanr((0.0, *GRADES), means).statistic)


def false_advice(scans: Sequence[Mapping[str, float]], modality: str, rules: Rulebook) -> float:
    """Share of clean scans on which some check lies beyond its limit."""
    beyond = [any(value >= limit(rules, name, modality) for name, value in one.items()) for one in scans]
    return float(np.mean(beyond))


# Real pictures, made worse


def graded_real(folder: Path, count: int) -> tuple[list[Row], list[dict[str, float]]]:
    """Rows as of phantoms, and the checks of the pictures as they are. folder: of ultrasound pictures."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    step = max(1, len(files) // count)
    return _graded_scans((path.name, picture_stack(path)) for path in files[::step][:count])


def graded_labelled(folder: Path) -> tuple[list[Row], list[dict[str, float]]]:
    """The same of slices of real MRI volumes, their ventricle walls moved by the labels."""
    return _graded_scans((head.name, head.plain()) for head in labelled_heads(folder))


def _graded_scans(scans: Iterable[tuple[str, PictureStack]]) -> tuple[list[Row], list[dict[str, float]]]:
    rows: list[Row] = []
    whole: list[dict[str, float]] = []
    for name, stack in scans:
        whole.append({one.name: one.value for one in check(stack, [0])})
        for fault, asked in FAULTS[stack.modality].items():
            for grade in (0.0, *GRADES):
                rows += _rows(spoiled(stack, fault, grade, seed=7), name, fault, asked, grade)
    return rows, whole
