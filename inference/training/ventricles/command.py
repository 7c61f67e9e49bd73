"""The command line that makes the ventricle network's weights, their record and their figures.

Every volume is left out once: its widths are measured by a network that never saw it. Stopped, the same
command goes on where it was.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from digests import canonical_json, sha256_hex
from inference.engine.backends.with_torch import tensors_of
from inference.engine.ventricles.grids import PIXEL_MM, SIDE
from inference.engine.ventricles.network import MAPS, VentricleNetwork
from inference.engine.ventricles.painter import looker
from inference.training.data.groups import refuse_leak
from inference.training.fitting.checkpoints import Checkpoints
from inference.training.ventricles.learn import Plan, learnt
from inference.training.ventricles.looks import drawn
from inference.training.ventricles.measure import Measured, called, errors, measured, summed
from inference.training.ventricles.volumes import Made, made_volumes

LEAST_CHANCE = 0.75
"""Mean probability within the circle below which no atrium counts as seen."""
Tell = Callable[[str], None]


class Shelf:
    """Slices drawn from every volume: pictures (n, SIDE, SIDE), wanted (n, 3, SIDE, SIDE), groups (n)."""

    def __init__(self, pictures: NDArray[np.uint8], wanted: NDArray[np.uint8], groups: NDArray[np.str_]):
        self.pictures, self.wanted, self.groups = pictures, wanted, groups


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Train, measure what was left out, write OUT/ventricles.*. 0 when done."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(asked.threads)
    started = time.monotonic()

    def tell(line: str) -> None:
        out.write(f"[{(time.monotonic() - started) / 60:5.1f} min] {line}\n")
        out.flush()

    told = [asked.seed, asked.steps, asked.pictures, asked.folds, torch.__version__]
    checkpoints = Checkpoints(asked.out / "checkpoints", sha256_hex(canonical_json(told)))
    volumes = list(_volumes(asked, tell))
    shelf = _shelf(asked, volumes, tell)
    found = []
    for fold in [0] if asked.apart else range(asked.folds):
        network, measured_now = _left_out(asked, fold, volumes, shelf, checkpoints, tell)
        found += measured_now
    if not asked.apart:
        plan = Plan("all", asked.steps, seed=asked.seed)
        network = learnt(plan, shelf.pictures, shelf.wanted, checkpoints, tell)
    _write(asked, network, found, shelf)
    tell(json.dumps(summed(found).get("all")))
    return 0


def _volumes(asked: argparse.Namespace, tell: Tell) -> Iterator[Made]:
    """Made once and kept: moving walls in three dimensions takes seconds."""
    folder = asked.out / "made"
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(folder.glob("[0-9]*.npz"))
    known = json.dumps([asked.seed, asked.quick])
    if (folder / "done").exists() and (folder / "done").read_text() == known:
        for path in kept:
            with np.load(path) as file:
                yield Made(
                    str(file["group"]), str(file["kind"]), file["picture"].astype(np.float32), file["labels"],
                    tuple(file["widths"].tolist()),
                )  # fmt: skip
        return
    for number, made in enumerate(made_volumes(asked.data / "mri", asked.seed, quick=asked.quick)):
        content = {**vars(made), "picture": made.picture.astype(np.float16)}
        np.savez(folder / f"{number:03d}.npz", **content)
        tell(f"{made.group}, {made.kind}: {', '.join(f'{width:.1f}' for width in made.widths)} mm")
        yield Made(**{**vars(made), "picture": content["picture"].astype(np.float32)})
    (folder / "done").write_text(known)


def _shelf(asked: argparse.Namespace, volumes: Sequence[Made], tell: Tell) -> Shelf:
    path = asked.out / "made" / f"drawn-{asked.seed}-{asked.pictures}-{int(asked.quick)}.npy.npz"
    if path.exists():
        with np.load(path) as file:
            return Shelf(file["pictures"], file["wanted"], file["groups"])
    each = max(1, asked.pictures // len(volumes))
    pictures = np.zeros((each * len(volumes), SIDE, SIDE), np.uint8)
    wanted = np.zeros((len(pictures), len(MAPS), SIDE, SIDE), np.uint8)
    for number, made in enumerate(volumes):
        for n in range(each):
            one = drawn(np.random.default_rng([asked.seed, number, n, 31]), made)
            pictures[number * each + n] = np.clip(one.picture * 212, 0, 255)
            wanted[number * each + n] = np.clip(one.wanted * 255 + 0.5, 0, 255)
    groups = np.repeat(np.array([made.group for made in volumes], np.str_), each)
    np.savez(path, pictures=pictures, wanted=wanted, groups=groups)
    tell(f"{len(pictures)} slices drawn")
    return Shelf(pictures, wanted, groups)


def _left_out(
    asked: argparse.Namespace,
    fold: int,
    volumes: Sequence[Made],
    shelf: Shelf,
    checkpoints: Checkpoints,
    tell: Tell,
) -> tuple[VentricleNetwork, list[Measured]]:
    """A network taught without the volumes of a fold, and what it measures on them."""
    names = sorted({made.group for made in volumes})
    away = names[fold :: asked.folds]
    taught = ~np.isin(shelf.groups, away)
    refuse_leak(shelf.groups[taught], shelf.groups[~taught])
    plan = Plan(f"without-{fold}", asked.steps, seed=asked.seed + 1 + fold)
    network = learnt(plan, shelf.pictures[taught], shelf.wanted[taught], checkpoints, tell)
    path = asked.out / "made" / f"left-{checkpoints.fingerprint[:12]}-{fold}.json"
    if path.exists():
        return network, [Measured(**one) for one in json.loads(path.read_text())]
    look = looker(tensors_of(network))
    found = list(measured(look, [made for made in volumes if made.group in away], asked.seed))
    path.write_text(json.dumps([vars(one) for one in found]))
    tell(f"left out {', '.join(away)}: {json.dumps(summed(found)['all'])}")
    return network, found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.ventricles", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with mri/*/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=1200, help="slices drawn in all")
    parser.add_argument("--folds", type=int, default=4, help="in which volumes are left out")
    parser.add_argument(
        "--apart", action="store_true", help="keep the first fold apart for good: one training"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="fewer kinds of volumes: for a first look")
    return parser


def _write(
    asked: argparse.Namespace, network: VentricleNetwork, found: Sequence[Measured], shelf: Shelf
) -> None:
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().clone()
        for name, tensor in network.state_dict().items()
    }
    content = safetensors.torch.save(tensors)
    base, more = errors(found)
    record: dict[str, Any] = {
        "name": "ventricles",
        "weights_sha256": sha256_hex(content),
        "maps": list(MAPS),
        "grid": {"side": SIDE, "pixel_mm": PIXEL_MM},
        "error_mm": round(base, 4),
        "error_of_thickness": round(more, 4),
        "least_chance": LEAST_CHANCE,
        "figures": summed(found),
        "held_out": called(found),
        "left_out": "every width by a network that never saw its volume, against the volume's labels",
        "left_out_volumes": sorted({one.group for one in found}),
        "pictures": len(shelf.pictures),
        "learnt_from": sorted(
            set(shelf.groups.tolist()) - ({one.group for one in found} if asked.apart else set())
        ),
        "seed": asked.seed,
        "command": f"python -m inference.training.ventricles --data DIR --out OUT --seed {asked.seed} "
        f"--steps {asked.steps} --pictures {asked.pictures} --folds {asked.folds}"
        + (" --apart" if asked.apart else "")
        + (" --quick" if asked.quick else ""),
        "sources": "the spina bifida aperta fetal brain atlas (Fidon et al. 2021, CC0 1.0): volumes and "
        "their label maps, as they are and with walls moved and mantles folded",
        "versions": {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "intended_use": "To propose the width of the lateral ventricles on MRI. "
        "Research and decision support, not a cleared device.",
    }
    (asked.out / "ventricles.safetensors").write_bytes(content)
    (asked.out / "ventricles.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
