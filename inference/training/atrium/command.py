"""The command line that makes the atrium's weights, their record and their figures."""

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.torch
import torch

from inference.engine.atrium.measure import looker
from inference.engine.atrium.network import AtriumNetwork
from inference.engine.atrium.search import Networks
from inference.engine.records import canonical_json, sha256_hex
from inference.training.atrium import figures
from inference.training.atrium.draw import STEPS, Drawn, Shelf, Step, drawn
from inference.training.atrium.learn import Plan, learnt
from inference.training.atrium.material import (
    APART,
    PHANTOMS,
    Head,
    cropped,
    kept_apart,
    marks,
    normal_heads,
    phantom_heads,
)
from inference.training.checkpoints import Checkpoints

REFUSED = 0.06
"""Share of kept-apart normals, from about 18 weeks on, that the least chance may turn away."""
SECOND_TRIMESTER_MM = 150.0
HELD_PHANTOMS = 4
"""One phantom in so many is kept apart."""


@dataclass(frozen=True)
class Heads:
    """learnt: to learn from. apart: real heads of kept-apart patients. phantoms: kept apart too."""

    learnt: Shelf
    apart: Sequence[Head]
    phantoms: Sequence[Head]


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Train both networks, settle their thresholds on kept-apart heads, write OUT/atrium.*."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(asked.threads)
    started = time.monotonic()

    def tell(line: str) -> None:
        out.write(f"[{(time.monotonic() - started) / 60:5.1f} min] {line}\n")
        out.flush()

    @cache
    def heads() -> Heads:
        found = _heads(asked.data, frozenset(asked.without), asked.phantoms, asked.seed)
        shelf = found.learnt
        tell(
            f"{len(shelf.marked)} marked heads, {len(shelf.boxed)} boxed, {len(shelf.empty)} without an "
            f"atrium, {len(shelf.phantoms)} phantoms; {len(found.apart)} real heads kept apart"
        )
        return found

    trained = {step: _trained(step, asked, heads, tell) for step in asked.steps_of}
    if set(trained) == set(STEPS):
        networks = Networks(looker(trained["place"]), looker(trained["width"]))
        settled = settle(networks, heads(), asked.seed)
        tell(json.dumps(settled))
        _written(asked, trained, settled, heads())
        Checkpoints(asked.out / "checkpoints", "").forget()
    return 0


def _trained(
    step: Step, asked: argparse.Namespace, heads: Callable[[], Heads], tell: Callable[[str], None]
) -> AtriumNetwork:
    """One network; pictures that were drawn, and steps that were taken, are not drawn and taken again."""
    plan = Plan(step, asked.steps, seed=asked.seed, halved=asked.halved)
    told = [vars(plan), asked.pictures, asked.phantoms, sorted(asked.without), torch.__version__]
    checkpoints = Checkpoints(asked.out / "checkpoints", sha256_hex(canonical_json(told)))
    memory = checkpoints.recall(f"{step}-pictures")
    if memory is None:
        pictures = drawn(step, heads().learnt, asked.pictures, asked.seed)
        checkpoints.keep(f"{step}-pictures", {"drawn": pictures.__dict__}, {})
    else:
        pictures = Drawn(**memory.part("drawn"))
    tell(f"{step}: {len(pictures)} pictures drawn")
    return learnt(plan, pictures, checkpoints, tell)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.atrium", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with hc18, fetal_planes, lateral_ventricle"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[], help="sources that are not learnt from")
    parser.add_argument(
        "--step",
        nargs=1,
        choices=STEPS,
        default=STEPS,
        dest="steps_of",
        help="train one network only: two processes may share the work, and the command without it ends it",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1400)
    parser.add_argument("--pictures", type=int, default=7200, help="drawn for each network")
    parser.add_argument("--phantoms", type=int, default=PHANTOMS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--halved", action="store_true", help="multiply in bfloat16")
    return parser


def _heads(data: Path, without: frozenset[str], phantoms: int, seed: int) -> Heads:
    known = marks()
    wanted = [one for one in normal_heads(data) if one.source not in without]
    real = cropped(
        data, [one for one in wanted if one.file in known or one.box or (one.mm and kept_apart(one.group))]
    )
    mine = [head for head in real if not kept_apart(head.group)]
    made = phantom_heads(phantoms, seed)
    shelf = Shelf(
        marked=[head for head in mine if head.far is not None],
        boxed=[head for head in mine if head.place is not None],
        empty=[head for head in mine if head.empty],
        phantoms=made[len(made) // HELD_PHANTOMS :],
    )
    apart = [head for head in real if kept_apart(head.group)]
    return Heads(shelf, apart, made[: len(made) // HELD_PHANTOMS])


def settle(networks: Networks, heads: Heads, seed: int) -> dict[str, Any]:
    """least_chance, error_factor, and the figures of heads that were kept apart."""
    marked = [head for head in heads.apart if head.far is not None]
    boxes = [head for head in heads.apart if head.place is not None]
    normals = [head for head in heads.apart if head.place is not None or _from_18_weeks(head)]
    least = float(np.percentile(figures.chances(networks, normals), 100 * REFUSED))
    grafts = figures.grafts(networks, marked, seed)
    made = figures.phantoms(networks, heads.phantoms)
    plain = figures.as_marked(networks, marked)
    return {
        "least_chance": round(least, 4),
        "error_factor": round(figures.error_factor([*grafts, *made]), 4),
        "figures": {
            "grafts of kept-apart heads": figures.summed(grafts, least),
            "kept-apart phantoms": figures.summed(made, least),
            "kept-apart heads against their marks": figures.summed(plain, least),
            "boxes found": float((figures.boxed(networks, boxes) < figures.NEAR).mean()) if boxes else None,
            "boxes": len(boxes),
        },
    }


def _from_18_weeks(head: Head) -> bool:
    if head.mm is None:
        return False
    lie, ellipse = head.mm, head.ellipse
    return lie * 347.8 * 0.5 * np.pi * (1 + ellipse.aspect) >= SECOND_TRIMESTER_MM


def _written(
    asked: argparse.Namespace, trained: dict[str, AtriumNetwork], settled: dict[str, Any], heads: Heads
) -> None:
    asked.out.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{step}.{name}": tensor.contiguous().clone()
        for step, network in trained.items()
        for name, tensor in network.state_dict().items()
    }
    content = safetensors.torch.save(tensors)
    shelf = heads.learnt
    record = {
        **settled,
        "weights_sha256": sha256_hex(content),
        "seed": asked.seed,
        "steps": asked.steps,
        "pictures": asked.pictures,
        "halved": asked.halved,
        "without": sorted(asked.without),
        "learnt_from": {
            "marked heads": len(shelf.marked),
            "boxed heads": len(shelf.boxed),
            "heads without an atrium to measure": len(shelf.empty),
            "phantoms": len(shelf.phantoms),
        },
        "apart": APART,
        "versions": {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    (asked.out / "atrium.safetensors").write_bytes(content)
    (asked.out / "atrium.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
