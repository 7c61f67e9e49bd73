"""T1: do the checks notice faults of known strength, in order, and leave clean scans alone?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from advice.decisions import limit
from cases.protocol.rulebook import Rulebook
from inference.engine.quality import check
from inference.formats.stack import Modality, PictureStack
from inference.phantom import Defects, render, sample_spec, volume
from inference.training.acquisitions import FAULTS
from inference.training.data import picture_stack

GRADES = (0.25, 0.5, 0.75, 1.0)
PLAIN = 0.5
"""From this strength on a fault is one that must be told from none."""
FIRST_HEAD = 200_000

Row = dict[str, Any]


def graded_phantoms(modality: Modality, heads: int, processes: int) -> list[Row]:
    """A row for each head, fault and grade: {head, fault, check, grade, value}; grade 0 is the clean scan."""
    jobs = [(modality, FIRST_HEAD + number) for number in range(heads)]
    with get_context("spawn").Pool(processes) as workers:
        return [row for rows in workers.starmap(_graded, jobs, chunksize=1) for row in rows]


def _graded(modality: Modality, head: int) -> list[Row]:
    spec = sample_spec(np.random.default_rng([43, head]))
    rows: list[Row] = []
    for fault, name in FAULTS[modality].items():
        for grade in (0.0, *GRADES):
            stack = render(spec, modality, seed=head, defects=Defects(**{fault: grade})).stack()
            rows += _rows(stack, head, fault, name, grade)
    if modality == "mri":
        for grade in (0.0, *GRADES):
            stack = volume(spec, seed=head, defects=Defects(motion=grade), size=96, slice_spacing=4.0).stack()
            rows += _rows(stack, head, "motion", "slice_jumps", grade)
    return rows


def _rows(stack: PictureStack, head: int | str, fault: str, name: str, grade: float) -> Iterator[Row]:
    middle = [len(stack.pixels) // 2] if len(stack.pixels) > 1 else [0]
    for one in check(stack, middle):
        if one.name == name:
            yield {"head": head, "fault": fault, "check": name, "grade": grade, "value": one.value}


def figures(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """AUC against clean scans and mean rank correlation with the grade, for each fault."""
    found = {}
    for fault in sorted({row["fault"] for row in rows}):
        mine = [row for row in rows if row["fault"] == fault]
        clean = np.array([row["value"] for row in mine if row["grade"] == 0])
        bad = np.array([row["value"] for row in mine if row["grade"] >= PLAIN])
        ranks = [
            stats.spearmanr([row["grade"] for row in own], [row["value"] for row in own]).statistic
            for head in sorted({row["head"] for row in mine}, key=str)
            if len(own := [row for row in mine if row["head"] == head]) == len(GRADES) + 1
        ]
        found[fault] = {
            "check": mine[0]["check"],
            "auc": float(np.mean(bad[:, None] > clean) + 0.5 * np.mean(bad[:, None] == clean)),
            "spearman": float(np.nan_to_num(ranks).mean()),
            "spearman_of_means": _of_means(mine),
        }
    return found


def _of_means(rows: Sequence[Row]) -> float:
    """Of the mean value at each grade: whether the response grows with the fault at all."""
    means = [np.mean([row["value"] for row in rows if row["grade"] == grade]) for grade in (0.0, *GRADES)]
    return float(stats.spearmanr((0.0, *GRADES), means).statistic)


def false_advice(scans: Sequence[Mapping[str, float]], modality: str, rules: Rulebook) -> float:
    """Share of clean scans on which some check lies beyond its limit."""
    beyond = [any(value >= limit(rules, name, modality) for name, value in one.items()) for one in scans]
    return float(np.mean(beyond))


# Real pictures, made worse


def _blurred(picture: NDArray, grade: float, _: np.random.Generator) -> NDArray:
    return ndimage.gaussian_filter(picture, 0.012 * grade * max(picture.shape))


def _smeared(picture: NDArray, grade: float, _: np.random.Generator) -> NDArray:
    return ndimage.gaussian_filter1d(picture, 0.02 * grade * max(picture.shape), axis=1)


def _noisy(picture: NDArray, grade: float, rng: np.random.Generator) -> NDArray:
    return np.asarray(picture + rng.normal(0, 0.25 * grade * picture.std(), picture.shape))


def _saturated(picture: NDArray, grade: float, _: np.random.Generator) -> NDArray:
    return np.asarray(picture * (1 + 3 * grade))


def _cropped(picture: NDArray, grade: float, _: np.random.Generator) -> NDArray:
    return picture[:, : int(picture.shape[1] * (1 - 0.45 * grade))]


SPOILERS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "blur": ("blur", _blurred),
    "motion": ("smear", _smeared),
    "noise": ("noise", _noisy),
    "gain": ("saturation", _saturated),
    "crop": ("cut_off", _cropped),
}


def graded_real(folder: Path, count: int) -> tuple[list[Row], list[dict[str, float]]]:
    """Rows as of phantoms, and the checks of the pictures as they are. folder: of ultrasound pictures."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    step = max(1, len(files) // count)
    rows: list[Row] = []
    whole: list[dict[str, float]] = []
    for path in files[::step][:count]:
        stack = picture_stack(path)
        whole.append({one.name: one.value for one in check(stack, [0])})
        for fault, (name, spoil) in SPOILERS.items():
            for grade in (0.0, *GRADES):
                rng = np.random.default_rng(7)
                picture = stack.pixels[0].astype(np.float64)
                worse = np.clip(spoil(picture, grade, rng), 0, 255) if grade else picture
                spoiled = replace(stack, pixels=worse.astype(np.uint8)[None])
                rows += _rows(spoiled, path.name, fault, name, grade)
    return rows, whole
