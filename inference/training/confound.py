"""Does a network read ventricles, or does it recognise where a picture came from?"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from inference.engine.ellipse import Ellipse
from inference.engine.head import find_head
from inference.engine.predict import calibrated
from inference.formats.stack import PictureStack
from inference.training.data import Examples, picture_stack, prepared
from inference.training.figures import Figure, auc, bootstrap
from inference.training.loop import logits_of
from inference.training.run import Outcome

GROWN = 1.1
UNDECIDED = 0.5
"""A refused picture carries no answer, so it ranks in the middle."""

Change = Callable[[PictureStack, Ellipse], PictureStack]


def border_only(stack: PictureStack, head: Ellipse) -> PictureStack:
    """The picture with the head painted over in the grey of its surroundings."""
    hidden = head.grown(GROWN).mask(_shape(stack))
    pixels = stack.pixels.copy()
    pixels[:, hidden] = np.median(pixels[:, ~hidden]) if (~hidden).any() else 0
    return replace(stack, pixels=pixels)


def border_removed(stack: PictureStack, head: Ellipse) -> PictureStack:
    """The head on black."""
    pixels = stack.pixels.copy()
    pixels[:, ~head.grown(GROWN).mask(_shape(stack))] = 0
    return replace(stack, pixels=pixels)


def changed_auc(
    folder: Path, labelled: Examples, outcome: Outcome, recipe_id: str, change: Change
) -> tuple[Figure, float]:
    """AUC of the held-out networks on changed pictures, and the share of them that were not refused."""
    sources = [(name, "", name, _Changed(folder / name, change)) for name in labelled.names]
    found = prepared(sources, recipe_id)
    rows = {name: row for row, name in enumerate(labelled.names)}
    scores = np.full(len(labelled), UNDECIDED)
    for fold, module in zip(outcome.folds, outcome.fold_modules, strict=True):
        mine = [i for i, name in enumerate(found.names) if fold[rows[name]]]
        chances = calibrated(logits_of(module, found.tensor[mine]), 1.0)[:, 1]
        scores[[rows[found.names[i]] for i in mine]] = chances
    figure = bootstrap(auc, labelled.labels, scores, labelled.groups)
    return figure, len(found) / len(labelled)


def against_other(labelled: Examples, other: Examples, outcome: Outcome) -> Figure:
    """AUC of ventriculomegaly against other anomalies of the same source, none of it seen in training."""
    positive = labelled.labels == 1
    ours = calibrated(outcome.logits, 1.0)[positive, 1]
    theirs = np.mean([_chances(module, other) for module in outcome.fold_modules], axis=0)
    truth = np.array([1] * len(ours) + [0] * len(theirs), np.int64)
    groups = np.concatenate([labelled.groups[positive], other.groups])
    return bootstrap(auc, truth, np.concatenate([ours, theirs]), groups)


def _chances(module: nn.Module, examples: Examples) -> NDArray[np.float64]:
    return calibrated(logits_of(module, examples.tensor), 1.0)[:, 1]


def _shape(stack: PictureStack) -> tuple[int, int]:
    return stack.pixels.shape[1], stack.pixels.shape[2]


class _Changed:
    """A picture read and changed when it is needed; a class, because other processes must receive it."""

    def __init__(self, path: Path, change: Change) -> None:
        self.path, self.change = path, change

    def __call__(self) -> PictureStack:
        stack = picture_stack(self.path)
        head = find_head(stack.pixels[0].astype(np.float32), stack.modality)
        return self.change(stack, head.ellipse) if head else stack
