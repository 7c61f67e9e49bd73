"""How far explanations can be trusted: where they point, and how often the badge is right.

    python bench/trust.py [--mri DIR] [--heads 30] [--networks cnn vgg16] [--methods gradcam lime] [--json]

Heads with ventriculomegaly whose ventricles are known, and which the version calls so: phantoms of both
modalities, and with --mri slices of real volumes with their labels. For each method and version: the
pointing game and the share of positive heat in the ventricles, beside maps of chance and of the middle of the
head, and how alike the map is with one from random weights. Then the badge "unreliable" against whether a map
finds the ventricles.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from inference.engine import catalogue
from inference.engine.explain import checks
from inference.engine.explain.explainers import EXPLAINERS
from inference.engine.explain.method import chances_of
from inference.engine.explain.trust import doubts_about
from inference.engine.records import POSITIVE
from inference.engine.weights.loaded_model import LoadedModel, configure, load
from inference.training.evaluation import pointing_game
from inference.training.evaluation.pointing_game import Known
from inference.training.synthesis.atlas import (
    DILATED_MM,
    VENTRICLES,
    Look,
    labelled_slices,
    slice_stack,
    widest_mm,
)
from refusals import Refusal

SLICES = 5
"""Of each volume, evenly among those as wide as ventriculomegaly."""
FINDS, MISSES = 1.25, 1.0
"""Heat in the ventricles over their share of the head: from the first a map finds them, to the second not."""
SHIFT = 500
"""Phantoms other than those the limits were set on."""


def main() -> None:
    options = parser().parse_args()
    configure(options.threads)
    pointing_game.FIRST_SEED += SHIFT
    rows: list[dict[str, Any]] = []
    for modality in ("ultrasound", "mri"):
        heads = known_heads(modality, options)
        for one in catalogue.shipped():
            if one.record.modality == modality and one.record.network in options.networks:
                said(f"{one.record.name}: {sum(map(len, heads.values()))} heads")
                model = load(one.record, one.content())
                rows += [row for kind in heads for row in of_version(model, kind, heads[kind], options)]
    found = {"where": where(rows), "badge": badge(rows)}
    print(json.dumps(found) if options.json else tables(found))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--mri", type=Path, help="folder of volumes with srr.nii.gz and parcellation.nii.gz")
    made.add_argument("--heads", type=int, default=30, help="phantoms of each modality")
    made.add_argument("--networks", nargs="+", default=["cnn", "modified_cnn", "resnet18", "vgg16"])
    made.add_argument("--methods", nargs="+", default=["gradcam", "lime"], choices=list(EXPLAINERS))
    made.add_argument("--json", action="store_true", help="one line")
    made.add_argument("--threads", type=int, default=2)
    return made


def said(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def known_heads(modality: str, options: argparse.Namespace) -> dict[str, list[Known]]:
    recipe = f"{modality}-head-128"
    found = {"phantoms": list(pointing_game.wide_phantoms(modality, recipe, options.heads))}
    if modality == "mri" and options.mri:
        found["volumes"] = list(real_slices(options.mri, recipe))
    return found


def real_slices(folder: Path, recipe: str) -> Iterator[Known]:
    for volume in sorted(path.parent for path in folder.glob("*/parcellation.nii.gz")):
        masks = labelled_slices(volume) == VENTRICLES
        wide = np.flatnonzero([widest_mm(mask) >= DILATED_MM for mask in masks])
        for index in wide[np.linspace(0, len(wide) - 1, SLICES).round().astype(int)]:
            stack = slice_stack(volume, int(index), Look(None))
            try:
                yield pointing_game.known(stack, masks[index], recipe, volume.name)
            except Refusal:
                continue


def of_version(
    model: LoadedModel, kind: str, heads: list[Known], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    blank = pointing_game.forgetful(model)
    for number, head in enumerate(head for head in heads if is_called(model, head)):
        for method in options.methods:
            found = pointing_game.explained(model, head, method)
            heat = pointing_game.heat_of(found, head)
            inside = np.abs(heat)[head.picture != 0].sum() / max(np.abs(heat).sum(), 1e-12)
            metrics = {
                **found.metrics,
                **checks.checked(model, head.prepared, POSITIVE, found, seed=0),
                "inside_head": float(inside),
            }
            by_chance = checks.of_chance(heat, np.random.default_rng(number))
            yield {
                "heads": f"{model.record.modality} {kind}",
                "network": model.record.network,
                "method": method,
                "area": float(head.ventricles.sum() / (head.picture != 0).sum()),
                "doubted": bool(doubts_about(method, metrics)),
                "map": vars(pointing_game.pointed(heat, head)),
                "chance": vars(pointing_game.pointed(by_chance, head)),
                "middle": vars(pointing_game.pointed(pointing_game.middle_map(head), head)),
                "alike": alike(blank, heat, head, method) if method == "gradcam" else None,
            }


def is_called(model: LoadedModel, head: Known) -> bool:
    (chance,) = chances_of(model, head.picture[None], POSITIVE)
    return bool(chance >= model.record.threshold)


def alike(blank: LoadedModel, heat: np.ndarray, head: Known, method: str) -> float:
    return pointing_game.likeness(
        heat, pointing_game.heat_of(pointing_game.explained(blank, head, method), head), head
    )


def where(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for key in dict.fromkeys((row["heads"], row["network"], row["method"]) for row in rows):
        mine = [row for row in rows if (row["heads"], row["network"], row["method"]) == key]
        named = dict(zip(("heads", "network", "method"), key, strict=True))
        figures = {
            f"{figure}_{who}": float(np.mean([row[who][figure] for row in mine]))
            for figure in ("hit", "share")
            for who in ("map", "chance", "middle")
        }
        likeness = [row["alike"] for row in mine if row["alike"] is not None]
        doubted = float(np.mean([row["doubted"] for row in mine]))
        known = {"alike": float(np.mean(likeness)) if likeness else None, "doubted": doubted}
        found.append({**named, "count": len(mine), **figures, **known})
    return found


def badge(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        good = [row["doubted"] for row in mine if row["map"]["share"] >= FINDS * row["area"]]
        bad = [row["doubted"] for row in mine if row["map"]["share"] <= MISSES * row["area"]]
        found.append(
            {
                "method": method,
                "find": len(good),
                "false_badges": float(np.mean(good)) if good else None,
                "miss": len(bad),
                "caught": float(np.mean(bad)) if bad else None,
            }
        )
    return found


def tables(found: dict[str, list[dict[str, Any]]]) -> str:
    return "\n\n".join(table(rows) for rows in found.values())


def table(rows: list[dict[str, Any]]) -> str:
    head = f"| {' | '.join(name.replace('_', ' ') for name in rows[0])} |"
    lines = [f"| {' | '.join(shown(value) for value in row.values())} |" for row in rows]
    return "\n".join([head, "| --- " * len(rows[0]) + "|", *lines])


def shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
