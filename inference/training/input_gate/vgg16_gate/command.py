"""The command of the scope gate: pictures, four fits that measure it, one fit that is shipped."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.numpy

from digests import canonical_json, sha256_hex
from inference.engine.backends.with_torch import tensors_of
from inference.engine.input_gate.vgg16_gate import (
    CLASSES,
    CROP,
    MARGIN,
    WHOLE,
    ScopeMismatch,
    Stem,
    published_stem,
    stem_of,
)
from inference.engine.networks import NETWORKS
from inference.engine.weights.loaded_model import configure
from inference.formats.stack import MODALITIES
from inference.training.evaluation.figures import Figure
from inference.training.fitting import backbones
from inference.training.input_gate.vgg16_gate.learn import fitted
from inference.training.input_gate.vgg16_gate.material import Seen, items, seen
from inference.training.input_gate.vgg16_gate.measure import HEADS, held_out, lines, table, thresholds
from inference.training.input_gate.vgg16_gate.sources import across_sources

PROGRAM = "inference.training.input_gate.vgg16_gate"


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write scope.safetensors, scope.json and scope.md. 0 when done, 2 when refused."""
    options = _parser().parse_args(arguments)
    configure(options.threads, learning=True)
    try:
        stem = _stem(options.weights_dir)
    except (backbones.BackboneMissing, backbones.BackboneRefused, ScopeMismatch) as refused:
        out.write(f"{refused}\n")
        return 2
    examples = _examples(options, stem, out)
    held = held_out(examples, options.steps, options.seed)
    limits = thresholds(held)
    if options.modality:
        limits |= {name: 0.5 for name in MODALITIES if name != options.modality}
    figures = table(held, limits) | across_sources(examples, options.steps, options.seed, limits)
    out.write("\n".join(lines(figures)) + "\n")
    if not options.measure_only:
        content = safetensors.numpy.save(fitted(examples, options.steps, options.seed))
        write(options.out, content, _record(options, stem, content, limits, figures, examples), figures)
    return 0


def _stem(folder: Path | None) -> Stem:
    """The shipped network's, or the published weights out of a folder; it is the same one."""
    if folder is None:
        return published_stem()
    network = NETWORKS["vgg16"].build()
    backbones.fill(network, NETWORKS["vgg16"], folder)
    return stem_of(tensors_of(network))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__)
    parser.add_argument(
        "--data", required=True, type=Path, help="folder with ultrasound/labels.csv and mri/*/"
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--modality", choices=list(MODALITIES), default=None, help="a gate for this one alone"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--share", type=float, default=1.0, help="scales the number of pictures of every kind"
    )
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights-dir", type=Path, default=None, help="take the published stem from here")
    parser.add_argument("--cache", type=Path, default=None, help="file that keeps what the stem sees")
    parser.add_argument("--measure-only", action="store_true", help="print the table again, write nothing")
    return parser


def _examples(options: argparse.Namespace, stem: Stem, out: TextIO) -> Seen:
    if options.cache and options.cache.exists():
        with np.load(options.cache, allow_pickle=False) as file:
            return Seen(*(file[name] for name in Seen.__dataclass_fields__))
    wanted = items(options.data, options.share, 1000 * options.seed, options.modality)
    found = seen(options.data, wanted, stem, processes=options.threads)
    out.write(f"{len(found)} of {len(wanted)} pictures show their head where the engine finds it, or none\n")
    if options.cache:
        np.savez(options.cache, **{name: getattr(found, name) for name in Seen.__dataclass_fields__})
    return found


def _record(
    options: argparse.Namespace,
    stem: Stem,
    content: bytes,
    limits: Mapping[str, float],
    figures: Mapping[str, Figure],
    examples: Seen,
) -> dict[str, Any]:
    views = {"crop": CROP, "whole": WHOLE, "margin": MARGIN, "percentiles": [1, 99]}
    return {
        "name": "scope",
        "classes": list(CLASSES),
        "weights_sha256": sha256_hex(content),
        "stem": "VGG16 as published, up to its fourth block",
        "stem_sha256": stem.sha256,
        "preprocessing": views,
        "preprocessing_sha256": sha256_hex(canonical_json(views)),
        "thresholds": {name: round(value, 4) for name, value in limits.items()},
        "pictures": {kind: int((examples.kind == kind).sum()) for kind in np.unique(examples.kind).tolist()},
        "heads": list(HEADS),
        "figures": {name: figure.as_json() for name, figure in figures.items()},
        "command": f"python -m {PROGRAM} --data DIR --out DIR --seed {options.seed} "
        f"--share {options.share} --steps {options.steps} --threads {options.threads}"
        + (f" --modality {options.modality}" if options.modality else ""),
        "intended_use": "To refuse what shows no fetal head in axial section before any network answers. "
        "Research and decision support, not a cleared device.",
    }


def write(folder: Path, content: bytes, record: Mapping[str, Any], figures: Mapping[str, Figure]) -> None:
    """Lay the gate down as the engine reads it, with its table beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scope.safetensors").write_bytes(content)
    (folder / "scope.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    (folder / "scope.md").write_text("\n".join(lines(figures)) + "\n")
