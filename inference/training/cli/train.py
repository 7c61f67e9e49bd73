"""The training command: one network, one or more modalities, from folders to weights, records and cards."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import safetensors.torch
import torch
from torch import nn

from digests import sha256_hex
from inference.charts.card_plots import charts
from inference.charts.svg import standalone
from inference.engine.catalogue import write
from inference.engine.networks import NETWORKS
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.records import Recipe, WeightsRecord
from inference.engine.weights.loaded_model import configure
from inference.formats.stack import MODALITIES, Modality
from inference.training.cards.card import card, operating_point
from inference.training.cards.card_page import figure_words, markdown, plot_name
from inference.training.cli.options import RATES, STAGES, parser, repeated, said_of
from inference.training.data.folders import modality_of
from inference.training.data.groups import GroupLeak
from inference.training.data.material import Making, Material, material
from inference.training.evaluation.calibrate import Target, target_of
from inference.training.evaluation.pointing_game import with_explanations
from inference.training.evaluation.source_leakage import confound_checks
from inference.training.fitting import backbones
from inference.training.fitting.checkpoints import Checkpoints, fingerprint
from inference.training.fitting.plan import Plan, Stem
from inference.training.fitting.progress import Clock, shown_on
from inference.training.fitting.run import Outcome, run
from inference.training.fitting.session import Report, Step

STOPPED = "Stopped. The same command goes on after the last whole epoch."
REFUSALS = (
    backbones.BackboneMissing,
    backbones.BackboneRefused,
    GroupLeak,
    FileNotFoundError,
    ValueError,
)
"""What is wrong with the options or the folders, each with a sentence."""


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Train and write; 0 when done, 2 when refused, 130 when stopped by Ctrl-C: then it can go on."""
    options = parser().parse_args(arguments)
    try:
        with shown_on(out) as report:
            records = train(options, report)
    except REFUSALS as refused:
        out.write(f"{refused}\n")
        return 2
    except KeyboardInterrupt:
        out.write(f"\n{STOPPED}\n")
        return 130
    for record in records:
        words = figure_words(record.card["held_out"]["auc"])
        out.write(f"{record.modality}: AUC on held-out groups {words}\n")
    return 0


def train(options: argparse.Namespace, report: Report) -> list[WeightsRecord]:
    """Train as the options say; write weights, and for each modality a record and a card, into options.out.

    Raises one of REFUSALS, with a sentence, before any work is done.
    """
    configure(options.threads, learning=True)
    start, origin = _start(options)
    folders = _folders(options)
    for modality in folders:
        _target(options, modality)
        said_of(modality, options.about)
    report(Step("preparing pictures", {}, 0, 0))
    materials = [_material(options, modality, folder) for modality, folder in folders.items()]
    plan = _plan(options, published=origin is not None)
    checkpoints = _checkpoints(options, plan, materials, start)
    clock = Clock(report)
    outcome = run(plan, materials, start, clock.report, checkpoints, options.cache)
    training = {
        **vars(plan),
        "starts_from": origin or "random weights",
        "epochs_chosen": outcome.epochs,
        **clock.figures(),
        "command": repeated(options, list(folders)),
    }
    records = _written(options, materials, outcome, training)
    checkpoints.forget()
    return records


def _checkpoints(
    options: argparse.Namespace, plan: Plan, materials: list[Material], start: nn.Module
) -> Checkpoints:
    pictures = [
        part
        for found in materials
        for part in (found.labelled, found.taught, found.headless, found.other, found.early, found.phantoms)
    ]
    return Checkpoints(options.out / "checkpoints", fingerprint(vars(plan), start, pictures))


def _plan(options: argparse.Namespace, *, published: bool) -> Plan:
    stages = {name: getattr(options, name) for name in (*STAGES, *RATES, "halved")}
    unpublished: Stem = "phantoms" if options.settle else "free"
    stem: Stem = "published" if published else unpublished
    return Plan(network=options.network, seed=options.seed, stem=stem, **stages)


def _start(options: argparse.Namespace) -> tuple[nn.Module, str | None]:
    """A fresh module, with published weights where the network has some and nobody objects."""
    torch.manual_seed(options.seed)
    network = NETWORKS[options.network]
    module = network.build()
    if options.settle and not hasattr(module, "tail"):
        raise ValueError(f"{network.title} has no tail that could learn alone: leave --settle out.")
    if network.backbone is None or options.from_scratch:
        return module, None
    return module, backbones.fill(module, network, options.weights_dir)


def _folders(options: argparse.Namespace) -> dict[Modality, Path]:
    """Which folder holds which modality: stated, or seen from what is in it. Raises ValueError."""
    known = {str(modality): modality for modality in MODALITIES}
    found: dict[Modality, Path] = {}
    for entry in options.data:
        name, separator, folder = entry.partition("=")
        path = Path(folder if separator else entry)
        modality = known.get(name if separator else options.modality) or modality_of(path)
        if modality is None:
            raise ValueError(f"Nothing in {path} can be learnt from: see docs/training.md.")
        found[modality] = path
    return found


def _target(options: argparse.Namespace, modality: Modality) -> Target:
    return target_of(said_of(modality, options.target))


def _recipe(options: argparse.Namespace, modality: Modality) -> Recipe:
    """What was asked for, else what the network is usually given."""
    stated = [one for one in options.preprocessing if one.startswith(f"{modality}-")]
    return RECIPES[stated[-1] if stated else NETWORKS[options.network].recipes[modality]]


def _material(options: argparse.Namespace, modality: Modality, folder: Path) -> Material:
    network = NETWORKS[options.network]
    found = material(
        modality,
        folder,
        _recipe(options, modality).id,
        Making(
            options.phantoms,
            options.seed,
            options.variants,
            bare=options.bare,
            headless=options.headless,
            without=tuple(options.without),
        ),
        cache=options.cache,
        learn_labels=options.learn_labels,
    )
    return found.seen_at(network.side)


def _written(
    options: argparse.Namespace,
    materials: list[Material],
    outcome: Outcome,
    training: Mapping[str, object],
) -> list[WeightsRecord]:
    """One weights file; a record and a card for each modality."""
    content = _packed(outcome.module)
    records = []
    for found in materials:
        network = NETWORKS[options.network]
        recipe = _recipe(options, found.modality)
        checks = confound_checks(found, outcome, network, recipe.id, options.cache)
        learnt = {**training, "pictures_sha256": found.pictures_sha256}
        record = _record(options, found, outcome, sha256_hex(content), learnt, checks)
        record = with_explanations(record, content, options.explained)
        path = write(record, content, options.out, shared=len(materials) > 1)
        path.with_suffix(".md").write_text(markdown(record))
        _draw(record, options.out)
        records.append(record)
    return records


def _draw(record: WeightsRecord, folder: Path) -> None:
    """The card's charts as files, for the page in docs/models."""
    (folder / "plots").mkdir(exist_ok=True)
    for chart in charts(record.card):
        (folder / "plots" / plot_name(record, chart.title)).write_text(standalone(chart))


def _record(
    options: argparse.Namespace,
    found: Material,
    outcome: Outcome,
    weights_sha256: str,
    training: Mapping[str, object],
    checks: Mapping[str, object],
) -> WeightsRecord:
    recipe = _recipe(options, found.modality)
    target = _target(options, found.modality)
    about = said_of(found.modality, options.about)
    point = operating_point(found, outcome, target)
    return WeightsRecord(
        network=options.network,
        version=options.version,
        modality=found.modality,
        weights_sha256=weights_sha256,
        preprocessing=recipe.id,
        preprocessing_sha256=recipe.sha256,
        threshold=point.threshold,
        threshold_target=point.target,
        temperature=point.temperature,
        card=card(NETWORKS[options.network], found, outcome, target, training, checks, about, point),
    )


def _packed(module: nn.Module) -> bytes:
    """The weights in half precision, half the size; arithmetic stays in single precision."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in module.state_dict().items()
    }
    return bytes(safetensors.torch.save(tensors))
