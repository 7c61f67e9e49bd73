"""What the gate lets through and what it refuses, on groups and on sources that it never learnt from."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from inference.engine.input_gate.sononet_gate import QUESTIONS, chance
from inference.training.evaluation.figures import Figure, wilson
from inference.training.input_gate.learn import fitted
from inference.training.input_gate.material import Seen

FOLDS = 5
HOSPITALS = {
    "Barcelona (FETAL_PLANES_DB)": ("fetal_planes", "lateral_ventricle", "ultrasound normal"),
    "Nijmegen (HC18)": ("hc18",),
    "the collection of anomalies": ("ultrasound ventriculomegaly", "ultrasound other"),
}
PLANES = ("abdomen", "thorax", "femur")
REFUSED = 0.978
"""Share of real frames of other planes that the head's threshold refuses, on held-out groups."""
KEPT = 0.995
"""Share of the worst source's planes with ventricles that the plane's threshold lets through, likewise."""
LATE = 0.99
"""Share of heads from 18 weeks on that are not said to be early, likewise."""


def held_out(seen: Seen, seed: int) -> dict[str, NDArray[np.float64]]:
    """Probabilities of every picture by layers that never saw its group."""
    return _answers(seen, list(_folds(seen, seed)))


def left_out(seen: Seen) -> dict[str, NDArray[np.float64]]:
    """Probabilities of heads by layers that never saw a head of their hospital; of others as NaN."""
    parts = []
    for sources in HOSPITALS.values():
        mine = np.isin(seen.source, sources) & (seen.head == 1)
        groups = np.unique(seen.group[mine])
        parts.append((~np.isin(seen.group, groups), mine))
    return _answers(seen, parts)


def planes_left_out(seen: Seen) -> NDArray[np.float64]:
    """Probability of a head for each kind of plane by layers that never saw that kind, made or real."""
    found = np.full(len(seen), np.nan)
    for plane in PLANES:
        mine = seen.kind == plane
        found[mine] = chance(fitted(seen.take(~mine)), "head", seen.features[mine])
    return found


Part = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def _folds(seen: Seen, seed: int) -> Iterator[Part]:
    groups = np.unique(seen.group)
    number = np.random.default_rng(seed).permutation(len(groups)) % FOLDS
    fold = number[np.searchsorted(groups, seen.group)]
    for one in range(FOLDS):
        yield fold != one, fold == one


def _answers(seen: Seen, parts: list[Part]) -> dict[str, NDArray[np.float64]]:
    found = {question: np.full(len(seen), np.nan) for question in QUESTIONS}
    for learn, ask in parts:
        tensors = fitted(seen.take(learn))
        for question in QUESTIONS:
            found[question][ask] = chance(tensors, question, seen.features[ask])
    return found


def thresholds(seen: Seen, held: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """For each question a limit, on pictures as they are."""
    plain, real = seen.look == 0, seen.source != "made"
    planes = plain & real & np.isin(seen.kind, PLANES)
    worst = [
        float(np.quantile(held["plane"][mine], 1 - KEPT))
        for source in ("hc18", "lateral_ventricle")
        if (mine := plain & (seen.plane == 1) & (seen.source == source)).any()
    ]
    limits = {"head": float(np.quantile(held["head"][planes], REFUSED)), "plane": min(0.5, *worst)}
    late = held["early"][(seen.early == 0) & plain]
    limits["early"] = max(0.5, float(np.quantile(late, LATE)))
    return limits


def table(
    seen: Seen,
    held: Mapping[str, NDArray[np.float64]],
    away: Mapping[str, NDArray[np.float64]],
    planes: NDArray[np.float64],
    limits: Mapping[str, float],
) -> dict[str, Figure]:
    """Shares refused, by source, with Wilson's intervals."""
    figures: dict[str, Figure] = {}

    def add(name: str, refused: NDArray[np.bool_]) -> None:
        if len(refused):
            figures[name] = wilson(int(refused.sum()), len(refused))

    for look, which in (("as it is", seen.look == 0), ("on another screen", seen.look > 0)):
        for source in np.unique(seen.source[seen.head == 1]).tolist():
            mine = which & (seen.source == source) & (seen.head == 1)
            add(f"head, {source}, {look}", held["head"][mine] < limits["head"])
            add(f"plane of a head, {source}, {look}", held["plane"][mine] < limits["plane"])
            if not np.isnan(away["head"][mine]).any():
                add(f"head of a hospital left out, {source}, {look}", away["head"][mine] < limits["head"])
        for kind in np.unique(seen.kind[seen.head == 0]).tolist():
            mine = which & (seen.kind == kind) & (seen.head == 0) & (seen.source != "made")
            add(f"no head, {kind}, {look}", held["head"][mine] < limits["head"])
    made = (seen.source == "made") & (seen.head == 0)
    add("no head, made", held["head"][made] < limits["head"])
    for plane in PLANES:
        mine = (seen.kind == plane) & (seen.source != "made") & (seen.look == 0)
        add(f"no head, {plane}, a kind left out", planes[mine] < limits["head"])
    plain = seen.look == 0
    for name, truth in (("from 18 weeks on", 0), ("before 18 weeks", 1)):
        mine = plain & (seen.source == "hc18") & (seen.head == 1) & (seen.early == truth)
        add(f"said to be early by its look, hc18 {name}", held["early"][mine] >= limits["early"])
    others = plain & (seen.head == 1) & (seen.source != "hc18") & (seen.source != "phantom")
    add("said to be early by its look, other sources", held["early"][others] >= limits["early"])
    return figures
