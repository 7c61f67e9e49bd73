"""What a version is worth by source: each hospital of normals left out of training in turn, and learnt from.

Figures of ventriculomegaly are given for all of it and for what shows a wide ventricle, by case and by
picture: half of the labels at hand cannot be read from what their picture shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from digests import canonical_json, sha256_hex
from inference.engine.fitness.by_source import Measure, SourceFigure, SourceLabel, worst_first
from inference.engine.records import LABELS, POSITIVE
from inference.engine.uncertainty.steadiness import log_odds
from inference.training.data.examples import Examples, joined
from inference.training.data.material import Material
from inference.training.data.sources import hospital_of, source_of
from inference.training.evaluation.calibrate import Target, threshold_for
from inference.training.evaluation.figures import Figure, Floats, Truth, auc, bootstrap, wilson
from inference.training.fitting.loop import Rows, logits_of
from inference.training.fitting.run import Outcome

EARLY = "early"
RULE = (
    "The threshold is the highest of those that reach the target on the normals of each source, answered by "
    "a network that learnt nothing from its hospital. The row of a source whose hospital was left out is "
    "called at the threshold of the other hospitals, so that none of its pictures chose it. A refused normal "
    "counts nowhere; a refused ventriculomegaly counts as missed. A case is called as its most suspicious "
    "picture is."
)
BEFORE = "{source}, before 18 weeks"
STRETCHED = (
    "Frames of fetal_planes, and the normals of the collection, had been stretched to squares: they were "
    "drawn out to the aspect of most of them, and the aspect of some is wrong."
)
ONE_SOURCE = (
    "Every ventriculomegaly picture, and every other anomaly, comes from one collection: no second source "
    "says whether what is recognised is the ventricle or that collection."
)
GATE_LEARNT = (
    "The input gate learnt that seven in ten of these groups are heads, whatever else they show: of a "
    "hospital it never saw it refuses more, as its own record says."
)


@dataclass(frozen=True)
class Asked:
    """Pictures, and log-odds of networks that had seen nothing of their groups.

    shows: normal, ventriculomegaly, other or early. codes: why the gate refuses it, "" where it answers.
    held: by networks that saw other groups of every hospital. away: by hospital, of the network that learnt
    nothing of any patient of it. without: sources and hospitals that no network learnt from.
    """

    names: tuple[str, ...]
    groups: NDArray[np.str_]
    shows: NDArray[np.str_]
    codes: NDArray[np.str_]
    shown: NDArray[np.bool_]
    held: Floats
    away: Mapping[str, Floats]
    without: tuple[str, ...] = ()

    @property
    def sources(self) -> NDArray[np.str_]:
        """The source of each."""
        return np.array([source_of(name) for name in self.names], np.str_)

    def at(self, temperature: float) -> "Asked":
        """Calibrated, where the log-odds are those of temperature 1."""
        away = {hospital: odds / temperature for hospital, odds in self.away.items()}
        return replace(self, held=self.held / temperature, away=away)

    def moved(self, log_odds: Floats) -> "Asked":
        """With so much more conviction, picture by picture."""
        away = {hospital: odds + log_odds for hospital, odds in self.away.items()}
        return replace(self, held=self.held + log_odds, away=away)

    def without_groups(self, hidden: NDArray[np.str_]) -> "Asked":
        """What is left when these groups are gone."""
        kept = ~np.isin(self.groups, hidden)
        return Asked(
            tuple(name for name, stays in zip(self.names, kept, strict=True) if stays),
            self.groups[kept],
            self.shows[kept],
            self.codes[kept],
            self.shown[kept],
            self.held[kept],
            {hospital: odds[kept] for hospital, odds in self.away.items()},
            self.without,
        )

    def as_json(self) -> dict[str, Any]:
        """As a card keeps it, so that an ensemble's rows can be made from its members'."""
        return {
            "names_sha256": sha256_hex(canonical_json(list(self.names))),
            "names": list(self.names),
            "groups": self.groups.tolist(),
            "shows": self.shows.tolist(),
            "codes": self.codes.tolist(),
            "shown": np.flatnonzero(self.shown).tolist(),
            "held": np.round(self.held, 3).tolist(),
            "away": {hospital: np.round(odds, 3).tolist() for hospital, odds in sorted(self.away.items())},
            "without": list(self.without),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Asked":
        """What a card keeps."""
        shown = np.zeros(len(kept["names"]), np.bool_)
        shown[kept["shown"]] = True
        return cls(
            tuple(kept["names"]),
            np.array(kept["groups"], np.str_),
            np.array(kept["shows"], np.str_),
            np.array(kept["codes"], np.str_),
            shown,
            np.array(kept["held"], np.float64),
            {hospital: np.array(odds, np.float64) for hospital, odds in kept["away"].items()},
            tuple(kept["without"]),
        )


def ask(material: Material, outcome: Outcome) -> Asked:
    """Labelled pictures, then those of neither class, at temperature 1; those of no fold by all networks."""
    labelled = material.labelled
    rest = joined([material.other, material.early])
    everything = joined([labelled, rest])
    shows = [*(LABELS[label] for label in labelled.labels), *["other"] * len(material.other)]
    unheld = [_odds(module, rest) for module in outcome.fold_modules] or [np.zeros(len(rest))]
    return Asked(
        everything.names,
        everything.groups,
        np.array([*shows, *[EARLY] * len(material.early)], np.str_),
        everything.codes,
        np.array([name in material.shown for name in everything.names], np.bool_),
        np.concatenate([log_odds(outcome.logits[material.modality], 1.0), np.mean(unheld, axis=0)]),
        {hospital: _odds(outcome.away[hospital], everything) for hospital in material.hospitals},
        material.without,
    )


def _odds(module: nn.Module, examples: Examples) -> Floats:
    return log_odds(logits_of(module, examples.tensor), 1.0)


def cross_fitted(asked: Asked, folds: Sequence[Rows], target: Target) -> Truth | None:
    """Each labelled answer called at a threshold that no picture of its fold had a say in; None without one.

    folds: masks of the labelled pictures, which `asked` begins with.
    """
    called = np.zeros(len(folds[0]), np.int64) if folds else np.zeros(0, np.int64)
    for mask in folds:
        rows_of = np.flatnonzero(mask)
        threshold = worst_threshold(asked.without_groups(asked.groups[rows_of]), target)
        if threshold is None:
            return None
        called[rows_of] = chances(asked.held[rows_of]) >= threshold
    return called


def evaluation(asked: Asked, threshold: float, target: Target) -> dict[str, Any]:
    """The part of a card that speaks of sources: rows, the rule, and the answers they rest on."""
    return {
        "by_source": list(worst_first(list(rows(asked, threshold, target)))),
        "rule": RULE,
        "limits": [STRETCHED, ONE_SOURCE, GATE_LEARNT],
        "answers": asked.as_json(),
    }


def worst_threshold(asked: Asked, target: Target, *, but: str = "") -> float | None:
    """The highest threshold that the answered normals of any source ask for whose hospital was left out.

    None where none was, and for a target that is not one for normals. but: a hospital that has no say.
    """
    found = [
        threshold_for(chances(asked.away[hospital][mine]), np.zeros(int(mine.sum()), np.int64), target)
        for source in set(asked.sources[asked.shows == "normal"].tolist())
        if target.name == "specificity"
        and (hospital := hospital_of(source)) in asked.away
        and hospital != but
        and (mine := _answered_normals(asked, source)).any()
    ]
    return max(found, default=None)


def rows(asked: Asked, threshold: float, target: Target) -> Iterator[SourceFigure]:
    """Every figure. threshold: the one in use."""
    for source in sorted(set(asked.sources[asked.shows == "normal"].tolist())):
        mine = (asked.sources == source) & (asked.shows == "normal")
        hospital = hospital_of(source)
        if hospital in asked.away:
            of_others = worst_threshold(asked, target, but=hospital)
            own = threshold if of_others is None else of_others
            yield from _of_normals(asked, source, mine, asked.away[hospital], own, learnt=False)
        learnt = not {source, hospital} & set(asked.without)
        yield from _of_normals(asked, source, mine, asked.held, threshold, learnt=learnt)
        yield from _before(asked, source, hospital, threshold)
    yield from _ventriculomegaly(asked, threshold)


def _of_normals(
    asked: Asked, source: str, mine: NDArray[np.bool_], odds: Floats, threshold: float, *, learnt: bool
) -> Iterator[SourceFigure]:
    answered = mine & (asked.codes == "")
    if not answered.any():
        return
    quiet = chances(odds[answered]) < threshold
    yield row(
        source,
        "normal",
        "specificity",
        wilson(int(quiet.sum()), int(answered.sum())),
        learnt=learnt,
        refused=int((mine & ~answered).sum()),
    )
    for shown_only in (True, False):
        wide = _wide(asked, shown_only)
        if wide.any():
            figure = _auc_by_case(asked, odds, wide, answered)
            yield row(source, "normal", "auc", figure, learnt=learnt, unit="case", shown_only=shown_only)


def _before(asked: Asked, source: str, hospital: str, threshold: float) -> Iterator[SourceFigure]:
    """Heads from before 18 weeks: how many are not alarmed, the gate's refusals among them."""
    early = (asked.sources == source) & (asked.shows == EARLY)
    if early.any():
        odds = asked.away.get(hospital, asked.held)
        quiet = (chances(odds) < threshold) | (asked.codes != "")
        figure = wilson(int(quiet[early].sum()), int(early.sum()))
        refused = int((asked.codes[early] != "").sum())
        name = BEFORE.format(source=source)
        yield row(name, "other", "specificity", figure, learnt=False, refused=refused)


def _ventriculomegaly(asked: Asked, threshold: float) -> Iterator[SourceFigure]:
    """None of it was learnt from: found at the threshold in use, and told from other anomalies."""
    others = (asked.shows == "other") & (asked.codes == "")
    for shown_only in (True, False):
        wide = (asked.shows == POSITIVE) & (asked.shown | (not shown_only))
        if not wide.any():
            continue
        found = (chances(asked.held) >= threshold) & (asked.codes == "")
        refused = int((asked.codes[wide] != "").sum())
        cases = [bool(found[wide & (asked.groups == g)].any()) for g in np.unique(asked.groups[wide])]
        source = str(asked.sources[wide][0])
        for unit, hits in (("case", cases), ("picture", found[wide].tolist())):
            yield row(
                source,
                "ventriculomegaly",
                "sensitivity",
                wilson(sum(hits), len(hits)),
                learnt=False,
                unit=unit,
                shown_only=shown_only,
                refused=refused,
                only_source=True,
            )
        answered = _wide(asked, shown_only)
        if others.any() and answered.any():
            figure = _auc_by_case(asked, asked.held, answered, others)
            yield row(
                source,
                "other",
                "auc",
                figure,
                learnt=False,
                unit="case",
                shown_only=shown_only,
                only_source=True,
            )


def _wide(asked: Asked, shown_only: bool) -> NDArray[np.bool_]:
    """Answered ventriculomegaly."""
    wide = (asked.shows == POSITIVE) & (asked.codes == "")
    return np.asarray(wide & asked.shown if shown_only else wide)


def _auc_by_case(asked: Asked, odds: Floats, wide: NDArray[np.bool_], against: NDArray[np.bool_]) -> Figure:
    """Each case by its most suspicious picture."""
    truth, scores = [], []
    for label, part in ((1, wide), (0, against)):
        for group in np.unique(asked.groups[part]).tolist():
            truth.append(label)
            scores.append(float(odds[part & (asked.groups == group)].max()))
    cases = np.arange(len(truth)).astype(np.str_)
    return bootstrap(auc, np.array(truth, np.int64), np.array(scores), cases)


def _answered_normals(asked: Asked, source: str) -> NDArray[np.bool_]:
    return np.asarray((asked.shows == "normal") & (asked.sources == source) & (asked.codes == ""))


def chances(odds: Floats) -> Floats:
    """Probabilities of log-odds."""
    return np.asarray(1 / (1 + np.exp(-odds)))


def row(
    source: str, label: SourceLabel, measure: Measure, figure: Figure, *, learnt: bool, **more: Any
) -> SourceFigure:
    """A card's row. more: whatever else it says; a picture is the unit, and all count, unless it says so."""
    usual = SourceFigure(
        source=source,
        label=label,
        learnt_from=learnt,
        measure=measure,
        value=round(figure.value, 4),
        low=round(figure.low, 4),
        high=round(figure.high, 4),
        count=figure.count,
        unit="picture",
        shown_only=False,
    )
    return cast(SourceFigure, {**usual, **more})


def together(parts: Sequence[Asked]) -> Asked:
    """Several versions as one: the mean of what each is convinced of, of the same pictures."""
    first = parts[0]
    return Asked(
        first.names,
        first.groups,
        first.shows,
        first.codes,
        first.shown,
        np.asarray(np.mean([part.held for part in parts], axis=0)),
        {h: np.asarray(np.mean([part.away[h] for part in parts], axis=0)) for h in first.away},
        first.without,
    )
