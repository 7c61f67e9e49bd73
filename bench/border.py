"""What the shipped ultrasound versions lose without the border of a picture, and why.

    python bench/border.py --data DIR [--json]

Each labelled picture is asked three times: whole; with its border painted black and the head found anew;
the same with the head kept as it was found in the whole picture. The first two also turned and zoomed a
little, as another way of holding the probe would: that tells what is lost from what a few degrees change by
chance. DIR holds labels.csv. The weights are the shipped ones: they saw the normals with ventricles drawn in,
and no picture with ventriculomegaly.
"""

import argparse
import json
import math
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from inference.engine import catalogue
from inference.engine.head.by_skull import find_head
from inference.engine.head.ellipse import Ellipse
from inference.engine.preprocessing.prepare import RECIPES, STEPS, FrameState
from inference.engine.records import LABELS, POSITIVE, Recipe
from inference.engine.weights.loaded_model import load
from inference.formats.stack import PictureStack
from inference.training.data.examples import folder_sources, picture_stack
from inference.training.evaluation.figures import auc, difference
from inference.training.fitting.loop import logits_of
from inference.training.synthesis.border import border_removed

NETWORKS = ("cnn", "modified_cnn", "resnet18", "vgg16")
FINDING = ("square", "find", "outline", "gate")
WAYS = ("whole", "found anew", "kept")
POSES = tuple(product((-20, -10, 0, 10, 20), (1.0, 1.05)))
"""Degrees, and how much smaller the head is shown."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sources = [source for source in folder_sources(options.data) if source[1] in LABELS]
    with ProcessPoolExecutor(2) as pool:
        heads = list(pool.map(heads_of, [options.data / source[0] for source in sources], chunksize=4))
    truth = np.array([int(source[1] == POSITIVE) for source in sources])
    groups = np.array([source[2] for source in sources])
    found: dict[str, Any] = {"heads": moved(heads)}
    for name in NETWORKS:
        found[name] = asked(name, [options.data / source[0] for source in sources], heads, truth, groups)
    if options.json:
        print(json.dumps(found))
        return
    print(found["heads"])
    for name in NETWORKS:
        print(name, found[name])


def heads_of(path: Path) -> tuple[Ellipse, Ellipse]:
    """The head of the whole picture, and the one found when its border is gone."""
    stack = picture_stack(path)
    whole = head_of(stack)
    return whole, head_of(border_removed(stack, whole))


def head_of(stack: PictureStack) -> Ellipse:
    found = find_head(stack.pixels[0].astype(np.float32), stack.modality)
    assert found is not None
    return found.ellipse


def moved(heads: list[tuple[Ellipse, Ellipse]]) -> dict[str, float]:
    """How far the head found anew is from the one of the whole picture."""
    turns = np.array([math.degrees(anew.angle - whole.angle) for whole, anew in heads])
    apart = np.abs((turns + 90) % 180 - 90)
    grown = np.array([anew.long / whole.long for whole, anew in heads])
    return {
        "median_growth": float(np.median(grown)),
        "size_off_by_a_tenth": float((np.abs(grown - 1) > 0.1).mean()),
        "turned_by_more_than_14_degrees": float((apart > 14).mean()),
    }


def asked(
    name: str, paths: list[Path], heads: list[tuple[Ellipse, Ellipse]], truth: np.ndarray, groups: np.ndarray
) -> dict[str, Any]:
    version = catalogue.newest(name, "ultrasound")
    assert version is not None
    model = load(version.record, version.content(), backend="torch")
    work = partial(seen, model.recipe.id)
    pictures = np.stack([work(path, *pair) for path, pair in zip(paths, heads, strict=True)])
    logits = [logits_of(model.module, pictures[:, way]) for way in range(len(WAYS))]
    odds = {way: one[:, 1] - one[:, 0] for way, one in zip(WAYS, logits, strict=True)}
    return {
        "auc": {way: round(auc(truth, one), 3) for way, one in odds.items()},
        "minus_whole": {
            way: difference(truth, odds[way], odds["whole"], groups).as_json() for way in WAYS[1:]
        },
        "mean_change_of_log_odds": {
            way: round(float(np.abs(odds[way] - odds["whole"]).mean()), 4) for way in WAYS[1:]
        },
        "auc_in_ten_poses": {
            way: in_poses(model.module, pictures[:, number], truth) for number, way in enumerate(WAYS[:2])
        },
    }


def in_poses(module: torch.nn.Module, pictures: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Mean, least and greatest AUC of the same pictures (n, 1, size, size), turned and zoomed a little."""
    found = []
    for degrees, zoom in POSES:
        logits = logits_of(module, posed(pictures, math.radians(degrees), zoom))
        found.append(auc(truth, logits[:, 1] - logits[:, 0]))
    return {
        name: round(float(of(found)), 3)
        for name, of in (("mean", np.mean), ("least", min), ("greatest", max))
    }


def posed(pictures: np.ndarray, angle: float, zoom: float) -> np.ndarray:
    cos, sin = math.cos(angle) * zoom, math.sin(angle) * zoom
    affine = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]]).expand(len(pictures), 2, 3)
    grid = F.affine_grid(affine, list(pictures.shape), align_corners=False)
    return F.grid_sample(torch.from_numpy(pictures), grid, align_corners=False).numpy()


def seen(recipe_id: str, path: Path, whole: Ellipse, anew: Ellipse) -> np.ndarray:
    """The picture as a network sees it in each of the three ways: (3, 1, size, size)."""
    recipe, stack = RECIPES[recipe_id], picture_stack(path)
    bare = border_removed(stack, whole)
    return np.stack(
        [prepared(stack, recipe, whole), prepared(bare, recipe, anew), prepared(bare, recipe, whole)]
    )


def prepared(stack: PictureStack, recipe: Recipe, head: Ellipse) -> np.ndarray:
    """The recipe's steps behind those that find the head."""
    grid = np.zeros((recipe.size, recipe.size), np.float32)
    state = FrameState(
        scan=stack.pixels[0].astype(np.float32),
        spacing=None,
        size=recipe.size,
        quality={},
        found=None,
        head=head,
        grid=grid,
        inside=grid > 0,
        square_to_scan=None,
        grid_to_scan=np.eye(2, 3),
    )
    for name, parameters in recipe.steps:
        if name not in FINDING:
            state = STEPS[name](state, **parameters)
    return state.grid[None]


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
