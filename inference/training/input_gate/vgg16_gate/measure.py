"""How well the gate keeps non-heads out and lets heads in, always on what it was not fitted to.

Four fits. Each leaves out a quarter of the patients, volumes and phantoms, and a quarter of the kinds of
non-head as whole kinds, so that a kind is judged by a gate that never met one of its sort.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.engine.input_gate.vgg16_gate import CLASSES, chances_of
from inference.formats.stack import MODALITIES
from inference.training.data.groups import refuse_leak
from inference.training.evaluation.figures import Figure, wilson
from inference.training.input_gate.vgg16_gate.learn import SHARES, fitted
from inference.training.input_gate.vgg16_gate.material import NEITHER, Seen
from inference.training.input_gate.vgg16_gate.spoiled import SPOILERS

LEFT_OUT: tuple[tuple[str, ...], ...] = (
    ("femur", "limbs", "spine", "adult_head", "painted_over", "painted_inside"),
    ("abdomen", "thorax", "transplanted", "body", "limb", "shuffled", "warped"),
    ("sac", "organ", "womb", "document", "screen", "replaced"),
    ("cervix", "placenta", "face", "photo", "rings", "noise", "part", "outside", "halves", "inverted"),
)
"""Kinds that resemble each other leave together: what a gate learnt on an organ helps it with a sac."""
FOLDS = len(LEFT_OUT)
HEADS = tuple(SHARES)
REFUSED_HEADS = 0.05
"""Share of held-out heads that the threshold may refuse, for each source apart."""
LOWEST, HIGHEST = 0.05, 0.9

Chances = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """Held-out examples with the probabilities of a gate that was not fitted on them."""

    examples: Seen
    chances: Chances

    def likelihood(self) -> NDArray[np.float64]:
        """Probability of a head of the declared modality."""
        return self.chances[np.arange(len(self.chances)), [CLASSES.index(m) for m in self.examples.declared]]


def fold_of(groups: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """A fold for each example, groups whole, dealt within patients, volumes and everything else."""
    found: dict[str, int] = {}
    names = np.unique(groups)
    rng = np.random.default_rng(seed)
    for family in ("patient", "fetal", ""):
        mine = [n for n in names.tolist() if n not in found and n.startswith(family)]
        for place, name in enumerate(rng.permutation(mine).tolist()):
            found[name] = place % FOLDS
    return np.array([found[name] for name in groups.tolist()], np.int64)


def held_out(examples: Seen, steps: int, seed: int) -> Held:
    """Each example judged by the fit that knows neither its group nor, for a non-head, its kind."""
    folds = fold_of(examples.group, seed)
    parts: list[tuple[NDArray[np.int64], Chances]] = []
    for fold, kinds in enumerate(LEFT_OUT):
        away = np.isin(examples.kind, kinds)
        training = ~away & (folds != fold)
        unknown = ~np.isin(examples.group, examples.group[training])
        testing = unknown & np.where(examples.truth == NEITHER, away, folds == fold)
        refuse_leak(examples.group[testing], examples.group[training])
        tensors = fitted(examples.take(training), steps, seed + fold)
        parts.append((np.flatnonzero(testing), chances_of(tensors, examples.features[testing])))
    rows = np.concatenate([part[0] for part in parts])
    return Held(examples.take(rows), np.concatenate([part[1] for part in parts]))


def thresholds(held: Held) -> dict[str, float]:
    """The highest threshold of each modality at which no source loses more than REFUSED_HEADS."""
    likelihood = held.likelihood()
    chosen: dict[str, float] = {}
    for modality in MODALITIES:
        own = (held.examples.declared == modality) & (held.examples.truth == CLASSES.index(modality))
        lowest = [
            np.quantile(likelihood[own & (held.examples.kind == kind)], REFUSED_HEADS)
            for kind in HEADS
            if (own & (held.examples.kind == kind)).any()
        ]
        chosen[modality] = float(np.clip(min(lowest, default=LOWEST), LOWEST, HIGHEST))
    return chosen


def refused(held: Held, limits: Mapping[str, float]) -> NDArray[np.bool_]:
    """Which examples the ring's score or the gate refuses."""
    limit = np.array([limits[m] for m in held.examples.declared.tolist()])
    return ~held.examples.found | (held.likelihood() < limit)


def table(held: Held, limits: Mapping[str, float]) -> dict[str, Figure]:
    """Refused share of each kind of non-head, each source of heads, and heads declared wrongly."""
    out = refused(held, limits)
    examples = held.examples
    right = examples.truth == np.array([CLASSES.index(m) for m in examples.declared.tolist()])
    found: dict[str, Figure] = {}
    for kind in np.unique(examples.kind).tolist():
        mine = examples.kind == kind
        if kind in HEADS:
            found[f"head: {kind}"] = _share(out, mine & right)
            found[f"wrong modality: {kind}"] = _share(out, mine & ~right)
        else:
            found[f"no head: {kind}"] = _share(out, mine)
    neither, spoiled = examples.truth == NEITHER, np.isin(examples.kind, list(SPOILERS))
    found["all that is no head, of kinds the gate never met"] = _share(out, neither & ~spoiled)
    found["all heads that were taken apart or painted over, likewise"] = _share(out, neither & spoiled)
    found["all heads"] = _share(out, right)
    return found


def _share(out: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Figure:
    return wilson(int(out[rows].sum()), int(rows.sum()))


def lines(found: Mapping[str, Figure]) -> Sequence[str]:
    """The table as Markdown."""
    head = ["| what | pictures | refused | 95 % interval |", "|---|---|---|---|"]
    return head + [
        f"| {name} | {figure.count} | {figure.value:.1%} | {figure.low:.1%} to {figure.high:.1%} |"
        for name, figure in found.items()
        if figure.count
    ]
