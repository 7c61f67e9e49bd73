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
import safetensors.numpy
import torch
from numpy.typing import NDArray

from digests import canonical_json, sha256_hex
from inference.engine.atrium.measure import networks_of
from inference.engine.atrium.network import AtriumNetwork
from inference.engine.atrium.search import Networks
from inference.engine.backends.with_torch import tensors_of
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
from inference.training.fitting.checkpoints import Checkpoints

REFUSED = 0.06
"""Share of kept-apart normals, from about 18 weeks on, that the least chance may turn away, and of their
atria made WIDE_MM and wider; whichever allows more."""
WIDE_MM = 10.0
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
        found = _heads(asked)
        shelf = found.learnt
        tell(
            f"{len(shelf.marked)} marked heads, {len(shelf.boxed)} boxed, {len(shelf.empty)} without an "
            f"atrium, {len(shelf.phantoms)} phantoms; {len(found.apart)} real heads kept apart"
        )
        return found

    trained = {step: _trained(step, asked, heads, tell) for step in asked.steps_of}
    if set(trained) == set(STEPS):
        networks = networks_of(_tensors(trained))
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
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--pictures", type=int, default=4000, help="drawn for each network")
    parser.add_argument("--phantoms", type=int, default=PHANTOMS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--halved", action="store_true", help="multiply in bfloat16")
    return parser


def _heads(asked: argparse.Namespace) -> Heads:
    known = marks()
    wanted = [one for one in normal_heads(asked.data) if one.source not in asked.without]
    looked_at = [one for one in wanted if one.file in known or one.box or (one.mm and kept_apart(one.group))]
    real = cropped(asked.data, looked_at, processes=asked.threads)
    apart = asked.phantoms // HELD_PHANTOMS
    made = phantom_heads(asked.phantoms, asked.seed, narrow_from=apart, processes=asked.threads)
    return _shelved(real, made)


def _shelved(real: Sequence[Head], made: Sequence[Head]) -> Heads:
    mine = [head for head in real if not kept_apart(head.group)]
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
    late = [head for head in heads.apart if not head.empty and (_shows_one(head) or _is_late(head))]
    normals = figures.chances(networks, late, seed)
    empty = [head for head in heads.apart if head.empty]
    nothing = figures.chances(networks, empty, seed)
    grafts = figures.grafts(networks, marked, seed)
    wide = [one.chance for one in grafts if one.width * one.mm >= WIDE_MM]
    made = figures.phantoms(networks, heads.phantoms)
    least = min(float(np.percentile(one, 100 * REFUSED)) for one in (normals, wide) if len(one))
    factor = figures.error_factor([*grafts, *made])
    off = figures.boxed(networks, boxes) if boxes else np.array([])
    return {
        "least_chance": round(least, 4),
        "error_factor": round(factor, 4),
        "figures": {
            **figures.by_band(grafts, least, factor, "grafts of kept-apart heads"),
            **figures.by_band(made, least, factor, "kept-apart phantoms"),
            "kept-apart heads against their marks": figures.summed(
                figures.as_marked(networks, marked), least, factor
            ),
            "normals not measured": float((normals < least).mean()) if late else None,
            "normals": len(late),
            "heads without an atrium refused": float((nothing < least).mean()) if empty else None,
            "heads without an atrium": len(empty),
            "boxes found": float((off < figures.NEAR).mean()) if boxes else None,
            "boxes": len(boxes),
        },
    }


def _shows_one(head: Head) -> bool:
    return head.place is not None or head.far is not None


def _is_late(head: Head) -> bool:
    if head.mm is None:
        return False
    lie, ellipse = head.mm, head.ellipse
    return lie * 347.8 * 0.5 * np.pi * (1 + ellipse.aspect) >= SECOND_TRIMESTER_MM


def _tensors(trained: dict[str, AtriumNetwork]) -> dict[str, NDArray[Any]]:
    """As the weights file names them."""
    return {
        f"{step}.{name}": tensor
        for step, network in trained.items()
        for name, tensor in tensors_of(network).items()
    }


def _written(
    asked: argparse.Namespace, trained: dict[str, AtriumNetwork], settled: dict[str, Any], heads: Heads
) -> None:
    asked.out.mkdir(parents=True, exist_ok=True)
    content = safetensors.numpy.save(_tensors(trained))
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
