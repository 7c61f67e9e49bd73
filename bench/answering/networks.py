"""Networks: what each shipped version of ultrasound says of pictures at hand, by source, worst source first.

At its shipped threshold, behind its own gate. Heads of HC18 state their true scale, the others none; frames
of fetal_planes/, which were stretched to a square, state their aspect. A case is a class and a week: its
pictures' highest probability. What a card keeps by source, each hospital of normals left out of training in
turn, stands in other rows (bench.answering.cards): those, not what was learnt from, speak to the rule.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.answering.pictures import shown
from bench.answering.prepared import Seen, seen, stated
from bench.answering.table import Row, separation, share
from inference.engine import catalogue, versions
from inference.engine.fitness.by_source import by_source
from inference.engine.fitness.seating import seats_of
from inference.engine.measuring.width_evidence import width_log_odds
from inference.engine.predict import calibrated, frame_logits
from inference.engine.records import MEASURING_NETWORKS, WeightsRecord
from inference.engine.uncertainty.steadiness import log_odds
from inference.engine.weights.ensemble_file import ENSEMBLE
from inference.engine.weights.loaded_model import load

VISIBLE = "axial_wide_ventricle_visible"
BATCH = 32
NORMAL, WIDE, OTHER = "ultrasound normal", "ultrasound ventriculomegaly", "ultrasound other"
NORMALS = ("hc18", "fetal_planes", "lateral_ventricle", NORMAL)
OWN = "ultrasound"
"""Of the collections, the one that every version before those with figures by source learnt normals from."""


@dataclass(frozen=True)
class Said:
    """One answered or refused picture. chance: of ventriculomegaly, nan where it was refused."""

    source: str
    group: str
    path: Path
    early: bool
    chance: float


def rows(data: Path, every: int) -> list[Row]:
    """Of every version that knows classes."""
    return [row for record in records() for row in _of(record, data, every)]


def records() -> list[WeightsRecord]:
    """Versions that a start would put into use first, then the others; what measures has rows of its own."""
    first = [seat.record for seat in seats_of("ultrasound")]
    shipped = [one.record for one in catalogue.shipped() if one.record.modality == "ultrasound"]
    names = {record.name for record in first}
    return sorted(shipped, key=lambda record: (record.name not in names, record.network != ENSEMBLE))


def said_by(record: WeightsRecord, data: Path, every: int) -> list[Said]:
    """What a version says of every brain, and of HC18 with its scale."""
    found = []
    group = _brains(data, every, record.preprocessing)
    for one, chance in zip(group, _chances(record, group), strict=True):
        found.append(Said(one.picture.source, one.picture.group, one.picture.path, one.early, float(chance)))
    return found


@cache
def _brains(data: Path, every: int, recipe: str) -> tuple[Seen, ...]:
    """As a hospital's files would state them."""
    brains = [one for one in shown(data, every) if one.kind == "brain"]
    return tuple(seen(one, recipe, scaled=True) for one in brains)


def _chances(record: WeightsRecord, group: tuple[Seen, ...]) -> NDArray[np.float64]:
    """Calibrated, nan where refused. A combined version answers from what its members said."""
    if record.network == ENSEMBLE:
        members = [one.record for one in catalogue.members_of(record)]
        networks = [one for one in members if one.network not in MEASURING_NETWORKS]
        odds = [log_odds(_logits(one.name, group), one.temperature) for one in networks]
        mean = np.mean(odds, axis=0)
        for one in members:
            mean = mean + _widths(one.name, group) if one.network in MEASURING_NETWORKS else mean
        logits = np.stack([-mean / 2, mean / 2], axis=-1)
    else:
        logits = _logits(record.name, group)
    return calibrated(logits, record.temperature)[:, 1]


@cache
def _logits(name: str, group: tuple[Seen, ...]) -> NDArray[np.float64]:
    """Of one network (pictures, 2), nan where refused."""
    shipped = catalogue.named(name)
    model = load(shipped.record, shipped.content(), backend="torch")
    found = np.full((len(group), 2), np.nan)
    answered = [number for number, one in enumerate(group) if one.tensor is not None]
    for start in range(0, len(answered), BATCH):
        batch = answered[start : start + BATCH]
        found[batch] = frame_logits(model, np.concatenate([group[number].tensor for number in batch]))
    return found


@cache
def _widths(name: str, group: tuple[Seen, ...]) -> NDArray[np.float64]:
    """What a measured width adds (pictures,), by the scale that a file states or the week of its group."""
    shipped = catalogue.named(name)
    model = versions.load(shipped.record, shipped.content())
    found = np.zeros(len(group))
    for number, one in enumerate(group):
        if one.tensor is not None:
            week = re.search(r"(\d+)$", one.picture.group) if one.picture.source in (WIDE, OTHER) else None
            age = 7 * int(week[1]) + 3 if week else None
            (answer,) = versions.predict(model, [stated(one.picture)], ages_days=[age])
            found[number] = width_log_odds(answer.probability)
    return found


def _of(record: WeightsRecord, data: Path, every: int) -> Iterator[Row]:
    said = said_by(record, data, every)
    name = f"{record.network} {record.version}"
    shows = visible(data)
    wide = [one for one in said if one.source == WIDE]
    shown_wide = [one for one in wide if one.path.name in shows]
    yield from sorted(_normals(name, record, said), key=lambda row: row.value)
    early = [one.chance >= record.threshold for one in said if one.source == "hc18" and one.early]
    yield share(f"{name}: before 18 weeks: alarmed", "hc18", early, most=0.03, seen=_knew(record, "hc18"))
    for what, mine in (("that shows", shown_wide), ("all", wide)):
        goals = {"least": 0.80} if what == "that shows" else {}
        cases = _by_case(mine)
        yield share(
            f"{name}: ventriculomegaly, {what}: alarmed, by case",
            OWN,
            [c >= record.threshold for c in cases],
            **goals,
        )
        yield share(
            f"{name}: ventriculomegaly, {what}: alarmed, by picture",
            OWN,
            [o.chance >= record.threshold for o in mine],
        )
        yield from _separations(name, what, said, cases)


def _normals(name: str, record: WeightsRecord, said: Sequence[Said]) -> Iterator[Row]:
    for source in NORMALS:
        mine = [one for one in said if one.source == source and not one.early]
        answered = [one.chance < record.threshold for one in mine if not np.isnan(one.chance)]
        knew = _knew(record, source)
        told = f"{source} ({len(mine) - len(answered)} of {len(mine)} refused)"
        least = 0.93 if knew == "learnt from" else 0.85
        yield share(f"{name}: normal, from 18 weeks on: not alarmed", told, answered, least=least, seen=knew)


def _knew(record: WeightsRecord, source: str) -> str:
    """How far a version knew a source: by its card, else by what every earlier version learnt from."""
    told = [row["learnt_from"] for row in by_source(record.card) if row["source"].startswith(source)]
    if told:
        return "learnt from" if any(told) else "never seen"
    return (
        "learnt from"
        if source == NORMAL
        else "never seen"
        if source == "hc18"
        else "its hospital learnt from"
    )


def _separations(name: str, what: str, said: Sequence[Said], cases: Sequence[float]) -> Iterator[Row]:
    shows = what == "that shows"
    normals = [one.chance for one in said if one.source in NORMALS and not one.early]
    for against, others, least in (
        ("normals of all sources, by picture", [c for c in normals if not np.isnan(c)], 0.88),
        ("other anomalies, by case", _by_case([one for one in said if one.source == OTHER]), 0.80),
    ):
        goals = {"least": least} if shows else {}
        yield separation(
            f"{name}: ventriculomegaly, {what}, by case: AUC", f"against {against}", cases, others, **goals
        )


def _by_case(said: Sequence[Said]) -> list[float]:
    """Each case's highest probability; a case of refused pictures alone is not found: 0."""
    cases: dict[str, list[float]] = defaultdict(list)
    for one in said:
        cases[one.group].append(0.0 if np.isnan(one.chance) else one.chance)
    return [max(found) for found in cases.values()]


@cache
def visible(data: Path) -> frozenset[str]:
    """Files of ventriculomegaly in which a lay eye saw a wide ventricle in an axial plane."""
    path = data / "ultrasound_640" / "labels.csv"
    if not path.exists():
        return frozenset()
    with path.open(newline="") as file:
        return frozenset(
            Path(r["file"]).name for r in csv.DictReader(file) if r["view_by_a_lay_eye"] == VISIBLE
        )
