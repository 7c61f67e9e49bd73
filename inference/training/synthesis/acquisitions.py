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
from pathlib import Path
from typing import Any

import numpy as np

from inference.engine import catalogue
from inference.engine.predict import frame_logits
from inference.engine.preprocessing.prepare import prepare
from inference.engine.quality import check
from inference.engine.uncertainty.steadiness import log_odds
from inference.engine.weights.loaded_model import LoadedModel, load
from inference.formats.stack import Modality, PictureStack
from inference.phantom import Defects, HeadSpec, render, sample_spec
from inference.phantom.records import ATRIAL_LIMIT_MM
from inference.training.synthesis.atlas import NORMAL_MM, WIDE_MM, Look, dilated_slices, slice_stack
from inference.training.synthesis.degrade import spoiled
from refusals import Refusal

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
SLICES_USED = 4
"""Of each labelled volume."""


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
    return _pooled(head, modality, fault, max(spec.atrial_width_mm), made)


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
    return _acquired(stack, max(spec.atrial_width_mm), seed, fault, severity)


def _acquired(stack: PictureStack, width_mm: float, seed: int, fault: str, severity: float) -> Acquisition:
    spread = READER_MM + FAULT_MM * severity
    error = np.random.default_rng([42, seed]).normal(0.0, spread)
    return Acquisition(
        fault=FAULTS[stack.modality].get(fault, ""),
        severity=severity,
        checks={one.name: one.value for one in check(stack, [0])},
        odds=odds_of(stack),
        mm=width_mm + float(error),
    )


@dataclass(frozen=True)
class LabelledHead:
    """A slice of a real MRI volume with its ventricle walls moved by its labels to one width."""

    volume: Path
    index: int
    width_mm: float
    seed: int

    @property
    def name(self) -> str:
        """Volume, slice and width."""
        return f"{self.volume.name}/{self.index}/{self.width_mm:.1f}"

    def plain(self) -> PictureStack:
        """The slice as it was acquired, its walls moved."""
        return slice_stack(self.volume, self.index, Look(self.width_mm))

    def look(self, number: int) -> PictureStack:
        """One acquisition: another contrast, coil, resolution, noise and surroundings for each number."""
        return slice_stack(self.volume, self.index, Look(self.width_mm, self.seed + number))


def labelled_heads(folder: Path) -> list[LabelledHead]:
    """A normal and a wide head of some slices of every volume below a folder, in order."""
    found: list[LabelledHead] = []
    for volume in sorted(path.parent for path in folder.glob("*/parcellation.nii.gz")):
        rng = np.random.default_rng([45, len(found)])
        for index in dilated_slices(volume, rng)[:SLICES_USED]:
            for widths in (NORMAL_MM, WIDE_MM):
                seed = int(rng.integers(2**30))
                found.append(LabelledHead(volume, index, float(rng.uniform(*widths)), seed))
    return found


def labelled_pools(folder: Path) -> list[Pool]:
    """A pool for each labelled head; the networks have met other looks of these volumes."""
    return [_labelled_pool(head, number) for number, head in enumerate(labelled_heads(folder))]


def _labelled_pool(head: LabelledHead, number: int) -> Pool:
    rng = np.random.default_rng([46, number])
    fault = str(rng.choice(sorted(FAULTS["mri"]))) if rng.random() < FAULTY else ""
    made = [
        _acquired(
            spoiled(head.look(look), fault, severity, seed=head.seed + look),
            head.width_mm,
            head.seed + look,
            fault,
            severity,
        )
        for look, (fault, severity) in enumerate(_plan(rng, fault))
    ]
    return _pooled(number, "mri", fault, head.width_mm, made)


def _pooled(head: int, modality: Modality, fault: str, width_mm: float, made: Sequence[Acquisition]) -> Pool:
    return Pool(
        head=head,
        modality=modality,
        fault=FAULTS[modality].get(fault, ""),
        positive=width_mm >= ATRIAL_LIMIT_MM,
        width_mm=width_mm,
        first=made[0],
        again=tuple(made[1 : 1 + REPEATS]),
        mended=tuple(made[1 + REPEATS :]),
    )


def odds_of(stack: PictureStack) -> float | None:
    """Mean calibrated log-odds of the judges; a picture without a head has none."""
    models = _judges(stack.modality)
    try:
        prepared = prepare(stack, models[0].recipe, scope=False)
    except Refusal:
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
