"""Does a network read ventricles, or does it recognise where a picture came from?"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.ellipse import Ellipse
from inference.engine.head import find_head
from inference.engine.networks import NETWORKS
from inference.engine.predict import calibrated
from inference.formats.stack import PictureStack
from inference.training.augment import augment
from inference.training.data import picture_stack, prepared
from inference.training.figures import Figure, auc, bootstrap
from inference.training.loop import logits_of
from inference.training.material import Material
from inference.training.run import Outcome

GROWN = 1.1
LOOKS = 4
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


def confound_checks(folder: Path, material: Material, outcome: Outcome, network: str) -> dict[str, Any]:
    """What the held-out networks say when there is nothing to read but the source, or no source to read.

    Only where the classes come from different sources is there one to recognise.
    """
    if material.modality != "ultrasound" or not len(material.labelled):
        return {}
    recipe_id = NETWORKS[network].recipes[material.modality]
    only, answered = _changed_auc(folder, material, outcome, recipe_id, border_only)
    removed, kept = _changed_auc(folder, material, outcome, recipe_id, border_removed)
    found: dict[str, Any] = {
        "auc_border_only": only.as_json(),
        "share_answered_border_only": answered,
        "auc_border_removed": removed.as_json(),
        "share_answered_border_removed": kept,
        "specificity_in_other_looks": _in_other_looks(material, outcome),
    }
    if len(material.other):
        found["auc_against_other_anomalies"] = _against_other(material, outcome).as_json()
    return found


def _changed_auc(
    folder: Path, material: Material, outcome: Outcome, recipe_id: str, change: Change
) -> tuple[Figure, float]:
    """AUC of the held-out networks on changed pictures, and the share of them that were not refused."""
    labelled = material.labelled
    sources = [(name, "", name, _Changed(folder / name, change)) for name in labelled.names]
    found = prepared(sources, recipe_id)
    rows = {name: row for row, name in enumerate(labelled.names)}
    scores = np.full(len(labelled), UNDECIDED)
    for fold, module in zip(outcome.folds[material.modality], outcome.fold_modules, strict=True):
        mine = [i for i, name in enumerate(found.names) if fold[rows[name]]]
        scores[[rows[found.names[i]] for i in mine]] = chances_of(module, found.tensor[mine])
    figure = bootstrap(auc, labelled.labels, scores, labelled.groups)
    return figure, len(found) / len(labelled)


def _against_other(material: Material, outcome: Outcome) -> Figure:
    """AUC of ventriculomegaly against other anomalies of the same source, none of it seen in training."""
    labelled, other = material.labelled, material.other
    positive = labelled.labels == 1
    ours = calibrated(outcome.logits[material.modality], 1.0)[positive, 1]
    theirs = np.mean([chances_of(module, other.tensor) for module in outcome.fold_modules], axis=0)
    truth = np.array([1] * len(ours) + [0] * len(theirs), np.int64)
    groups = np.concatenate([labelled.groups[positive], other.groups])
    return bootstrap(auc, truth, np.concatenate([ours, theirs]), groups)


def _in_other_looks(material: Material, outcome: Outcome) -> float:
    """Share of held-out normals that still rank below the median ventriculomegaly picture.

    Each normal is shown as other machines would show it: their grey levels, texture, skulls, sharpness.
    0.5 would be chance.
    """
    labelled, draw = material.labelled, torch.Generator().manual_seed(0)
    styles = torch.from_numpy(material.other.tensor if len(material.other) else labelled.tensor)
    middle = np.median(calibrated(outcome.logits[material.modality], 1.0)[labelled.labels == 1, 1])
    below: list[NDArray[np.bool_]] = []
    for fold, module in zip(outcome.folds[material.modality], outcome.fold_modules, strict=True):
        normals = torch.from_numpy(labelled.tensor[fold & (labelled.labels == 0)])
        shown = [augment(normals, styles, draw).numpy() for _ in range(LOOKS)]
        below += [chances_of(module, pictures) < middle for pictures in shown]
    return float(np.concatenate(below).mean())


def chances_of(module: nn.Module, tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """Uncalibrated P(ventriculomegaly) of prepared pictures."""
    return calibrated(logits_of(module, tensor), 1.0)[:, 1]


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
