"""Does a network read ventricles, or does it recognise where a picture came from?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from numpy.typing import NDArray
from torch import nn

from inference.engine.networks import Network
from inference.engine.uncertainty.steadiness import log_odds
from inference.training.data.cache import examples
from inference.training.data.examples import Examples
from inference.training.data.material import Material
from inference.training.evaluation.figures import Figure, Floats, Groups, Truth, auc, bootstrap, difference
from inference.training.fitting.loop import logits_of
from inference.training.fitting.run import Outcome
from inference.training.synthesis.augment import augment
from inference.training.synthesis.border import Change, Changed, border_only, border_removed

LOOKS = 4
UNDECIDED = 0.0
"""Log-odds of a refused picture: it carries no answer, so it ranks in the middle."""
BATCH = 32

CHANGES: Mapping[str, Change] = {"border_only": border_only, "border_removed": border_removed}


@dataclass(frozen=True)
class Checked:
    """Log-odds at temperature 1 of held-out networks where there is only a source to read, or none.

    changed: for each of CHANGES a row for each labelled picture; answered: the share not refused.
    other: for each picture of neither class, the mean of all held-out networks.
    """

    changed: Mapping[str, Floats]
    answered: Mapping[str, float]
    other: Floats
    other_groups: Groups

    def as_json(self) -> dict[str, Any]:
        """As a card keeps it, so that an ensemble's checks can be made from its members'."""
        _, numbers = np.unique(self.other_groups, return_inverse=True)
        return {
            **{name: np.round(odds, 3).tolist() for name, odds in self.changed.items()},
            "other": np.round(self.other, 3).tolist(),
            "other_groups": numbers.tolist(),
            "answered": dict(self.answered),
        }


def confound_checks(
    material: Material, outcome: Outcome, network: Network, recipe_id: str, cache: Path | None = None
) -> dict[str, Any]:
    """What the held-out networks say when there is nothing to read but the source, or no source to read.

    Only where the classes come from different sources is there one to recognise; where the heat lies is
    asked of all. cache: folder in which changed pictures are kept between runs.
    """
    if not len(material.labelled):
        return {"confound": {}}
    heat = {"heat": _heat(material, outcome, network)}
    if material.modality != "ultrasound":
        return {"confound": {}, **heat}
    checked = _checked(material, outcome, recipe_id, cache)
    labelled, whole = material.labelled, log_odds(outcome.logits[material.modality], 1.0)
    found = confound_figures(labelled.labels, labelled.groups, whole, checked)
    found["specificity_in_other_looks"] = _in_other_looks(material, outcome)
    return {"confound": found, "confound_odds": checked.as_json(), **heat}


def confound_figures(truth: Truth, groups: Groups, whole: Floats, checked: Checked) -> dict[str, Any]:
    """AUC by the source alone, without it, and against other anomalies of that source. whole: log-odds."""
    found: dict[str, Any] = {}
    for name, odds in checked.changed.items():
        found[f"auc_{name}"] = bootstrap(auc, truth, odds, groups).as_json()
        found[f"share_answered_{name}"] = checked.answered[name]
    removed = checked.changed["border_removed"]
    found["border_removed_minus_whole"] = difference(truth, removed, whole, groups).as_json()
    if len(checked.other):
        found["auc_against_other_anomalies"] = _against_other(truth, groups, whole, checked).as_json()
    return found


def _checked(material: Material, outcome: Outcome, recipe_id: str, cache: Path | None) -> Checked:
    changed, answered = {}, {}
    for name, change in CHANGES.items():
        sources = [
            (name, "", name, Changed(material.reads[name], change)) for name in material.labelled.names
        ]
        pictures = examples(cache, name, sources, recipe_id, material.pictures_sha256)
        changed[name] = _held_out_odds(material, outcome, pictures)
        answered[name] = len(pictures) / len(material.labelled)
    other = material.other
    says = (
        [_odds_of(module, other.tensor) for module in outcome.fold_modules] if len(other) else [np.zeros(0)]
    )
    return Checked(changed, answered, np.mean(says, axis=0), other.groups)


def _held_out_odds(material: Material, outcome: Outcome, pictures: Examples) -> Floats:
    """For each labelled picture, what the network that had not seen it says of its changed one."""
    rows = {name: row for row, name in enumerate(material.labelled.names)}
    odds = np.full(len(rows), UNDECIDED)
    for fold, module in zip(outcome.folds[material.modality], outcome.fold_modules, strict=True):
        mine = [i for i, name in enumerate(pictures.names) if fold[rows[name]]]
        odds[[rows[pictures.names[i]] for i in mine]] = _odds_of(module, pictures.tensor[mine])
    return odds


def _against_other(truth: Truth, groups: Groups, whole: Floats, checked: Checked) -> Figure:
    """AUC of ventriculomegaly against other anomalies of the same source, none of it seen in training."""
    positive = truth == 1
    both = np.array([1] * int(positive.sum()) + [0] * len(checked.other), np.int64)
    return bootstrap(
        auc,
        both,
        np.concatenate([whole[positive], checked.other]),
        np.concatenate([groups[positive], np.char.add("other-", checked.other_groups)]),
    )


def _in_other_looks(material: Material, outcome: Outcome) -> float:
    """Share of held-out normals that still rank below the median ventriculomegaly picture.

    Each normal is shown as other machines would show it: their grey levels, texture, skulls, sharpness.
    0.5 would be chance.
    """
    labelled, draw = material.labelled, torch.Generator().manual_seed(0)
    styles = torch.from_numpy(material.other.tensor if len(material.other) else labelled.tensor)
    middle = np.median(log_odds(outcome.logits[material.modality], 1.0)[labelled.labels == 1])
    below: list[NDArray[np.bool_]] = []
    for fold, module in zip(outcome.folds[material.modality], outcome.fold_modules, strict=True):
        normals = torch.from_numpy(labelled.tensor[fold & (labelled.labels == 0)])
        shown = [augment(normals, styles, draw).numpy() for _ in range(LOOKS)]
        below += [_odds_of(module, pictures) < middle for pictures in shown]
    return float(np.concatenate(below).mean())


def _heat(material: Material, outcome: Outcome, network: Network) -> dict[str, Any]:
    """Share of Grad-CAM's heat that lies outside the head, and the share of the picture that does.

    Each picture is asked by the network that had not seen it, for the class that network names.
    """
    labelled, outside = material.labelled, np.zeros(len(material.labelled))
    for fold, module in zip(outcome.folds[material.modality], outcome.fold_modules, strict=True):
        outside[fold] = _heat_outside(module, network.gradcam_layer, labelled.tensor[fold])

    def mean(_: Truth, values: Floats) -> float:
        return float(values.mean())

    return {
        "heat_outside_head": bootstrap(mean, labelled.labels, outside, labelled.groups).as_json(),
        "picture_outside_head": float((labelled.tensor == 0).mean()),
    }


def _heat_outside(module: nn.Module, layer: str, tensor: NDArray[np.float32]) -> Floats:
    method = LayerGradCam(module, module.get_submodule(layer))
    shares: list[Floats] = []
    for start in range(0, len(tensor), BATCH):
        pictures = torch.from_numpy(tensor[start : start + BATCH])
        called = module(pictures).argmax(dim=1)
        maps = method.attribute(pictures, target=called, relu_attributions=True)
        fine = LayerAttribution.interpolate(maps, tuple(pictures.shape[-2:]), "bilinear").detach()
        heat = fine.numpy().astype(np.float64)
        total = np.maximum(heat.sum(axis=(1, 2, 3)), 1e-12)
        shares.append((heat * (pictures.numpy() == 0)).sum(axis=(1, 2, 3)) / total)
    return np.concatenate(shares) if shares else np.zeros(0)


def _odds_of(module: nn.Module, tensor: NDArray[np.float32]) -> Floats:
    """Log-odds of prepared pictures at temperature 1."""
    return log_odds(logits_of(module, tensor), 1.0)
