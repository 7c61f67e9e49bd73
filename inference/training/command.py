"""The training command: one network for one modality, from a folder to weights, record and card."""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.torch
from torch import nn

from inference.engine.catalogue import write
from inference.engine.networks import NETWORKS
from inference.engine.predict import calibrated
from inference.engine.preprocess import RECIPES
from inference.engine.records import WeightsRecord, sha256_hex
from inference.engine.weights import configure
from inference.formats.stack import MODALITIES
from inference.training.atlas import atlas_sources
from inference.training.calibrate import fit_temperature, threshold_for_sensitivity
from inference.training.card import card, figure_words, markdown
from inference.training.confound import against_other, border_only, border_removed, changed_auc
from inference.training.data import Examples, Source, cached, folder_sources
from inference.training.phantoms import phantom_sources
from inference.training.run import Material, Outcome, Plan, Progress, run

HELD_PHANTOMS = 5
"""One phantom in so many is held out."""
STAGES = ("folds", "phantom_epochs", "epochs", "steps", "patience")
REPEATED = ("network", "modality", "seed", "version", "phantoms", "sensitivity", "threads", *STAGES)


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Train and write `<network>-<modality>-<version>` .safetensors, .json and .md. 0 when done."""
    options = _parser().parse_args(arguments)
    configure(options.threads)
    recipe_id = NETWORKS[options.network].recipes[options.modality]
    report = _progress(out)
    report("preparing pictures", {})
    material = _material(options, recipe_id)
    plan = _plan(options)
    outcome = run(plan, material, report)
    record, content = _record(options, plan, material, outcome)
    path = write(record, content, options.out)
    path.with_suffix(".md").write_text(markdown(record))
    out.write(f"AUC on held-out groups: {figure_words(record.card['held_out']['auc'])}\n{path}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training", description=__doc__)
    parser.add_argument("--network", required=True, choices=list(NETWORKS))
    parser.add_argument("--modality", required=True, choices=list(MODALITIES))
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        help="ultrasound: a folder with labels.csv (file, label, group); "
        "mri: a folder of volumes, each with srr.nii.gz and parcellation.nii.gz",
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", default="1.0", help="dotted numbers")
    parser.add_argument("--phantoms", type=int, default=800)
    parser.add_argument("--sensitivity", type=float, default=0.9, help="what the threshold is chosen for")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps prepared pictures")
    parser.add_argument("--threads", type=int, default=1)
    for name in STAGES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(Plan, name))
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        network=options.network,
        seed=options.seed,
        folds=options.folds,
        phantom_epochs=options.phantom_epochs,
        epochs=options.epochs,
        steps=options.steps,
        patience=options.patience,
    )


def _repeat(options: argparse.Namespace) -> str:
    """The command that makes these weights again, without the folders of this machine."""
    shown = " ".join(f"--{name.replace('_', '-')} {getattr(options, name)}" for name in REPEATED)
    return f"python -m inference.training {shown} --data DIR --out DIR"


def _progress(out: TextIO) -> Progress:
    started = time.monotonic()

    def report(stage: str, values: Mapping[str, float]) -> None:
        shown = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        out.write(f"[{time.monotonic() - started:6.0f} s] {stage}  {shown}\n")
        out.flush()

    return report


def _sources(options: argparse.Namespace) -> list[Source]:
    if options.modality == "ultrasound":
        return folder_sources(options.data)
    return atlas_sources(options.data, options.seed)


def _material(options: argparse.Namespace, recipe_id: str) -> Material:
    real = cached(options.cache, "pictures", _sources(options), recipe_id)
    phantoms = cached(
        options.cache,
        "phantoms",
        phantom_sources(options.modality, options.phantoms, options.seed),
        recipe_id,
    )
    held = len(phantoms) - len(phantoms) // HELD_PHANTOMS
    return Material(
        labelled=real.of_class(),
        other=real.take(real.labels < 0),
        phantoms=_rows(phantoms, 0, held),
        held_phantoms=_rows(phantoms, held, len(phantoms)),
    )


def _rows(examples: Examples, start: int, stop: int) -> Examples:
    return examples.take(np.arange(start, stop))


def _record(
    options: argparse.Namespace, plan: Plan, material: Material, outcome: Outcome
) -> tuple[WeightsRecord, bytes]:
    truth = material.labelled.labels
    recipe = RECIPES[NETWORKS[plan.network].recipes[options.modality]]
    temperature = fit_temperature(outcome.logits, truth)
    chances = calibrated(outcome.logits, temperature)[:, 1]
    threshold = threshold_for_sensitivity(chances, truth, options.sensitivity)
    confound = _confound(options, material, outcome, recipe.id)
    command = _repeat(options)
    content = _packed(outcome.module)
    record = WeightsRecord(
        network=plan.network,
        version=options.version,
        modality=options.modality,
        weights_sha256=sha256_hex(content),
        preprocessing=recipe.id,
        preprocessing_sha256=recipe.sha256,
        threshold=threshold,
        threshold_target=f"sensitivity {options.sensitivity:.0%} on held-out groups",
        temperature=temperature,
        card=card(plan, options.modality, material, outcome, temperature, threshold, confound, command),
    )
    return record, content


def _confound(
    options: argparse.Namespace, material: Material, outcome: Outcome, recipe_id: str
) -> dict[str, Any]:
    """Only where the classes come from different sources is there a source to recognise."""
    if options.modality != "ultrasound":
        return {}
    from_folder = (options.data, material.labelled, outcome, recipe_id)
    only, answered = changed_auc(*from_folder, border_only)
    removed, kept = changed_auc(*from_folder, border_removed)
    found: dict[str, Any] = {
        "auc_border_only": only.as_json(),
        "share_answered_border_only": answered,
        "auc_border_removed": removed.as_json(),
        "share_answered_border_removed": kept,
    }
    if len(material.other):
        found["auc_against_other_anomalies"] = against_other(
            material.labelled, material.other, outcome
        ).as_json()
    return found


def _packed(module: nn.Module) -> bytes:
    """The weights in half precision, half the size; arithmetic stays in single precision."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in module.state_dict().items()
    }
    return bytes(safetensors.torch.save(tensors))
