"""Makes a draft of a network: pieces of it in whole numbers of eight bits, three to four times as fast.

`python -m inference.engine.explain.fast_lime.quantized NETWORK MODALITY < weights > draft`, as `drafts` calls
it. Imports torch.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from inference.engine.backends import Weights
from inference.engine.backends.export_graphs import whole
from inference.engine.explain.fast_lime.calibration_line import correlation, line_to
from inference.engine.explain.fast_lime.drafts import packed, stage_of
from inference.engine.explain.fast_lime.low_rank import products_of, thinned
from inference.engine.explain.superpixels import even_pieces, hidden_pictures
from inference.engine.networks import NETWORKS
from inference.engine.networks.split_network import SplitNetwork
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import Label
from inference.engine.uncertainty.steadiness import log_odds
from inference.formats.stack import Modality
from inference.phantom import render, sample_spec

AGREEMENT = 0.995
"""Correlation of its log-odds with the real ones, below which a draft is thrown away."""
BOTH: tuple[Label, ...] = ("normal", "ventriculomegaly")
HEADS, PIECES = 8, 50
"""Phantoms, and pieces of each that are hidden or shown."""
SHOWN, HELD = 32, 32
"""Masked phantoms to set scales by, and others to hold the draft to."""


def made(weights: Weights, modality: Modality) -> bytes:
    """A network's draft for one modality, packed.

    Scales come from phantoms, so that the same weights give the same draft whatever was explained before.
    """
    module = cast(SplitNetwork, weights.module)
    pictures = _masked_phantoms(weights.network.recipes[modality], modality)
    with torch.inference_mode():
        real = log_odds(module(torch.from_numpy(pictures)).numpy())
    *early, last = module.grey().stages()
    products = products_of(nn.Sequential(*early, last), pictures)
    graphs, given = [], pictures
    for piece in early:
        graphs.append(quantized(piece.eval(), given[:SHOWN]))
        given = stage_of(graphs[-1], 1)(given)
    for way in _ways(last, given[:SHOWN], products):
        graph = quantized(way.eval(), given[:SHOWN])
        found = log_odds(stage_of(graph, 1)(given))
        if correlation(found[SHOWN:], real[SHOWN:]) >= AGREEMENT:
            return packed([*graphs, graph], line_to(found[:SHOWN], real[:SHOWN]))
    return packed([], None)


def _ways(last: nn.Module, shown: NDArray[np.float32], products: int) -> Iterator[nn.Module]:
    """What the last stage is drafted from, the fastest first. Thinning several loses what each loses."""
    yield thinned(last, shown, products)
    yield last


def quantized(module: nn.Module, shown: NDArray[np.float32]) -> bytes:
    """A module in eight-bit whole numbers, scaled by what is shown, as ONNX."""
    with TemporaryDirectory(prefix="ventra-draft-") as folder:
        first, plain, path = (Path(folder) / f"{name}.onnx" for name in ("whole", "plain", "draft"))
        first.write_bytes(whole(module, shown.shape[1:]))
        quant_pre_process(first, plain, skip_symbolic_shape=True)  # folds layers: a fifth faster
        quantize_static(
            plain,
            path,
            _Shown(shown),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,  # seven bits: eight overflow where a CPU has no VNNI (VGG16: 0.973, not 0.999)
            calibrate_method=CalibrationMethod.MinMax,
        )
        return path.read_bytes()


class _Shown(CalibrationDataReader):  # type: ignore[misc]
    """Pictures or maps, a few at a time, as the quantiser asks for them."""

    def __init__(self, shown: NDArray[np.float32]) -> None:
        self.parts = iter([shown[start : start + 8] for start in range(0, len(shown), 8)])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        part = next(self.parts, None)
        return None if part is None else {"pictures": part}


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


def main(network: str, modality: str) -> None:
    """Weights from standard input, their draft to standard output."""
    content = sys.stdin.buffer.read()
    torch.set_num_threads(1)
    found = made(Weights(NETWORKS[network], safetensors.numpy.load(content)), cast(Modality, modality))
    sys.stdout.buffer.write(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
