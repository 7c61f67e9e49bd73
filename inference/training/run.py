"""A whole training: phantoms first, then grouped cross-validation, then the weights that are shipped.

With a hundred pictures one validation split says little, so every group is held out once. The number of
epochs is the one choice made on held-out answers, and it is one for all folds (early stopping on the
pooled held-out loss). The shipped weights are then trained on everything for that many epochs; the
figures are those of the networks that had not seen the group they answered for.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.predict import calibrated
from inference.training.calibrate import fit_temperature
from inference.training.data import Examples, joined
from inference.training.figures import auc
from inference.training.groups import grouped_folds
from inference.training.loop import Learner, continued, fresh_learner, logits_of, train_epoch

Progress = Callable[[str, dict[str, float]], None]
"""Stage in words, and what to show beside it."""


@dataclass(frozen=True)
class Plan:
    """Everything that shapes a training besides the data."""

    network: str
    seed: int = 1
    folds: int = 4
    phantom_epochs: int = 20
    epochs: int = 20
    steps: int = 12
    patience: int = 6
    phantom_rate: float = 1e-3
    rate: float = 4e-4


@dataclass(frozen=True)
class Material:
    """labelled: real pictures of the two classes. other: real pictures of neither, never trained on as such.

    phantoms and held_phantoms share no head.
    """

    labelled: Examples
    other: Examples
    phantoms: Examples
    held_phantoms: Examples


@dataclass(frozen=True)
class Outcome:
    """module: the weights to ship. logits: held-out, a row for each labelled picture."""

    module: nn.Module
    epochs: int
    logits: NDArray[np.float64]
    folds: tuple[NDArray[np.bool_], ...]
    fold_modules: tuple[nn.Module, ...]
    losses: tuple[float, ...] = field(default=())


def run(plan: Plan, material: Material, report: Progress) -> Outcome:
    """Train; the same plan, material, machine and thread count give the same weights."""
    base = _on_phantoms(plan, material, report)
    labelled = material.labelled
    if not len(labelled):
        logits = np.zeros((0, 2))
        return Outcome(base.result, 0, logits, (), ())
    folds = grouped_folds(labelled.labels, labelled.groups, plan.folds, plan.seed)
    learners = [continued(base, plan.rate, plan.seed + 1 + fold) for fold in range(plan.folds)]
    kept = _cross_validated(plan, material, folds, learners, report)
    final = continued(base, plan.rate, plan.seed)
    for epoch in range(kept.epochs):
        loss = train_epoch(final, [labelled, material.phantoms], _styles(material), plan.steps)
        report(f"final weights, epoch {epoch + 1} of {kept.epochs}", {"loss": loss})
    return Outcome(final.result, kept.epochs, kept.logits, tuple(folds), kept.modules, kept.losses)


def _styles(material: Material, held_out: NDArray[np.bool_] | None = None) -> torch.Tensor:
    """Looks to borrow: texture strength, never a label, and none from held-out groups."""
    labelled = material.labelled if held_out is None else material.labelled.take(~held_out)
    parts = [part for part in (labelled, material.other, material.phantoms) if len(part)]
    return torch.from_numpy(joined(parts).tensor)


def _on_phantoms(plan: Plan, material: Material, report: Progress) -> Learner:
    learner = fresh_learner(plan.network, plan.phantom_rate, plan.seed)
    styles = _styles(material, np.ones(len(material.labelled), np.bool_))
    halves = [material.phantoms, material.phantoms]
    for epoch in range(plan.phantom_epochs):
        loss = train_epoch(learner, halves, styles, plan.steps)
        held = material.held_phantoms
        scores = calibrated(logits_of(learner.result, held.tensor), 1.0)[:, 1]
        report(
            f"phantoms, epoch {epoch + 1} of {plan.phantom_epochs}",
            {"loss": loss, "held-out phantom AUC": auc(held.labels, scores)},
        )
    return learner


@dataclass(frozen=True)
class _Kept:
    epochs: int
    logits: NDArray[np.float64]
    modules: tuple[nn.Module, ...]
    losses: tuple[float, ...]


def _cross_validated(
    plan: Plan,
    material: Material,
    folds: list[NDArray[np.bool_]],
    learners: list[Learner],
    report: Progress,
) -> _Kept:
    """All folds in step; stop when the pooled held-out loss has not fallen for `patience` epochs."""
    truth = material.labelled.labels
    best: _Kept | None = None
    losses: list[float] = []
    for epoch in range(1, plan.epochs + 1):
        logits = np.zeros((len(truth), 2))
        for held_out, learner in zip(folds, learners, strict=True):
            halves = [material.labelled.take(~held_out), material.phantoms]
            train_epoch(learner, halves, _styles(material, held_out), plan.steps)
            logits[held_out] = logits_of(learner.result, material.labelled.tensor[held_out])
        losses.append(_calibrated_loss(logits, truth))
        scores = calibrated(logits, 1.0)[:, 1]
        report(
            f"folds, epoch {epoch} of at most {plan.epochs}",
            {"held-out loss": losses[-1], "held-out AUC": auc(truth, scores)},
        )
        if losses[-1] <= min(losses):
            frozen = tuple(copy.deepcopy(learner.result) for learner in learners)
            best = _Kept(epoch, logits, frozen, ())
        if epoch - int(np.argmin(losses)) > plan.patience:
            break
    if best is None:
        raise ValueError("a plan needs at least one epoch")
    return _Kept(best.epochs, best.logits, best.modules, tuple(losses))


def _calibrated_loss(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Mean over the classes of the log loss at the best temperature: what will be shown is calibrated."""
    chances = calibrated(logits, fit_temperature(logits, truth))
    losses = -np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12))
    return float(np.mean([losses[truth == label].mean() for label in np.unique(truth)]))
