"""The command of the head finder: taught on outlined heads, then on heads that it and the search agree on."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from inference.engine.head_finder.network import HeadPainter
from inference.engine.records import canonical_json, sha256_hex
from inference.training.head_finder import material
from inference.training.head_finder.learn import Plan, fitted
from inference.training.head_finder.material import PHANTOMS, Outlined, joined
from inference.training.head_finder.measure import figures, held_out, told
from inference.training.head_finder.second_opinion import agreed

FIRST = {"hc18": 0.75, "phantom": 0.25}
SECOND = {"hc18": 0.5, "fetal_planes": 0.2, "ultrasound": 0.1, "lateral_ventricle": 0.05, "phantom": 0.15}


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
    plan = Plan(options.steps, options.seed, FIRST)
    first = fitted(plan, joined([taught, made]), neighbours, folder=options.out / "first", tell=tell)
    test = [row for row, kept in zip(rows, apart, strict=True) if kept]
    tell(told("after the first round", figures(first, options.data, test)))
    if options.leave_out:
        _write(options, first, {"first": asdict(plan)}, figures(first, options.data, test))
        return 0
    more = agreed(first, options.data, list(material.unlabelled_rows(options.data)), tell)
    plan = Plan(options.more_steps, options.seed + 1, SECOND)
    second = fitted(
        plan,
        joined([taught, made, more]),
        neighbours,
        start=first.state_dict(),
        folder=options.out / "second",
        tell=tell,
    )
    found = figures(second, options.data, test)
    tell(told("after the second round", found))
    _write(options, second, _pictures_of(joined([taught, made, more])), found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.head_finder", description=__doc__)
    parser.add_argument(
        "--data", required=True, type=Path, help="folder with hc18/, fetal_planes/ and others"
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--more-steps", type=int, default=1000)
    parser.add_argument("--phantoms", type=int, default=PHANTOMS)
    parser.add_argument("--leave-out", action="store_true", help="stop before other sources are learnt from")
    return parser


def _pictures(outlined: Outlined) -> Tensor:
    return torch.from_numpy(outlined.canvas).float() / 255


def _pictures_of(outlined: Outlined) -> dict[str, Any]:
    names, counts = np.unique(outlined.source, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _write(
    options: argparse.Namespace, model: HeadPainter, learnt: dict[str, Any], found: dict[str, Any]
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
        f"--steps {options.steps} --more-steps {options.more_steps} --phantoms {options.phantoms}",
        "sources": "HC18 (van den Heuvel et al. 2018, CC BY 4.0); FETAL_PLANES_DB "
        "(Burgos-Artizzu et al. 2020, CC BY 4.0); 'fetal-abnormality-object-detection' v1 (Roboflow, CC BY "
        "4.0); own phantoms",
        "intended_use": "To find the outline of a fetal head in an axial ultrasound picture. "
        "Research and decision support, not a cleared device.",
    }
    record["record_sha256"] = sha256_hex(canonical_json(record))
    (options.out / "head_finder.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
