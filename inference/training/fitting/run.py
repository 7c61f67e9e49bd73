"""A whole training: phantoms first, then grouped folds, then the weights that are shipped.

With a hundred pictures one validation split says little, so every group is held out once, and what the
figures rest on was answered by a network that had seen nothing of that group. The number of epochs is
chosen on held-out pictures that were made (drawn-in or moved ventricles), never on those the figures rest on.
One network may learn several modalities at once; each has its own folds, temperature and threshold.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from inference.engine.predict import calibrated
from inference.formats.stack import Modality
from inference.training.data.examples import Examples
from inference.training.data.fold_data import Shelf, away_names, filled, taken
from inference.training.data.material import Material
from inference.training.evaluation.calibrate import fit_temperature
from inference.training.evaluation.figures import auc
from inference.training.fitting.checkpoints import Checkpoints, Memory
from inference.training.fitting.loop import Learner, Rows, learner, logits_of, tail_logits_of, train_epoch
from inference.training.fitting.plan import Plan
from inference.training.fitting.session import NOTHING_KEPT, Course, Report

Floats = NDArray[np.float64]
JUDGED = 200
"""Held-out made pictures that decide on the number of epochs, of each modality."""


@dataclass(frozen=True)
class Outcome:
    """module: the weights to ship. logits: of each modality, held-out, a row for each labelled picture.

    folds: of each modality, the labelled pictures that each of the fold_modules had not seen.
    away: for each hospital of ultrasound normals a network that learnt nothing of any of its patients.
    """

    module: nn.Module
    epochs: int
    logits: Mapping[Modality, Floats]
    folds: Mapping[Modality, tuple[Rows, ...]]
    fold_modules: tuple[nn.Module, ...]
    losses: tuple[float, ...] = field(default=())
    away: Mapping[str, nn.Module] = field(default_factory=dict)


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
    left_out = away_names(materials)
    course = Course(plan, checkpoints, report, cache, extra=len(left_out))
    shelves = filled(course, materials, start if plan.stem == "published" else None)
    base = _on_phantoms(course, shelves, start)
    if plan.stem == "phantoms":
        shelves = filled(course, materials, base)
    if not all(shelf.folds for shelf in shelves):
        return Outcome(base, 0, {}, {}, ())
    found = _folds(course, shelves, base, plan.folds + len(left_out))
    final = _finally(course, shelves, base, found)
    held, away = found.kept[: plan.folds], found.kept[plan.folds :]
    logits = {shelf.material.modality: _held_out(shelf, held) for shelf in shelves}
    folds = {shelf.material.modality: shelf.folds for shelf in shelves}
    named = dict(zip(left_out, away, strict=True))
    return Outcome(final, found.best, logits, folds, held, found.losses, named)


@dataclass(frozen=True)
class _Found:
    """What the folds showed: the epoch that did best, its networks, and the loss after each epoch."""

    best: int = 0
    kept: tuple[nn.Module, ...] = ()
    losses: tuple[float, ...] = ()


def _tuned(plan: Plan, base: nn.Module, seed: int) -> Learner:
    """A copy of what phantoms taught, ready to go on."""
    return learner(base, plan.rate, seed, frozen=plan.stem != "free", halved=plan.halved)


def _on_phantoms(course: Course, shelves: list[Shelf], start: nn.Module) -> nn.Module:
    """In phantoms only the ventricles tell the label, so that is what a network learns first."""
    plan = course.plan
    still = plan.stem == "published"
    learning = learner(start, plan.phantom_rate, plan.seed, frozen=still, halved=plan.halved)
    banks = [shelf.drawn() for shelf in shelves for _ in range(2)]
    memory = course.resumed("phantoms", [learning])
    course.done = begun = memory.facts["epochs"] if memory else 0
    for epoch in range(begun + 1, plan.phantom_epochs + 1):
        said = {"loss": train_epoch(learning, banks, plan.steps)}
        if epoch % 5 == 0 or epoch == plan.phantom_epochs:
            said |= {f"{s.material.modality} phantom AUC": _phantom_auc(s, learning) for s in shelves}
        course.after("phantoms", [learning], {"epochs": epoch})
        course.tell(f"phantoms, epoch {epoch} of {plan.phantom_epochs}", said)
    return learning.result


def _phantom_auc(shelf: Shelf, learning: Learner) -> float:
    held = shelf.material.held_phantoms
    some = held.take(np.arange(min(JUDGED, len(held))))
    return auc(some.labels, calibrated(logits_of(learning.result, some.tensor), 1.0)[:, 1])


def _folds(course: Course, shelves: list[Shelf], base: nn.Module, count: int) -> _Found:
    """All folds in step; stop when the loss on held-out made pictures has stopped falling.

    count: folds by group, then one for each hospital that is left out.
    """
    plan = course.plan
    learners = [_tuned(plan, base, plan.seed + 1 + fold) for fold in range(count)]
    memory = course.resumed("folds", learners)
    found = _remembered(memory, base, count) if memory else _Found()
    course.done += len(found.losses) * count
    for epoch in range(len(found.losses) + 1, plan.epochs + 1):
        if epoch - 1 - found.best >= plan.patience:
            break
        for fold, learning in enumerate(learners):
            train_epoch(learning, taken(shelves, fold), plan.steps)
        loss, said = _judged(shelves, learners)
        losses = (*found.losses, loss)
        if loss <= min(losses):
            kept = tuple(copy.deepcopy(learning.result) for learning in learners)
            found = _Found(epoch, kept, losses)
        found = replace(found, losses=losses)
        course.after("folds", learners, {"best": found.best, "losses": losses}, found.kept)
        course.tell(f"folds, epoch {epoch} of at most {plan.epochs}", {"held-out loss": loss, **said}, count)
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


def _finally(course: Course, shelves: list[Shelf], base: nn.Module, found: _Found) -> nn.Module:
    """The weights that are shipped: all groups, for as many epochs as the folds did best with."""
    plan, learning = course.plan, _tuned(course.plan, base, course.plan.seed)
    memory = course.resumed("final", [learning])
    begun = memory.facts["epochs"] if memory else 0
    course.done += begun
    course.total = course.done + found.best - begun
    for epoch in range(begun + 1, found.best + 1):
        loss = train_epoch(learning, taken(shelves, None), plan.steps)
        course.after("final", [learning], {"epochs": epoch})
        course.tell(f"final weights, epoch {epoch} of {found.best}", {"loss": loss})
    return learning.result


def _judged(shelves: list[Shelf], learners: list[Learner]) -> tuple[float, dict[str, float]]:
    """Loss and AUC on made pictures of held-out groups."""
    losses, said = [], {}
    for shelf in shelves:
        parts = len(shelf.folds) + len(shelf.away)
        answers = [_unseen(shelf, fold, learning) for fold, learning in enumerate(learners[:parts])]
        logits = np.concatenate([found for _, found in answers])
        truth = np.concatenate([examples.labels for examples, _ in answers])
        losses.append(_calibrated_loss(logits, truth))
        said[f"{shelf.material.modality} held-out AUC"] = auc(truth, calibrated(logits, 1.0)[:, 1])
    return float(np.mean(losses)), said


def _unseen(shelf: Shelf, fold: int, learning: Learner) -> tuple[Examples, Floats]:
    hidden = np.flatnonzero(~shelf.seen(shelf.taught, fold))
    some = hidden[:: max(1, len(hidden) * (len(shelf.folds) + len(shelf.away)) // JUDGED)]
    examples = shelf.taught.examples.take(some)
    if shelf.taught.copies is not None:
        return examples, tail_logits_of(learning.result, shelf.taught.copies[0, some])
    return examples, logits_of(learning.result, examples.tensor)


def _held_out(shelf: Shelf, modules: tuple[nn.Module, ...]) -> Floats:
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
