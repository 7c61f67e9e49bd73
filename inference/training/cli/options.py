"""The options of a training: what can be said, and the command that says the same again."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from inference.engine.networks import NETWORKS
from inference.engine.preprocessing.prepare import RECIPES
from inference.formats.stack import MODALITIES, Modality
from inference.training.data.material import VARIANTS
from inference.training.data.sources import HOSPITALS
from inference.training.fitting.plan import Plan

ABOUT = "Train one network for one or more modalities: from folders to weights, records and cards."
STAGES = ("folds", "phantom_epochs", "epochs", "steps", "patience", "copies")
RATES = ("phantom_rate", "rate")
FLAGS = {
    "from_scratch": "use no published weights",
    "settle": "after the phantoms only the tail learns",
    "halved": "products in bfloat16: twice as fast on a CPU that has them, many times slower elsewhere",
    "learn_labels": "learn from real labels too (see docs)",
    "bare": "half of the drawn-in heads stand on black",
    "headless": "learn that a picture without its head says nothing",
}
WIDE = 128
"""Side of what the networks are given today."""
REPEATED = ("network", "seed", "version", "phantoms", "variants", "explained", "threads", *STAGES, *RATES)


def parser() -> argparse.ArgumentParser:
    """Every option of a training."""
    parser = argparse.ArgumentParser(prog="python -m inference.training", description=ABOUT)
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, for whoever offers training under another name."""
    parser.add_argument("--network", required=True, choices=list(NETWORKS))
    parser.add_argument("--modality", choices=list(MODALITIES), help="what a single --data DIR holds")
    parser.add_argument(
        "--data",
        required=True,
        nargs="+",
        metavar="[MODALITY=]DIR",
        help="ultrasound: a folder with labels.csv (file, label, group), or one folder for each class; "
        "mri: a folder of volumes, each with srr.nii.gz and parcellation.nii.gz. "
        "A DIR that holds hc18/, fetal_planes/, lateral_ventricle/ or ultrasound/ brings the normals of all. "
        "Several, as ultrasound=DIR mri=DIR, make one network for all of them.",
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", default="1.0", help="dotted numbers")
    parser.add_argument("--phantoms", type=int, default=3000, help="of each modality")
    usual = ", ".join(f"{modality} {count}" for modality, count in VARIANTS.items())
    parser.add_argument(
        "--variants", type=int, default=None, help=f"made of every real normal, of each class ({usual})"
    )
    parser.add_argument(
        "--explained", type=int, default=24, help="phantoms whose maps the card measures, of each modality"
    )
    parser.add_argument(
        "--target",
        default=["sensitivity=0.9"],
        nargs="+",
        metavar="[MODALITY:]TARGET",
        help="what the threshold is chosen for: sensitivity=SHARE or specificity=SHARE",
    )
    parser.add_argument(
        "--weights-dir", type=Path, default=None, help="folder of published weights, safetensors"
    )
    for name, about in FLAGS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=about)
    parser.add_argument(
        "--about",
        default=["a folder nobody described"],
        nargs="+",
        metavar="[MODALITY:]TEXT",
        help="what the data is, for the card",
    )
    _add_choices(parser)
    _add_course(parser)


def _add_choices(parser: argparse.ArgumentParser) -> None:
    """What is learnt from, and how it is prepared, where it is not as usual."""
    parser.add_argument(
        "--preprocessing",
        default=[],
        nargs="+",
        choices=[one for one in RECIPES if one.endswith(f"-{WIDE}")],
        metavar="RECIPE",
        help="instead of the one that the network is usually given: of each modality one of "
        + ", ".join(one for one in RECIPES if one.endswith(f"-{WIDE}")),
    )
    parser.add_argument(
        "--without",
        default=[],
        nargs="+",
        choices=[*HOSPITALS, *sorted(set(HOSPITALS.values()))],
        metavar="SOURCE",
        help="sources or hospitals of ultrasound normals that nothing is learnt from; they only measure. "
        "Of several hospitals each is left out once anyway, by a network of its own, for the card",
    )


def _add_course(parser: argparse.ArgumentParser) -> None:
    """How it runs, and each number of the plan under its own name."""
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps prepared pictures")
    parser.add_argument("--threads", type=int, default=1)
    for name in STAGES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(Plan, name))
    for name in RATES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(Plan, name))


def said_of(modality: Modality, entries: Sequence[str]) -> str:
    """Of what was said with or without a modality, the last that holds. Raises ValueError with a sentence."""
    others = tuple(f"{other}:" for other in MODALITIES if other != modality)
    said = [entry for entry in entries if not entry.startswith(others)]
    if not said:
        raise ValueError(f"Say it for {modality} too: {', '.join(entries)}.")
    return said[-1].removeprefix(f"{modality}:")


def repeated(options: argparse.Namespace, modalities: list[Modality]) -> str:
    """The command that makes these weights again, without the folders of this machine."""
    stated = {name: getattr(options, name) for name in REPEATED}
    shown = " ".join(f"--{k.replace('_', '-')} {v}" for k, v in stated.items() if v is not None)
    words = "".join(f" --{name} {shlex.join(getattr(options, name))}" for name in ("target", "about"))
    flags = "".join(f" --{name.replace('_', '-')}" for name in FLAGS if getattr(options, name))
    flags += f" --preprocessing {' '.join(options.preprocessing)}" if options.preprocessing else ""
    flags += f" --without {' '.join(options.without)}" if options.without else ""
    weights = " --weights-dir DIR" if options.weights_dir else ""
    data = " ".join(f"{modality}=DIR" for modality in modalities)
    return f"python -m inference.training {shown}{flags}{weights}{words} --data {data} --out DIR"
