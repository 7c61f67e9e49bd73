"""Does a map point at the ventricles? Asked where their place is known, beside maps that know nothing.

The pointing game (Zhang et al. 2018): does the map's strongest place lie in the ventricles? And the share of
its positive heat that does. Beside them a map of chance with the same spectrum, and one that marks the middle
of every head. An answer for ventriculomegaly that does not rest on the ventricles rests on something else.
`python -m inference.training.cli.pointing_game` writes it on the cards of shipped versions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from inference.engine.backends import BACKENDS, Weights, with_torch
from inference.engine.explain import checks
from inference.engine.explain.explainers import EXPLAINERS
from inference.engine.explain.method import GridMap, middle_row
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import POSITIVE, Prepared, WeightsRecord
from inference.engine.weights.loaded_model import LoadedModel, load
from inference.formats.stack import Modality, PictureStack
from inference.phantom import render, sample_spec
from inference.training.evaluation.figures import bootstrap

METHODS = ("gradcam", "lime")
FIRST_SEED = 50_000
"""Phantoms from here on are met in no training."""
BLIND = 4
"""Heads that are explained with random weights too."""
FEW_SAMPLES: Mapping[str, Mapping[str, Any]] = {"lime": {"samples": 128, "least": 128}}
"""Enough to see whether a map stays the same: random weights have no fast draft."""
ALIKE = 0.7
"""Rank correlation with the map of random weights from which a map says nothing of the answer."""
IN_VENTRICLES = "heat_in_ventricles"
FOUND = "Maps change with the weights, and find the ventricles of phantoms better than chance."
SPREAD = 0.5
"""Width of the map that marks the middle: its standard deviation, of the head's mean radius."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """A prepared head whose ventricles are known. ventricles: bool, on the network's grid (size, size).

    group: heads that are not independent of each other share one.
    """

    prepared: Prepared
    ventricles: Mask
    group: str

    @property
    def picture(self) -> NDArray[np.float32]:
        """The frame that is explained (size, size)."""
        return np.asarray(self.prepared.tensor[middle_row(self.prepared), 0])


@dataclass(frozen=True)
class Pointed:
    """How one map did. hit: 0 or 1, or the part of several equally strong places that hits. share: 0 to 1."""

    hit: float
    share: float


def known(stack: PictureStack, ventricles: Mask, recipe_id: str, group: str) -> Known:
    """A single picture and the mask of its ventricles in scan coordinates. Raises Refusal."""
    prepared = prepare(stack, RECIPES[recipe_id], scope=False)
    size = prepared.recipe.size
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    columns, rows = prepared.grid_to_scan[0] @ np.stack([x.ravel(), y.ravel(), np.ones(size * size)])
    inside = [
        np.clip(np.rint(part).astype(int), 0, top - 1)
        for part, top in zip((rows, columns), ventricles.shape, strict=True)
    ]
    on_grid = ventricles[inside[0], inside[1]].reshape(size, size)
    return Known(prepared, on_grid & (prepared.tensor[0, 0] != 0), group)


def wide_phantoms(modality: Modality, recipe_id: str, count: int) -> Iterator[Known]:
    """Heads with ventriculomegaly that no network has learnt from."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        spec = sample_spec(np.random.default_rng(seed), label=POSITIVE)
        drawn = render(spec, modality, seed=seed)
        yield known(drawn.stack(), drawn.ventricles, recipe_id, str(seed))


def pointed(heat: Floats, one: Known) -> Pointed:
    """heat: (size, size); only what is positive counts."""
    positive = np.maximum(heat, 0.0) * (one.picture != 0)
    total = positive.sum()
    if total <= 0:
        return Pointed(0.0, 0.0)
    strongest = positive == positive.max()
    return Pointed(float(one.ventricles[strongest].mean()), float(positive[one.ventricles].sum() / total))


def explained(
    model: LoadedModel, one: Known, method: str, parameters: Mapping[str, Any] | None = None
) -> GridMap:
    """The map for ventriculomegaly, whatever the model's answer."""
    return EXPLAINERS[method](model, one.prepared, POSITIVE, seed=0, parameters=parameters or {})


def heat_of(found: GridMap, one: Known) -> Floats:
    """The frame that is explained, out of all that were."""
    return np.asarray(found.values[found.rows.index(middle_row(one.prepared))], np.float64)


def middle_map(one: Known) -> Floats:
    """Strongest in the middle of the head, and falling off."""
    head = one.picture != 0
    rows, columns = np.nonzero(head)
    away = np.hypot(
        *(
            grid - centre
            for grid, centre in zip(np.indices(head.shape), (rows.mean(), columns.mean()), strict=True)
        )
    )
    radius = np.sqrt(head.sum() / np.pi)
    return np.asarray(np.exp(-((away / (SPREAD * radius)) ** 2) / 2))


def with_explanations(record: WeightsRecord, content: bytes, count: int) -> WeightsRecord:
    """The record, its card told where maps of `count` phantoms point. An ensemble's stays as it is."""
    if not count:
        return record
    heads = list(wide_phantoms(record.modality, record.preprocessing, count))
    figures = explanation_figures(load(record, content), heads)
    return replace(record, card={**record.card, "explanations": figures}) if figures else record


def explanation_figures(model: LoadedModel, heads: Sequence[Known]) -> dict[str, Any]:
    """Where maps point, and whether they depend on the weights; {} for an ensemble, or without heads."""
    if not model.network.gradcam_layer or not heads:
        return {}
    blank = forgetful(model)
    figures = {method: _of_method(model, blank, heads, method) for method in METHODS}
    return {**figures, "verdict": _verdict(figures)}


def _verdict(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """In words, for the card: a map that random weights would give too shows nothing of the answer."""
    same = [
        name for name, found in figures.items() if found["likeness_with_random_weights"]["value"] >= ALIKE
    ]
    lost = [
        name
        for name, found in figures.items()
        if found[IN_VENTRICLES]["low"] <= found[f"{IN_VENTRICLES}_by_chance"]["value"]
    ]
    said = [f"Worthless: {name} hardly changes when the weights are random." for name in same]
    said += [f"On phantoms {name} is not shown to find the ventricles better than chance." for name in lost]
    return " ".join(said) or FOUND


def _of_method(model: LoadedModel, blank: LoadedModel, heads: Sequence[Known], method: str) -> dict[str, Any]:
    maps = [heat_of(explained(model, one, method), one) for one in heads]
    first = heads[:BLIND]
    blind = [heat_of(explained(blank, one, method, FEW_SAMPLES.get(method)), one) for one in first]
    alike = [likeness(a, b, one) for a, b, one in zip(maps, blind, first, strict=False)]
    rng = np.random.default_rng(0)
    compared = {
        "": maps,
        "_by_chance": [checks.of_chance(heat, rng) for heat in maps],
        "_of_the_middle": [middle_map(one) for one in heads],
    }
    groups = [one.group for one in heads]
    figures = {}
    for name, kind in compared.items():
        found = [pointed(heat, one) for heat, one in zip(kind, heads, strict=True)]
        figures[f"points_at_ventricles{name}"] = _mean([one.hit for one in found], groups)
        figures[f"{IN_VENTRICLES}{name}"] = _mean([one.share for one in found], groups)
    return {**figures, "likeness_with_random_weights": _mean(alike, groups[:BLIND])}


def forgetful(model: LoadedModel) -> LoadedModel:
    """The same network with random weights (Adebayo et al. 2018): a map that stays shows no answer."""
    torch.manual_seed(0)
    tensors = with_torch.tensors_of(model.network.build())
    record = replace(model.record, weights_sha256=f"random, instead of {model.record.weights_sha256}")
    return replace(model, record=record, weights=Weights(model.network, tensors), backend=BACKENDS["torch"])


def likeness(one: Floats, other: Floats, head: Known) -> float:
    """Rank correlation of two maps inside the head; 0 where either is flat."""
    inside = head.picture != 0
    if not np.ptp(one[inside]) or not np.ptp(other[inside]):
        return 0.0
    return float(spearmanr(one[inside], other[inside]).statistic)


def _mean(values: Iterable[float], groups: Sequence[str]) -> Mapping[str, float | None]:
    found = np.asarray(list(values))
    return bootstrap(
        lambda _, some: float(some.mean()), np.zeros(len(found), int), found, np.asarray(groups)
    ).as_json()
