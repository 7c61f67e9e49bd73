"""A draft of a network: a faster pass, held to the real one before anybody uses it."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.backends import Backend, Stage
from inference.engine.explain.fast_lime.calibration_line import Line, along, correlation, line_to
from inference.engine.explain.fast_lime.low_rank import products_of, thinned
from inference.engine.explain.superpixels import even_pieces, hidden_pictures
from inference.engine.networks import Network
from inference.engine.networks.network import SplitNetwork
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import Label
from inference.engine.uncertainty.steadiness import log_odds
from inference.formats.stack import Modality
from inference.phantom import render, sample_spec

WORTH_IT = 2_000_000
"""Weights from which a draft is worth the seconds it takes to make; the small networks answer in no time."""
AGREEMENT = 0.995
"""Correlation of its log-odds with the real ones, below which a draft is thrown away."""
BOTH: tuple[Label, ...] = ("normal", "ventriculomegaly")
HEADS, PIECES = 8, 50
"""Phantoms, and pieces of each that are hidden or shown."""
SHOWN, HELD = 32, 32
"""Masked phantoms to set scales by, and others to hold the draft to."""


def drafted(
    module: nn.Module, backend: Backend, network: Network, modality: Modality, threads: int
) -> tuple[Stage, ...] | None:
    """The stages of a network's draft for one modality; None where the backend has none, or it is no good.

    Scales come from phantoms, so that the same weights give the same draft whatever was explained before.
    """
    size = sum(weight.numel() for weight in module.parameters())
    if backend.drafted is None or size < WORTH_IT:
        return None
    pictures = _masked_phantoms(network.recipes[modality], modality)
    with torch.inference_mode():
        real = log_odds(module(torch.from_numpy(pictures)).numpy())
    *early, last = module.grey().stages() if isinstance(module, SplitNetwork) else [module]
    products = products_of(nn.Sequential(*early, last), pictures)
    stages, given = [], pictures
    for piece in early:
        stages.append(backend.drafted(piece.eval(), given[:SHOWN], threads))
        given = stages[-1](given)
    for way in _ways(last, given[:SHOWN], products):
        stage = backend.drafted(way.eval(), given[:SHOWN], threads)
        found = log_odds(stage(given))
        if correlation(found[SHOWN:], real[SHOWN:]) >= AGREEMENT:
            return (*stages, _corrected(stage, line_to(found[:SHOWN], real[:SHOWN])))
    return None


def _ways(last: nn.Module, shown: NDArray[np.float32], products: int) -> Iterator[nn.Module]:
    """What the last stage is drafted from, the fastest first. Thinning several loses what each loses."""
    yield thinned(last, shown, products)
    yield last


def _corrected(stage: Stage, line: Line) -> Stage:
    """A last stage whose log-odds are put on a line: a thinned network's lie nearer together."""
    return lambda shown: along(line, stage(shown))


@cache
def _masked_phantoms(recipe_id: str, modality: Modality) -> NDArray[np.float32]:
    """Heads with pieces hidden, as explaining shows them: (SHOWN + HELD, 1, size, size)."""
    rng, found = np.random.default_rng(1), []
    for number in range(HEADS):
        stack = render(sample_spec(rng, label=BOTH[number % 2]), modality, seed=number).stack()
        picture = prepare(stack, RECIPES[recipe_id], scope=False).tensor[0, 0]
        pieces = even_pieces(picture, PIECES)
        masks = rng.random(((SHOWN + HELD) // HEADS, pieces.max() + 1)) < rng.uniform(0.3, 1)
        found.append(hidden_pictures(picture, pieces, masks, 0.0)[:, None])
    order = np.random.default_rng(2).permutation(SHOWN + HELD)
    return np.concatenate(found)[order]
