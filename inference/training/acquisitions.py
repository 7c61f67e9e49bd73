"""Several acquisitions of one simulated head: what advice is fitted on and tried out with.

A head may have a fault that lasts (an unquiet fetus, a bad window): a plain repetition often meets it again,
one that is aimed at it does not. How often, how badly and how much it costs a reader's caliper are
assumptions, written here and told in docs/guidance.md; what the checks and the networks make of the pictures
is measured.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from inference.engine import catalogue
from inference.engine.predict import frame_logits
from inference.engine.preprocess import prepare
from inference.engine.quality import NotAnalysable, check
from inference.engine.views import log_odds
from inference.engine.weights import LoadedModel, load
from inference.formats.stack import Modality, PictureStack
from inference.phantom import Defects, HeadSpec, render, sample_spec

FAULTS: Mapping[Modality, Mapping[str, str]] = {
    "ultrasound": {
        "blur": "blur",
        "motion": "smear",
        "noise": "noise",
        "gain": "saturation",
        "crop": "cut_off",
    },
    "mri": {
        "blur": "blur",
        "noise": "noise",
        "gain": "saturation",
        "shadow": "signal_void",
        "crop": "cut_off",
    },
}
"""Faults that are simulated, by the phantom's name, and the check that should notice each."""
JUDGES: Mapping[Modality, tuple[str, ...]] = {
    "ultrasound": ("cnn", "modified_cnn"),
    "mri": ("cnn", "modified_cnn"),
}
"""Networks whose mean log-odds answer: the shipped small ones, which are quick."""
FAULTY, LASTING = 0.6, 0.6
"""Share of heads with a fault, and how often a plain repetition meets it again."""
READER_MM, FAULT_MM = 0.5, 1.5
"""Spread of a caliper on a clean picture (radiologists differ by 0.51 mm), and what the worst fault adds."""
REPEATS = 4


@dataclass(frozen=True)
class Acquisition:
    """One picture of a head. odds: log-odds of ventriculomegaly, None where no network would answer."""

    fault: str
    severity: float
    checks: Mapping[str, float]
    odds: float | None
    mm: float


@dataclass(frozen=True)
class Pool:
    """Every acquisition of one head that a policy may come to see.

    again: plain repetitions in their order. mended: repetitions aimed at the fault.
    """

    head: int
    modality: Modality
    fault: str
    positive: bool
    width_mm: float
    first: Acquisition
    again: tuple[Acquisition, ...]
    mended: tuple[Acquisition, ...]

    def as_json(self) -> dict[str, Any]:
        """For a cache."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Pool":
        """The pool that was kept."""
        lists = {name: tuple(Acquisition(**one) for one in kept[name]) for name in ("again", "mended")}
        return cls(**{**kept, "first": Acquisition(**kept["first"]), **lists})


def pools(modality: Modality, heads: Sequence[int], *, processes: int = 2) -> list[Pool]:
    """A pool for each head, in order; equal heads give equal pools."""
    with get_context("spawn").Pool(processes) as workers:
        return workers.starmap(_pool, [(modality, head) for head in heads], chunksize=1)


_models: dict[Modality, list[LoadedModel]] = {}


def _pool(modality: Modality, head: int) -> Pool:
    rng = np.random.default_rng([41, head])
    spec = sample_spec(rng)
    fault = str(rng.choice(sorted(FAULTS[modality]))) if rng.random() < FAULTY else ""
    plan = list(_plan(rng, fault))
    made = [_acquire(modality, spec, head * 100 + number, *one) for number, one in enumerate(plan)]
    return Pool(
        head=head,
        modality=modality,
        fault=FAULTS[modality].get(fault, ""),
        positive=spec.label == "ventriculomegaly",
        width_mm=max(spec.atrial_width_mm),
        first=made[0],
        again=tuple(made[1 : 1 + REPEATS]),
        mended=tuple(made[1 + REPEATS :]),
    )


def _plan(rng: np.random.Generator, fault: str) -> Iterator[tuple[str, float]]:
    """Fault and severity of the first acquisition, of the repetitions, and of those aimed at the fault."""
    yield fault, float(rng.uniform(0.4, 1.0)) if fault else 0.0
    for _ in range(REPEATS):
        met = bool(fault) and rng.random() < LASTING
        yield (fault, float(rng.uniform(0.4, 1.0))) if met else ("", 0.0)
    for _ in range(REPEATS):
        yield "", 0.0


def _acquire(modality: Modality, spec: HeadSpec, seed: int, fault: str, severity: float) -> Acquisition:
    defects = Defects(**{fault: severity}) if fault else Defects()
    stack = render(spec, modality, seed=seed, defects=defects).stack()
    spread = READER_MM + FAULT_MM * severity
    error = np.random.default_rng([42, seed]).normal(0.0, spread)
    return Acquisition(
        fault=FAULTS[modality].get(fault, ""),
        severity=severity,
        checks={one.name: one.value for one in check(stack, [0])},
        odds=odds_of(stack),
        mm=float(max(spec.atrial_width_mm) + error),
    )


def odds_of(stack: PictureStack) -> float | None:
    """Mean calibrated log-odds of the judges; a picture without a head has none."""
    models = _judges(stack.modality)
    try:
        prepared = prepare(stack, models[0].recipe, scope=False)
    except NotAnalysable:
        return None
    said = [
        log_odds(frame_logits(model, prepared.tensor).mean(axis=0), model.record.temperature)
        for model in models
    ]
    return float(np.mean(said))


def _judges(modality: Modality) -> list[LoadedModel]:
    if modality not in _models:
        shipped = [catalogue.newest(name, modality) for name in JUDGES[modality]]
        _models[modality] = [load(one.record, one.content(), device="cpu") for one in shipped if one]
    return _models[modality]


def chance(odds: float) -> float:
    """Probability of log-odds."""
    return 1 / (1 + math.exp(-odds))
