"""The command of the input gate: looks at every picture, then fits layers to measure and layers to ship."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

from digests import sha256_hex
from inference.engine.head.by_network import found_by
from inference.engine.head.shipped import finder_name, shipped_painter
from inference.engine.input_gate.look import COLUMNS, MARGIN, ROWS
from inference.engine.input_gate.sononet_gate import QUESTIONS, stem_stage
from inference.training.evaluation.figures import Figure
from inference.training.input_gate import measure, planes
from inference.training.input_gate.learn import fitted
from inference.training.input_gate.material import Seen, items, seen

SONONET_SHA256 = "0e73a6c983ec6c1195653c8140ea2389ce68ed649272306099cef2421df3a325"


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write input_gate.safetensors, sononet16.safetensors, input_gate.json and input_gate.md. 0 when done."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)

    def tell(line: str) -> None:
        out.write(line + "\n")
        out.flush()

    stem = _halved(options.weights_dir / "sononet16_fp32.safetensors")
    examples = _examples(options, stem, tell)
    held = measure.held_out(examples, options.seed)
    limits = measure.thresholds(examples, held)
    figures = measure.table(
        examples,
        held,
        measure.left_out(examples),
        measure.planes_left_out(examples),
        limits,
    )
    tell("\n".join(lines(figures)))
    layers = {name: array.astype(np.float16) for name, array in fitted(examples).items()}
    _write(options, safetensors.numpy.save(layers), stem, limits, figures, examples)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.input_gate", description=__doc__)
    parser.add_argument(
        "--data", required=True, type=Path, help="folder with hc18/, fetal_planes/ and others"
    )
    parser.add_argument(
        "--weights-dir", required=True, type=Path, help="folder with sononet16_fp32.safetensors"
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--looks", type=int, default=2, help="other looks of each real picture")
    parser.add_argument("--cache", type=Path, default=None, help="file that keeps what SonoNet saw")
    return parser


def _halved(path: Path) -> bytes:
    """The published weights, convolutions in half precision: normalisations do not fit into it."""
    content = path.read_bytes()
    if sha256_hex(content) != SONONET_SHA256:
        raise ValueError(f"{path} is not the SonoNet16 that the gate rests on")
    tensors = safetensors.torch.load(content)
    return safetensors.torch.save({n: t.half() if t.dim() == 4 else t for n, t in tensors.items()})


def _examples(options: argparse.Namespace, stem: bytes, tell: Callable[[str], None]) -> Seen:
    if options.cache and options.cache.exists():
        with np.load(options.cache, allow_pickle=False) as file:
            return Seen(*(file[name] for name in Seen.__dataclass_fields__))
    painter = shipped_painter()
    wanted = items(options.data, options.looks)
    found = seen(options.data, wanted, lambda frame: found_by(painter, frame), stem_stage(stem), tell=tell)
    found = planes.named(options.data, found, stem, tell)
    if options.cache:
        np.savez(options.cache, **{name: getattr(found, name) for name in Seen.__dataclass_fields__})
    return found


def lines(figures: Mapping[str, Figure]) -> Sequence[str]:
    """The figures as a table in Markdown."""
    head = ("| what | pictures | share | 95 % interval |", "|---|---|---|---|")
    rows = (
        f"| {name} | {one.count} | {one.value:.1%} | {one.low:.1%} to {one.high:.1%} |"
        for name, one in sorted(figures.items())
    )
    return (*head, *rows)


def _write(
    options: argparse.Namespace,
    layers: bytes,
    stem: bytes,
    limits: Mapping[str, float],
    figures: Mapping[str, Figure],
    examples: Seen,
) -> None:
    names = np.char.add(np.char.add(examples.source, ", "), examples.kind)
    record: dict[str, Any] = {
        "name": "input_gate",
        "questions": list(QUESTIONS),
        "weights_sha256": sha256_hex(layers),
        "stem": "SonoNet16 (Baumgartner et al. 2017, arXiv 1612.05601; Apache-2.0), in half precision",
        "stem_sha256": sha256_hex(stem),
        "head_finder": finder_name(),
        "look": {"rows": ROWS, "columns": COLUMNS, "margin": MARGIN},
        "thresholds": {name: round(value, 4) for name, value in limits.items()},
        "pictures": dict(zip(*(part.tolist() for part in np.unique(names, return_counts=True)), strict=True)),
        "figures": {name: figure.as_json() for name, figure in sorted(figures.items())},
        "command": "python -m inference.training.input_gate --data DIR --weights-dir WEIGHTS --out OUT "
        f"--seed {options.seed} --looks {options.looks}",
        "sources": "HC18 (van den Heuvel et al. 2018), FETAL_PLANES_DB (Burgos-Artizzu et al. 2020), boxes "
        "by Alzubaidi et al. 2023, the 'fetal-abnormality-object-detection' collection v1 (Roboflow), "
        "all CC BY 4.0; own phantoms",
        "intended_use": "To refuse what shows no fetal head, no plane with ventricles, or a head from before "
        "about 18 weeks. Research and decision support, not a cleared device.",
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "input_gate.safetensors").write_bytes(layers)
    (options.out / "sononet16.safetensors").write_bytes(stem)
    (options.out / "input_gate.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    (options.out / "input_gate.md").write_text("\n".join(lines(figures)) + "\n")
