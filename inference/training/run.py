"""A whole training: phantoms first, then grouped folds, then the weights that are shipped.

With a hundred pictures one validation split says little, so every group is held out once, and what the
figures rest on was answered by a network that had seen nothing of that group. The number of epochs is
chosen on held-out pictures that were made (drawn-in or moved ventricles), never on those the figures rest on.
One network may learn several modalities at once; each has its own folds, temperature and threshold.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.predict import calibrated
from inference.formats.stack import Modality
from inference.training.calibrate import fit_temperature
from inference.training.checkpoints import Checkpoints, Memory
from inference.training.data import Examples, joined
from inference.training.figures import auc
from inference.training.groups import grouped_folds
from inference.training.loop import (
    Bank,
    Learner,
    Rows,
    learner,
    logits_of,
    tail_logits_of,
    train_epoch,
    with_copies,
)
from inference.training.material import Material

NOTHING_KEPT = Checkpoints(None, "")


@dataclass(frozen=True)
class Step:
    """One epoch is over. values: what to show beside the stage. done, total: units of work, at most."""

    stage: str
    values: Mapping[str, float]
    done: int
    total: int


Report = Callable[[Step], None]
Floats = NDArray[np.float64]
JUDGED = 200
"""Held-out made pictures that decide on the number of epochs, of each modality."""
STYLES = 400
EXACT = 6
"""Decimals of a loss that decide: the last bits depend on where in memory a picture lies."""


Stem = Literal["free", "published", "phantoms"]
"""What a network's stem learns from: everything; nothing, it stays as published; phantoms alone."""


@dataclass(frozen=True)
class Plan:
    """Everything that shapes a training besides the data.

    copies: changed versions of each picture that a stem sees once when it no longer learns.
    halved: products in bfloat16.
    """

    network: str
    seed: int = 1
    folds: int = 4
    phantom_epochs: int = 20
    epochs: int = 20
    steps: int = 12
    patience: int = 6
    phantom_rate: float = 1e-3
    rate: float = 4e-4
    stem: Stem = "free"
    copies: int = 4
    halved: bool = False


@dataclass(frozen=True)
class Outcome:
    """module: the weights to ship. logits: of each modality, held-out, a row for each labelled picture.

    folds: of each modality, the labelled pictures that each of the fold_modules had not seen.
    """

    module: nn.Module
    epochs: int
    logits: Mapping[Modality, Floats]
    folds: Mapping[Modality, tuple[Rows, ...]]
    fold_modules: tuple[nn.Module, ...]
    losses: tuple[float, ...] = field(default=())


@dataclass(frozen=True)
class _Shelf:
    """One modality's banks, and which labelled groups each fold holds out."""

    material: Material
    taught: Bank
    phantoms: Bank
    folds: tuple[Rows, ...]

    def seen(self, fold: int | None) -> Rows:
        """Rows of `taught` that a fold may learn from; all of them without a fold."""
        if fold is None:
            return np.ones(len(self.taught.examples), np.bool_)
        hidden = self.material.labelled.groups[self.folds[fold]]
        return ~np.isin(self.taught.examples.groups, hidden)

    def banks(self, fold: int | None) -> list[tuple[Bank, Rows]]:
        """What an epoch draws from."""
        everything = np.ones(len(self.phantoms.examples), np.bool_)
        return [(self.taught, self.seen(fold)), (self.phantoms, everything)]


def run(
    plan: Plan,
    materials: list[Material],
    start: nn.Module,
    report: Report,
    checkpoints: Checkpoints = NOTHING_KEPT,
    cache: Path | None = None,
) -> Outcome:
    """Train from `start`; the same plan, material, machine and thread count give the same weights.

    checkpoints: of the same training that was stopped; it goes on after its last whole epoch.
    cache: a folder that keeps what a stem that no longer learns makes of the pictures.
    """
    course = _Course(plan, checkpoints, report, cache)
    shelves = _shelves(course, materials, start if plan.stem == "published" else None)
    base = _on_phantoms(course, shelves, start)
    if plan.stem == "phantoms":
        shelves = _shelves(course, materials, base)
    if not all(shelf.folds for shelf in shelves):
        return Outcome(base, 0, {}, {}, ())
    found = _folds(course, shelves, base)
    final = _finally(course, shelves, base, found)
    logits = {shelf.material.modality: _held_out(shelf, found.kept) for shelf in shelves}
    folds = {shelf.material.modality: shelf.folds for shelf in shelves}
    return Outcome(final, found.best, logits, folds, found.kept, found.losses)


@dataclass
class _Course:
    """One training under way: what it keeps and tells after each epoch. `done` counts units of work."""

    plan: Plan
    checkpoints: Checkpoints
    report: Report
    cache: Path | None
    done: int = 0
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.plan.phantom_epochs + self.plan.epochs * (self.plan.folds + 1)

    def resumed(self, phase: str, learners: list[Learner]) -> Memory | None:
        """Put the learners where this phase was left, if it was begun before."""
        memory = self.checkpoints.recall(phase)
        for number, learning in enumerate(learners):
            if memory:
                learning.restore(memory.part(str(number)))
        return memory

    def after(
        self,
        phase: str,
        learners: list[Learner],
        facts: dict[str, Any],
        kept: tuple[nn.Module, ...] = (),
    ) -> None:
        """Keep a phase as it is after a whole epoch."""
        parts = {str(number): learning.state() for number, learning in enumerate(learners)}
        parts |= {f"kept-{number}": module.state_dict() for number, module in enumerate(kept)}
        self.checkpoints.keep(phase, parts, facts)

    def tell(self, stage: str, values: dict[str, float], units: int = 1) -> None:
        """Report an epoch that took so many units of work."""
        self.done += units
        self.report(Step(stage, values, self.done, max(self.total, self.done)))


@dataclass(frozen=True)
class _Found:
    """What the folds showed: the epoch that did best, its networks, and the loss after each epoch."""

    best: int = 0
    kept: tuple[nn.Module, ...] = ()
    losses: tuple[float, ...] = ()


def _tuned(plan: Plan, base: nn.Module, seed: int) -> Learner:
    """A copy of what phantoms taught, ready to go on."""
    return learner(base, plan.rate, seed, frozen=plan.stem != "free", halved=plan.halved)


def _shelves(course: _Course, materials: list[Material], still: nn.Module | None) -> list[_Shelf]:
    if still is not None:
        course.tell("showing every picture to the stem, once", {}, 0)
    return [_shelf(course, material, still, number) for number, material in enumerate(materials)]


def _shelf(course: _Course, material: Material, still: nn.Module | None, number: int) -> _Shelf:
    """still: the module whose stem learns no more, so that pictures go through it once."""
    plan, labelled = course.plan, material.labelled
    rest = [part for part in (material.other, material.phantoms) if len(part)]
    styles = torch.from_numpy(joined(rest).tensor[:STYLES])
    taught, phantoms = Bank(material.taught, styles), Bank(material.phantoms, styles)
    if still is not None:
        few, seed = max(1, plan.copies // 2), plan.seed + 2 * number
        taught = with_copies(taught, still, plan.copies, seed, halved=plan.halved, cache=course.cache)
        phantoms = with_copies(phantoms, still, few, seed + 1, halved=plan.halved, cache=course.cache)
    folds = grouped_folds(labelled.labels, labelled.groups, plan.folds, plan.seed) if len(labelled) else []
    return _Shelf(material, taught, phantoms, tuple(folds))


def _banks(shelves: list[_Shelf], fold: int | None) -> list[tuple[Bank, Rows]]:
    return [bank for shelf in shelves for bank in shelf.banks(fold)]


def _on_phantoms(course: _Course, shelves: list[_Shelf], start: nn.Module) -> nn.Module:
    """In phantoms only the ventricles tell the label, so that is what a network learns first."""
    plan = course.plan
    still = plan.stem == "published"
    learning = learner(start, plan.phantom_rate, plan.seed, frozen=still, halved=plan.halved)
    banks = [bank for shelf in shelves for bank in shelf.banks(None)[1:] * 2]
    memory = course.resumed("phantoms", [learning])
    course.done = begun = memory.facts["epochs"] if memory else 0
    for epoch in range(begun + 1, plan.phantom_epochs + 1):
        said = {"loss": train_epoch(learning, banks, plan.steps)}
        if epoch % 5 == 0 or epoch == plan.phantom_epochs:
            said |= {f"{s.material.modality} phantom AUC": _phantom_auc(s, learning) for s in shelves}
        course.after("phantoms", [learning], {"epochs": epoch})
        course.tell(f"phantoms, epoch {epoch} of {plan.phantom_epochs}", said)
    return learning.result


def _phantom_auc(shelf: _Shelf, learning: Learner) -> float:
    held = shelf.material.held_phantoms
    some = held.take(np.arange(min(JUDGED, len(held))))
    return auc(some.labels, calibrated(logits_of(learning.result, some.tensor), 1.0)[:, 1])


def _folds(course: _Course, shelves: list[_Shelf], base: nn.Module) -> _Found:
    """All folds in step; stop when the loss on held-out made pictures has stopped falling."""
    plan = course.plan
    learners = [_tuned(plan, base, plan.seed + 1 + fold) for fold in range(plan.folds)]
    memory = course.resumed("folds", learners)
    found = _remembered(memory, base, plan.folds) if memory else _Found()
    course.done += len(found.losses) * plan.folds
    for epoch in range(len(found.losses) + 1, plan.epochs + 1):
        if epoch - 1 - found.best >= plan.patience:
            break
        for fold, learning in enumerate(learners):
            train_epoch(learning, _banks(shelves, fold), plan.steps)
        loss, said = _judged(shelves, learners)
        losses = (*found.losses, round(loss, EXACT))
        if losses[-1] <= min(losses):
            kept = tuple(copy.deepcopy(learning.result) for learning in learners)
            found = _Found(epoch, kept, losses)
        found = replace(found, losses=losses)
        course.after("folds", learners, {"best": found.best, "losses": losses}, found.kept)
        course.tell(
            f"folds, epoch {epoch} of at most {plan.epochs}", {"held-out loss": loss, **said}, plan.folds
        )
    if not found.kept:
        raise ValueError("a plan needs at least one epoch")
    return found


def _remembered(memory: Memory, base: nn.Module, folds: int) -> _Found:
    kept = []
    for fold in range(folds):
        module = copy.deepcopy(base)
        module.load_state_dict(memory.part(f"kept-{fold}"))
        kept.append(module)
    return _Found(memory.facts["best"], tuple(kept), tuple(memory.facts["losses"]))


def _finally(course: _Course, shelves: list[_Shelf], base: nn.Module, found: _Found) -> nn.Module:
    """The weights that are shipped: all groups, for as many epochs as the folds did best with."""
    plan, learning = course.plan, _tuned(course.plan, base, course.plan.seed)
    memory = course.resumed("final", [learning])
    begun = memory.facts["epochs"] if memory else 0
    course.done += begun
    course.total = course.done + found.best - begun
    for epoch in range(begun + 1, found.best + 1):
        loss = train_epoch(learning, _banks(shelves, None), plan.steps)
        course.after("final", [learning], {"epochs": epoch})
        course.tell(f"final weights, epoch {epoch} of {found.best}", {"loss": loss})
    return learning.result


def _judged(shelves: list[_Shelf], learners: list[Learner]) -> tuple[float, dict[str, float]]:
    """Loss and AUC on made pictures of held-out groups."""
    losses, said = [], {}
    for shelf in shelves:
        answers = [_unseen(shelf, fold, learning) for fold, learning in enumerate(learners)]
        logits = np.concatenate([found for _, found in answers])
        truth = np.concatenate([examples.labels for examples, _ in answers])
        losses.append(_calibrated_loss(logits, truth))
        said[f"{shelf.material.modality} held-out AUC"] = auc(truth, calibrated(logits, 1.0)[:, 1])
    return float(np.mean(losses)), said


def _unseen(shelf: _Shelf, fold: int, learning: Learner) -> tuple[Examples, Floats]:
    hidden = np.flatnonzero(~shelf.seen(fold))
    some = hidden[:: max(1, len(hidden) * len(shelf.folds) // JUDGED)]
    examples = shelf.taught.examples.take(some)
    if shelf.taught.copies is not None:
        return examples, tail_logits_of(learning.result, shelf.taught.copies[0, some])
    return examples, logits_of(learning.result, examples.tensor)


def _held_out(shelf: _Shelf, modules: tuple[nn.Module, ...]) -> Floats:
    labelled = shelf.material.labelled
    logits = np.zeros((len(labelled), 2))
    for held_out, module in zip(shelf.folds, modules, strict=True):
        logits[held_out] = logits_of(module, labelled.tensor[held_out])
    return logits


def _calibrated_loss(logits: Floats, truth: NDArray[np.int64]) -> float:
    """Mean over the classes of the log loss at the best temperature: what will be shown is calibrated."""
    chances = calibrated(logits, fit_temperature(logits, truth))
    losses = -np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12))
    return float(np.mean([losses[truth == label].mean() for label in np.unique(truth)]))
