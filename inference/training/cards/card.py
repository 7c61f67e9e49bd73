"""The model card: what the weights were made from and what they are worth, in numbers and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.engine.networks import Network
from inference.engine.predict import calibrated
from inference.formats.stack import Modality
from inference.training.data.material import Material
from inference.training.data.sources import source_of
from inference.training.evaluation.by_source import (
    ONE_SOURCE,
    STRETCHED,
    Asked,
    ask,
    cross_fitted,
    evaluation,
    worst_threshold,
)
from inference.training.evaluation.calibrate import Target, fit_temperature, threshold_for
from inference.training.evaluation.cross_validation import (
    HeldOut,
    figures,
    held_out_figures,
    kinds_of,
    odds_of,
)
from inference.training.fitting.loop import logits_of
from inference.training.fitting.run import Outcome

SPLIT = (
    "{folds}-fold cross-validation by group: every picture was answered by a network that had seen nothing "
    "of its group, and called by a threshold chosen on the other folds"
)

INTENDED_USE = (
    "Research and decision support: a second reading beside a qualified reader. Not a cleared device, "
    "not validated for clinical use, and never a measurement: severity comes from millimetres only."
)

LEARNT: Mapping[Modality, str] = {
    "ultrasound": (
        "Learnt from: the project's ultrasound phantoms, and normals of {about} whose ventricles were moved "
        "to either width, or drawn in. {labels} Measured on: the real pictures of {about}."
    ),
    "mri": (
        "Slices of {about}, as they are and with ventricle walls moved in or out by their label maps, in "
        "chance contrasts and surroundings; and the project's MRI phantoms. {labels}"
    ),
}
LABELS_LEARNT = (
    "Real labels were learnt from too, so the machine behind a label may have been learnt with it."
)
LABELS_KEPT: Mapping[Modality, str] = {
    "ultrasound": "No real ventriculomegaly picture was learnt from.",
    "mri": "Every normal is made: a slice with its ventricle walls moved in.",
}

SOURCE_LIMITS = (ONE_SOURCE, STRETCHED)
HEADLESS_LEARNT = (
    " Pictures of either class were learnt from without their heads, each under both labels, so that what "
    "lies beside a head says nothing."
)

LIMITS: Mapping[Modality, tuple[str, ...]] = {
    "ultrasound": (
        "Normal and ventriculomegaly pictures come from different sources. No network was told which is "
        "which, but the machines differ in how dark and how fine they show a brain, and that may still help "
        "or harm: read the AUC against other anomalies of the same source before the AUC against normals.",
        "The groups of the ventriculomegaly pictures are class and gestational week, not patients.",
        "Few pictures: every interval is wide.",
        "Other anomalies (porencephaly, cysts, tumours) are neither class and may be called either.",
    ),
    "mri": (
        "Averages of many fetuses with spina bifida, brain extracted: sharper and cleaner than one "
        "acquisition, and with the hindbrain of that disease.",
        "Real normal fetal MRI has never been seen, in training or in testing.",
        "Axial T2-weighted slices with the front of the head up; other planes and contrasts are unknown.",
    ),
}


@dataclass(frozen=True)
class Point:
    """Where a version works. asked: calibrated. target: what the threshold is for, in words."""

    temperature: float
    threshold: float
    asked: Asked
    target: str


def operating_point(material: Material, outcome: Outcome, target: Target) -> Point:
    """Temperature, fitted on all held-out answers, and the threshold: for the worst source where one can be
    left out, else for all held-out answers."""
    labelled, logits = material.labelled, outcome.logits[material.modality]
    temperature = fit_temperature(logits, labelled.labels)
    asked = ask(material, outcome).at(temperature)
    worst = worst_threshold(asked, target)
    if worst is not None:
        return Point(temperature, worst, asked, target.on_worst_source)
    chances = calibrated(logits, temperature)[:, 1]
    return Point(temperature, threshold_for(chances, labelled.labels, target), asked, str(target))


def card(
    network: Network,
    material: Material,
    outcome: Outcome,
    target: Target,
    training: Mapping[str, Any],
    checks: Mapping[str, Any],
    about: str,
    point: Point,
) -> dict[str, Any]:
    """Everything the page and docs/models show; plain JSON values only.

    checks: what evaluation.source_leakage found. about: the data, in words. point: its operating point.
    """
    held, folds = material.held_phantoms, outcome.folds[material.modality]
    threshold = point.threshold
    called = cross_fitted(point.asked, folds, target)
    real = held_out_figures(_held_out(material, outcome, point.temperature), folds, target, threshold, called)
    drawn = calibrated(logits_of(outcome.module, held.tensor), point.temperature)[:, 1]
    by_source = {"evaluation": evaluation(point.asked, threshold, target)} if material.hospitals else {}
    return {
        **real,
        **by_source,
        "intended_use": INTENDED_USE,
        "data": _learnt(material, about),
        "counts": _counts(material),
        "split": SPLIT.format(folds=len(outcome.fold_modules)),
        "training": dict(training),
        "held_out_phantoms": figures(held.labels, drawn, drawn >= threshold, held.groups),
        **checks,
        "limits": [*LIMITS[material.modality], *(SOURCE_LIMITS if material.hospitals else ())],
        "licence": network.licence,
    }


def _held_out(material: Material, outcome: Outcome, temperature: float) -> HeldOut:
    labelled, modality = material.labelled, material.modality
    odds = odds_of(
        labelled.tensor,
        outcome.logits[modality],
        outcome.folds[modality],
        outcome.fold_modules,
        temperature,
    )
    return HeldOut(labelled.labels, labelled.groups, kinds_of(labelled.groups), odds)


def _learnt(material: Material, about: str) -> str:
    labels = LABELS_LEARNT if material.labels_learnt else LABELS_KEPT[material.modality]
    headless = HEADLESS_LEARNT if len(material.headless) else ""
    return LEARNT[material.modality].format(about=about, labels=labels + headless)


def _by_source(material: Material) -> dict[str, int]:
    normals = material.labelled.take(material.labelled.labels == 0).names
    sources, counts = np.unique([source_of(name) for name in normals], return_counts=True)
    found = dict(zip(sources.tolist(), counts.tolist(), strict=True))
    return found if material.hospitals else {}


def _counts(material: Material) -> dict[str, Any]:
    labelled = material.labelled
    return {
        "normal": int((labelled.labels == 0).sum()),
        "ventriculomegaly": int((labelled.labels == 1).sum()),
        "groups": len(np.unique(labelled.groups)),
        "normal_by_source": _by_source(material),
        "other": len(material.other),
        "before_18_weeks": len(material.early),
        "taught": len(material.taught),
        "phantoms": len(material.phantoms),
        "held_out_phantoms": len(material.held_phantoms),
        "refused": dict(labelled.refused),
    }
