"""A whole training: phantoms first, then grouped folds, then the weights that are shipped.

With a hundred pictures one validation split says little, so every group is held out once, and what the
figures rest on was answered by a network that had seen nothing of that group. The number of epochs is
chosen on held-out pictures that were made (drawn-in or moved ventricles), never on those the figures rest on.
One network may learn several modalities at once; each has its own folds, temperature and threshold.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.predict import calibrated
from inference.formats.stack import Modality
from inference.training.calibrate import fit_temperature
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

Progress = Callable[[str, dict[str, float]], None]
"""Stage in words, and what to show beside it."""
Floats = NDArray[np.float64]
JUDGED = 200
"""Held-out made pictures that decide on the number of epochs, of each modality."""
STYLES = 400


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


def run(plan: Plan, materials: list[Material], start: nn.Module, report: Progress) -> Outcome:
    """Train from `start`; the same plan, material, machine and thread count give the same weights."""
    still = plan.stem == "published"
    shelves = [_shelf(plan, material, start if still else None, i) for i, material in enumerate(materials)]
    base = _on_phantoms(plan, shelves, start, report)
    if plan.stem == "phantoms":
        shelves = [_shelf(plan, material, base, i) for i, material in enumerate(materials)]
    if not all(shelf.folds for shelf in shelves):
        return Outcome(base, 0, {}, {}, ())
    epochs, modules, losses = _folds(plan, shelves, base, report)
    final = _tuned(plan, base, plan.seed)
    for epoch in range(epochs):
        loss = train_epoch(final, _banks(shelves, None), plan.steps)
        report(f"final weights, epoch {epoch + 1} of {epochs}", {"loss": loss})
    logits = {shelf.material.modality: _held_out(shelf, modules) for shelf in shelves}
    folds = {shelf.material.modality: shelf.folds for shelf in shelves}
    return Outcome(final.result, epochs, logits, folds, modules, losses)


def _tuned(plan: Plan, base: nn.Module, seed: int) -> Learner:
    """A copy of what phantoms taught, ready to go on."""
    return learner(base, plan.rate, seed, frozen=plan.stem != "free", halved=plan.halved)


def _shelf(plan: Plan, material: Material, still: nn.Module | None, number: int) -> _Shelf:
    """still: the module whose stem learns no more, so that pictures go through it once."""
    labelled = material.labelled
    rest = [part for part in (material.other, material.phantoms) if len(part)]
    styles = torch.from_numpy(joined(rest).tensor[:STYLES])
    taught, phantoms = Bank(material.taught, styles), Bank(material.phantoms, styles)
    if still is not None:
        few, seed = max(1, plan.copies // 2), plan.seed + 2 * number
        taught = with_copies(taught, still, plan.copies, seed, halved=plan.halved)
        phantoms = with_copies(phantoms, still, few, seed + 1, halved=plan.halved)
    folds = grouped_folds(labelled.labels, labelled.groups, plan.folds, plan.seed) if len(labelled) else []
    return _Shelf(material, taught, phantoms, tuple(folds))


def _banks(shelves: list[_Shelf], fold: int | None) -> list[tuple[Bank, Rows]]:
    return [bank for shelf in shelves for bank in shelf.banks(fold)]


def _on_phantoms(plan: Plan, shelves: list[_Shelf], start: nn.Module, report: Progress) -> nn.Module:
    """In phantoms only the ventricles tell the label, so that is what a network learns first."""
    still = plan.stem == "published"
    learning = learner(start, plan.phantom_rate, plan.seed, frozen=still, halved=plan.halved)
    banks = [bank for shelf in shelves for bank in shelf.banks(None)[1:] * 2]
    for epoch in range(plan.phantom_epochs):
        said = {"loss": train_epoch(learning, banks, plan.steps)}
        if epoch % 5 == 4 or epoch + 1 == plan.phantom_epochs:
            for shelf in shelves:
                held = shelf.material.held_phantoms.take(
                    np.arange(min(JUDGED, len(shelf.material.held_phantoms)))
                )
                scores = calibrated(logits_of(learning.result, held.tensor), 1.0)[:, 1]
                said[f"{shelf.material.modality} phantom AUC"] = auc(held.labels, scores)
        report(f"phantoms, epoch {epoch + 1} of {plan.phantom_epochs}", said)
    return learning.result


def _folds(
    plan: Plan, shelves: list[_Shelf], base: nn.Module, report: Progress
) -> tuple[int, tuple[nn.Module, ...], tuple[float, ...]]:
    """All folds in step; stop when the loss on held-out made pictures has stopped falling."""
    learners = [_tuned(plan, base, plan.seed + 1 + fold) for fold in range(plan.folds)]
    best, kept, losses = 0, tuple[nn.Module, ...](), list[float]()
    for epoch in range(1, plan.epochs + 1):
        for fold, learning in enumerate(learners):
            train_epoch(learning, _banks(shelves, fold), plan.steps)
        loss, said = _judged(shelves, learners)
        losses.append(loss)
        report(f"folds, epoch {epoch} of at most {plan.epochs}", {"held-out loss": loss, **said})
        if loss <= min(losses):
            best, kept = epoch, tuple(copy.deepcopy(learning.result) for learning in learners)
        if epoch - best >= plan.patience:
            break
    if not kept:
        raise ValueError("a plan needs at least one epoch")
    return best, kept, tuple(losses)


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
