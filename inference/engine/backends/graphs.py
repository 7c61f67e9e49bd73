"""Networks as ONNX graphs that come with the code without weights; those are put in from a weights file.

So a version is ready in a moment, on a machine that has no torch. Normalisation is folded into the
convolution before it as the exporter does it, to the last bit. `python -m
inference.engine.backends.export_graphs` writes the graphs anew after an architecture has changed; tests hold
each to its module.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHIPPED = Path(__file__).parents[1] / "shipped_graphs"
COUNTS = "num_batches_tracked"
"""Of batches that were learnt from: nothing rests on them, and some of our files lack them."""

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
"""Of a weights file, by name, as they are stored: in single or half precision."""


class WrongTensors(ValueError):
    """Tensors that are not those of the network that they are put into."""


@dataclass(frozen=True)
class Source:
    """What one constant of a graph is made of.

    tensor: its name in a weights file. norm: the normalisation that is folded into it, by the beginning of
    its tensors' names, with its epsilon. is_bias: of the convolution, whose own bias, if any, is `tensor`.
    """

    tensor: str
    norm: str = ""
    epsilon: float = 0.0
    is_bias: bool = False

    def made_of(self, tensors: Tensors) -> Floats:
        """The constant, in single precision."""
        own = _single(tensors[self.tensor]) if self.tensor else np.float32(0)
        if not self.norm:
            return np.asarray(own)
        gain, shift, mean, variance = (
            _single(tensors[f"{self.norm}.{part}"])
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + np.float32(self.epsilon))
        if self.is_bias:
            return np.asarray((own - mean) * scale + shift)
        return np.asarray(own * scale.reshape(-1, *[1] * (np.ndim(own) - 1)))


@dataclass(frozen=True)
class Graph:
    """A graph without its weights.

    content: ONNX; its large constants are empty. tensors: shapes of all that a weights file of the network
    holds, by name; counts: those of them that are whole numbers. constants: by their names in the graph.
    """

    content: bytes
    tensors: Mapping[str, tuple[int, ...]]
    counts: frozenset[str]
    constants: Mapping[str, Source]

    def filled(self, tensors: Tensors, prefix: str = "") -> dict[str, Floats]:
        """The graph's constants out of a weights file. Raises WrongTensors.

        prefix: how the names of its tensors begin in a file that holds those of several networks.
        """
        own = {
            name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)
        }
        self.refuse_others(own)
        return {name: source.made_of(own) for name, source in self.constants.items()}

    def refuse_others(self, tensors: Tensors) -> None:
        """Raises WrongTensors for names and shapes that are not the network's."""
        wanted, given = self.tensors.keys(), tensors.keys()
        lacking = [name for name in wanted - given if not name.endswith(COUNTS)]
        for names, word in ((lacking, "lacking"), (given - wanted, "unknown")):
            if names:
                raise WrongTensors(f"{word}: {', '.join(sorted(names))[:200]}")
        for name, tensor in tensors.items():
            if tensor.shape != self.tensors[name]:
                raise WrongTensors(f"{name} is {tensor.shape}, not {self.tensors[name]}")

    def record(self) -> dict[str, Any]:
        """All but the content, as it is written beside it."""
        return {
            "tensors": self.tensors,
            "counts": sorted(self.counts),
            "constants": {name: asdict(source) for name, source in self.constants.items()},
        }


@cache
def graph_of(name: str) -> Graph:
    """The shipped graph of that name. Raises LookupError."""
    path = SHIPPED / f"{name}.onnx"
    if not path.is_file():
        raise LookupError(f"no graph named {name} comes with this release")
    record = json.loads(path.with_suffix(".json").read_text())
    return Graph(
        path.read_bytes(),
        {tensor: tuple(shape) for tensor, shape in record["tensors"].items()},
        frozenset(record["counts"]),
        {constant: Source(**source) for constant, source in record["constants"].items()},
    )


def _single(tensor: NDArray[Any]) -> Floats:
    """Half precision saves disk; arithmetic is done in single precision."""
    return np.ascontiguousarray(tensor, np.float32)
