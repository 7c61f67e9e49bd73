"""Write the graphs of all our networks anew, without weights. Imports torch.

`python -m inference.engine.backends.export_graphs` after an architecture has changed, or a module that is new
has been named in EXPORTED.
"""

import json
import logging
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO, cast

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from inference.engine.atrium.grids import SIDE as ATRIUM_SIDE
from inference.engine.atrium.network import AtriumNetwork
from inference.engine.backends.graphs import COUNTS, SHIPPED, Graph, Source
from inference.engine.head.by_network import COLUMNS, ROWS
from inference.engine.head.network import HeadPainter
from inference.engine.input_gate.look import COLUMNS as GATE_COLUMNS
from inference.engine.input_gate.look import ROWS as GATE_ROWS
from inference.engine.input_gate.sononet import SonoNet16
from inference.engine.input_gate.vgg16_gate import CROP, WHOLE
from inference.engine.networks import NETWORKS, Network
from inference.engine.networks.split_network import SplitNetwork
from inference.engine.networks.vgg16 import VGG16
from inference.engine.ventricles.grids import SIDE as VENTRICLES_SIDE
from inference.engine.ventricles.network import VentricleNetwork

SIZE = 128
"""Side of the pictures a network is traced with; how many are shown stays free."""
SMALL = 256
"""Bytes up to which a constant that is no weight stays in the graph."""
Shape = tuple[int, int, int]


class _Alone(nn.Module):
    """Any module, its input under the name that a graph's has here."""

    def __init__(self, module: Callable[[Tensor], Tensor | tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.module = module

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.module(pictures)


class _LogitsAndMaps(nn.Module):
    """Logits, and the maps they come from."""

    def __init__(self, module: SplitNetwork) -> None:
        super().__init__()
        self.module = module

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.module.maps(pictures)
        return self.module.classify(maps), maps


class _Stem(nn.Module):
    """What the gate of before sees with: four blocks of a VGG16."""

    def __init__(self, module: VGG16) -> None:
        super().__init__()
        self.module = module

    def forward(self, pictures: Tensor) -> Tensor:
        return self.module.stem(pictures)


def _split(network: Network) -> nn.Module:
    return _LogitsAndMaps(cast(SplitNetwork, network.build()))


EXPORTED: Mapping[str, tuple[Callable[[], nn.Module], Shape]] = {
    **{name: (partial(_split, network), (1, SIZE, SIZE)) for name, network in NETWORKS.items()},
    "atrium_place": (lambda: _Alone(AtriumNetwork(1)), (1, ATRIUM_SIDE, ATRIUM_SIDE)),
    "atrium_width": (lambda: _Alone(AtriumNetwork(2)), (1, ATRIUM_SIDE, ATRIUM_SIDE)),
    "head_finder": (lambda: _Alone(HeadPainter()), (1, ROWS, COLUMNS)),
    "sononet16": (lambda: _Alone(SonoNet16()), (1, GATE_ROWS, GATE_COLUMNS)),
    "ventricles": (lambda: _Alone(VentricleNetwork()), (1, VENTRICLES_SIDE, VENTRICLES_SIDE)),
    "vgg16_stem_crop": (lambda: _Stem(VGG16()), (1, CROP, CROP)),
    "vgg16_stem_whole": (lambda: _Stem(VGG16()), (1, WHOLE, WHOLE)),
}
"""By name: a module, and the shape of the pictures that it is shown."""


def main(out: TextIO, folder: Path = SHIPPED) -> None:
    """Write every graph and its record."""
    folder.mkdir(exist_ok=True)
    for name, (build, shape) in EXPORTED.items():
        graph = without_weights(build(), shape)
        (folder / f"{name}.onnx").write_bytes(graph.content)
        text = json.dumps(graph.record(), indent=1, sort_keys=True)
        (folder / f"{name}.json").write_text(text + "\n")
        out.write(f"{name}: {len(graph.content)} bytes, {len(graph.constants)} constants\n")


def whole(module: nn.Module, shape: Sequence[int]) -> bytes:
    """Any module as ONNX, weights and all, from pictures (n, *shape)."""
    return _made(_Alone(module).eval(), shape)


def without_weights(traced: nn.Module, shape: Sequence[int]) -> Graph:
    """The graph of a wrapped module. Its weights become chance, so that each is told from every other."""
    chance = torch.Generator().manual_seed(0)
    state = traced.state_dict()
    for tensor in state.values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=chance) + 0.5)
    own = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    model = onnx.load_from_string(_made(traced.eval(), shape))
    constants = {}
    for one in model.graph.initializer:
        value = numpy_helper.to_array(one)
        source = _source_of(value, own, _norms(traced))
        if source is None:
            if value.nbytes > SMALL:
                raise ValueError(f"{one.name} {value.shape} is no weight, and too large to be left in")
            continue
        constants[one.name] = source
        _empty(one, value.nbytes)
    _forget_where(model)
    return Graph(
        model.SerializeToString(deterministic=True),
        {name: tuple(tensor.shape) for name, tensor in own.items()},
        frozenset(name for name in own if name.endswith(COUNTS)),
        constants,
    )


def _norms(traced: nn.Module) -> dict[str, float]:
    """The epsilon of each normalisation, by the beginning of its tensors' names."""
    return {
        name.removeprefix("module."): part.eps
        for name, part in traced.named_modules()
        if isinstance(part, nn.BatchNorm2d)
    }


def _source_of(value: np.ndarray, tensors: Mapping[str, Tensor], norms: Mapping[str, float]) -> Source | None:
    """What gives exactly this value; None where nothing does."""
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    fitting = [name for name, array in arrays.items() if array.shape == value.shape]
    plain = [Source(name) for name in fitting]
    folded = [Source(name, norm, epsilon) for norm, epsilon in norms.items() for name in fitting]
    biases = [
        Source(name, norm, epsilon, is_bias=True)
        for norm, epsilon in norms.items()
        for name in ("", *fitting)
        if value.ndim == 1
    ]
    for source in (*plain, *folded, *biases):
        if source.norm and value.shape[0] != arrays[f"{source.norm}.weight"].shape[0]:
            continue
        if np.array_equal(source.made_of(arrays), value):
            return source
    return None


def _empty(constant: onnx.TensorProto, size: int) -> None:
    """Say that the constant lies outside the graph, where whoever runs it will put it."""
    constant.ClearField("raw_data")
    constant.data_location = onnx.TensorProto.EXTERNAL
    for key, said in (("location", "weights"), ("offset", "0"), ("length", str(size))):
        constant.external_data.add(key=key, value=said)


def _forget_where(model: onnx.ModelProto) -> None:
    """Leave away which lines of which files the nodes come from."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    for put in (*model.graph.input, *model.graph.output):
        put.ClearField("metadata_props")


def _made(traced: nn.Module, shape: Sequence[int]) -> bytes:
    example = torch.zeros(2, *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter tells of its own internals
        for teller in ("torch.onnx", "onnxscript", "onnx_ir"):
            _log_quietly(teller)
        program = torch.onnx.export(
            traced,
            (example,),
            dynamo=True,
            dynamic_shapes={"pictures": {0: torch.export.Dim("count", min=1, max=1 << 16)}},
            input_names=["pictures"],
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch made no ONNX graph of the network")
    return bytes(program.model_proto.SerializeToString())


def _log_quietly(name: str) -> None:
    logging.getLogger(name).setLevel(max(logging.getLogger(name).level, logging.ERROR))


if __name__ == "__main__":
    main(sys.stdout)
