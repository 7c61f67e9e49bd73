"""The command of the head finder: taught on outlined heads, measured on those of groups kept apart."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from digests import canonical_json, sha256_hex
from inference.engine.head.network import HeadPainter
from inference.training.head_finder import material
from inference.training.head_finder.learn import Plan, fitted
from inference.training.head_finder.material import PHANTOMS, Outlined, joined
from inference.training.head_finder.measure import figures, held_out, told

SHARES = {"hc18": 0.75, "phantom": 0.25}
"""How often each source is drawn."""


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Write head_finder.safetensors and head_finder.json. 0 when done."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)

    def tell(line: str) -> None:
        out.write(line + "\n")
        out.flush()

    rows = list(material.hc18_rows(options.data))
    outlined = material.loaded(options.data, rows)
    apart = held_out(outlined.group, options.seed)
    taught = outlined.take(~apart)
    neighbours = _pictures(material.loaded(options.data, list(material.background_rows(options.data))))
    made = material.phantoms(options.phantoms, options.seed)
    learnt = joined([taught, made])
    plan = Plan(options.steps, options.seed, SHARES)
    model = fitted(plan, learnt, neighbours, folder=options.out / "checkpoints", tell=tell)
    found = figures(model, options.data, [row for row, kept in zip(rows, apart, strict=True) if kept])
    tell(told("heads kept apart", found))
    _write(options, model, _counts(learnt), found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.head_finder", description=__doc__)
    parser.add_argument(
        "--data", required=True, type=Path, help="folder with hc18/, fetal_planes/ and others"
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--phantoms", type=int, default=PHANTOMS)
    return parser


def _pictures(outlined: Outlined) -> Tensor:
    return torch.from_numpy(outlined.canvas).float() / 255


def _counts(outlined: Outlined) -> dict[str, int]:
    names, counts = np.unique(outlined.source, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _write(
    options: argparse.Namespace, model: HeadPainter, learnt: dict[str, int], found: dict[str, Any]
) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    content = safetensors.torch.save(tensors)
    (options.out / "head_finder.safetensors").write_bytes(content)
    record = {
        "name": "head_finder",
        "weights_sha256": sha256_hex(content),
        "pictures": learnt,
        "figures": found,
        "seed": options.seed,
        "command": f"python -m inference.training.head_finder --data DIR --out OUT --seed {options.seed} "
        f"--steps {options.steps} --phantoms {options.phantoms}",
        "sources": "heads of HC18 (van den Heuvel et al. 2018, CC BY 4.0) and own phantoms; surroundings "
        "also from FETAL_PLANES_DB (Burgos-Artizzu et al. 2020, CC BY 4.0)",
        "intended_use": "To find the outline of a fetal head in an axial ultrasound picture. "
        "Research and decision support, not a cleared device.",
    }
    record["record_sha256"] = sha256_hex(canonical_json(record))
    (options.out / "head_finder.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
