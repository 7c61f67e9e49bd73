"""The model card: what the weights were made from and what they are worth, in numbers and in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from inference.engine.networks import Network
from inference.engine.predict import calibrated
from inference.engine.records import WeightsRecord
from inference.formats.stack import Modality
from inference.training.calibrate import Target, cross_fitted_calls, fit_temperature, threshold_for
from inference.training.data import Examples
from inference.training.figures import (
    at_threshold,
    auc,
    bootstrap,
    calibration_error,
    predictive_values,
    wilson,
)
from inference.training.loop import logits_of
from inference.training.material import Material
from inference.training.run import Outcome

PREVALENCES = (0.01, 0.1, 0.5)
PLOTS = ("ROC", "Precision and recall", "Reliability")
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
        "Learnt from: the project's ultrasound phantoms, and normals of {about} into which ventricles of "
        "either width were drawn. {labels} Measured on: the real pictures of {about}."
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


def operating_point(material: Material, outcome: Outcome, target: Target) -> tuple[float, float]:
    """Temperature and threshold, fitted on all held-out answers."""
    labelled, logits = material.labelled, outcome.logits[material.modality]
    temperature = fit_temperature(logits, labelled.labels)
    chances = calibrated(logits, temperature)[:, 1]
    return temperature, threshold_for(chances, labelled.labels, target)


def figures(examples: Examples, chances: Any, called: Any) -> dict[str, Any]:
    """AUC with an interval over groups, operating point with Wilson's, and the calibration error."""
    found = {"auc": bootstrap(auc, examples.labels, chances, examples.groups)}
    found |= at_threshold(examples.labels, called.astype(float), 0.5)
    error = calibration_error(examples.labels, chances)
    return {**{name: figure.as_json() for name, figure in found.items()}, "calibration_error": error}


def card(
    network: Network,
    material: Material,
    outcome: Outcome,
    target: Target,
    training: Mapping[str, Any],
    confound: Mapping[str, Any],
    about: str,
) -> dict[str, Any]:
    """Everything the page and docs/models show; plain JSON values only. about: the data, in words."""
    labelled, held = material.labelled, material.held_phantoms
    temperature, threshold = operating_point(material, outcome, target)
    chances = calibrated(outcome.logits[material.modality], temperature)[:, 1]
    called = cross_fitted_calls(chances, labelled.labels, outcome.folds[material.modality], target)
    real = figures(labelled, chances, called)
    drawn = calibrated(logits_of(outcome.module, held.tensor), temperature)[:, 1]
    return {
        "intended_use": INTENDED_USE,
        "data": _learnt(material, about),
        "counts": _counts(material),
        "split": SPLIT.format(folds=len(outcome.fold_modules)),
        "training": dict(training),
        "held_out": real,
        "held_out_answers": _answers(labelled, chances),
        "held_out_phantoms": figures(held, drawn, drawn >= threshold),
        "held_out_by_severity": _by_severity(labelled, called),
        "predictive_values": _predictive(real),
        "confound": dict(confound),
        "limits": list(LIMITS[material.modality]),
        "licence": network.licence,
    }


def _answers(labelled: Examples, chances: Any) -> list[list[float]]:
    """Truth, probability and number of the group: whoever doubts a figure can compute it again."""
    _, numbers = np.unique(labelled.groups, return_inverse=True)
    rows = zip(labelled.labels.tolist(), chances.tolist(), numbers.tolist(), strict=True)
    return [[truth, round(chance, 5), number] for truth, chance, number in rows]


def _learnt(material: Material, about: str) -> str:
    labels = LABELS_LEARNT if material.labels_learnt else LABELS_KEPT[material.modality]
    return LEARNT[material.modality].format(about=about, labels=labels)


def _by_severity(labelled: Examples, called: Any) -> dict[str, Any]:
    """Sensitivity within each severity, where the groups are named after one."""
    kinds = np.array([group.split("-")[0] for group in labelled.groups])
    found = {}
    for kind in ("mild", "moderate", "severe"):
        mine = (kinds == kind) & (labelled.labels == 1)
        if mine.any():
            found[kind] = wilson(int(called[mine].sum()), int(mine.sum())).as_json()
    return found


def _counts(material: Material) -> dict[str, Any]:
    labelled = material.labelled
    return {
        "normal": int((labelled.labels == 0).sum()),
        "ventriculomegaly": int((labelled.labels == 1).sum()),
        "groups": len(np.unique(labelled.groups)),
        "other": len(material.other),
        "taught": len(material.taught),
        "phantoms": len(material.phantoms),
        "held_out_phantoms": len(material.held_phantoms),
        "refused": dict(labelled.refused),
    }


def _predictive(real: Mapping[str, Any]) -> list[dict[str, float]]:
    sensitivity, specificity = real["sensitivity"]["value"], real["specificity"]["value"]
    return [predictive_values(sensitivity, specificity, prevalence) for prevalence in PREVALENCES]


def figure_words(figure: Mapping[str, Any]) -> str:
    """A figure as people read it: value, 95 % interval, number of pictures."""
    if None in figure.values():
        return "not measured"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}, n = {figure['count']:.0f})"


def plot_name(record: WeightsRecord, title: str) -> str:
    """The file of one of the card's charts."""
    return f"{record.network}-{record.modality}-{record.version}-{title.lower().replace(' ', '-')}.svg"


def markdown(record: WeightsRecord) -> str:
    """The card as a page of docs/models."""
    found = record.card
    lines = [
        f"# {record.network}, {record.modality}, version {record.version}",
        "",
        found["intended_use"],
        "",
    ]
    lines += ["## Data", "", found["data"], "", _table("Count", found["counts"], str), ""]
    lines += [f"Split: {found['split']}.", "", "## Held-out figures", ""]
    lines += ["95 % intervals: bootstrap over groups for AUC, Wilson for shares.", ""]
    lines += [_figures_table(found), ""]
    if "against_baseline" in found:
        lines += [found["against_baseline"], ""]
    plots = [f"![{title}](plots/{plot_name(record, title)})" for title in PLOTS]
    lines += [" ".join(plots), ""]
    lines += [
        f"Probability from which a scan is called ventriculomegaly: {record.threshold:.3f} "
        f"({record.threshold_target}). Temperature: {record.temperature:.3f}.",
        "",
        "| Prevalence | Positive predictive value | Negative predictive value |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {p['prevalence']:.0%} | {p['positive_predictive_value']:.3f} | "
        f"{p['negative_predictive_value']:.3f} |"
        for p in found["predictive_values"]
    ]
    lines += ["", "## Source or anatomy?", "", _confound_words(found["confound"]), "", "## Known limits", ""]
    lines += [f"- {limit}" for limit in found["limits"]]
    lines += ["", "## How it was made", "", f"`{found['training']['command']}`", ""]
    settings = {name: value for name, value in found["training"].items() if name != "command"}
    lines += [
        _table("Setting", settings, str),
        "",
        f"Weights: SHA-256 `{record.weights_sha256}`",
        "",
    ]
    lines += [f"Preprocessing: `{record.preprocessing}`, SHA-256 `{record.preprocessing_sha256}`", ""]
    return "\n".join(lines)


def _table(title: str, values: Mapping[str, Any], show: Any) -> str:
    rows = [f"| {name.replace('_', ' ')} | {show(value)} |" for name, value in values.items() if value != {}]
    return "\n".join([f"| {title} | |", "| --- | --- |", *rows])


def _figures_table(found: Mapping[str, Any]) -> str:
    rows = ["| Figure | Real pictures | Phantoms |", "| --- | --- | --- |"]
    for name in ("auc", "sensitivity", "specificity", "accuracy"):
        real, phantom = (figure_words(found[part][name]) for part in ("held_out", "held_out_phantoms"))
        rows.append(f"| {name if name != 'auc' else 'AUC'} | {real} | {phantom} |")
    errors = [f"{found[part]['calibration_error']:.3f}" for part in ("held_out", "held_out_phantoms")]
    return "\n".join([*rows, f"| calibration error | {errors[0]} | {errors[1]} |"])


def _confound_words(confound: Mapping[str, Any]) -> str:
    if not confound:
        return "Both classes come from the same volumes and slices, so no source tells them apart."
    rows = ["| Check | Result |", "| --- | --- |"]
    for name, value in confound.items():
        shown = figure_words(value) if isinstance(value, Mapping) else f"{value:.3f}"
        rows.append(f"| {name.replace('_', ' ')} | {shown} |")
    return "\n".join(rows)
