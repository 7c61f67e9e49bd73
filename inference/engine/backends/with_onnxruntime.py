"""ONNX Runtime: the fastest single precision on a CPU (bench/explain.py prints how much)."""

import logging
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import onnxruntime
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
from torch import Tensor, nn

from inference.engine.backends import graph_cache
from inference.engine.backends.backend import Backend, Pass, Passed, Stage
from inference.engine.networks.network import SplitNetwork

DRAFTED = 8
"""Pictures of a part: parts side by side on one thread each are a tenth faster than threads inside."""
SIZE = 128
"""Side of the pictures a network is traced with; how many are shown stays free."""


def opened(module: nn.Module, device: str, threads: int) -> Pass:  # noqa: ARG001 - the CPU is the only device
    """The module as one graph, whose outputs are the logits and, where it is cut, the maps."""
    session = _session(_graph(module), threads)

    def passed(pictures: NDArray[np.float32]) -> Passed:
        found = cast(list[Any], session.run(None, {"pictures": np.ascontiguousarray(pictures)}))
        return Passed(found[0].astype(np.float64), found[1] if len(found) > 1 else None)

    return passed


def staged(module: nn.Module, shape: Sequence[int]) -> Stage:
    """A module from pictures (n, *shape) to one array, on one thread."""
    session = _session(_graph(module, maps=False, shape=shape), 1)

    def stage(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        found = cast(list[Any], session.run(None, {"pictures": np.ascontiguousarray(pictures)}))
        return np.asarray(found[0], np.float32)

    return stage


def drafted(module: nn.Module, shown: NDArray[np.float32], threads: int) -> Stage:
    """The module in eight-bit whole numbers, three to four times as fast, scaled by what is shown."""
    with TemporaryDirectory(prefix="ventra-draft-") as folder:
        whole, plain, path = (Path(folder) / f"{name}.onnx" for name in ("whole", "plain", "draft"))
        whole.write_bytes(_graph(module, maps=False, shape=shown.shape[1:]))
        quant_pre_process(whole, plain, skip_symbolic_shape=True)  # folds layers: a fifth faster
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
        session = _session(path.read_bytes(), 1)
    together = ThreadPoolExecutor(threads, thread_name_prefix="draft")

    def part(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        found = cast(list[Any], session.run(None, {"pictures": np.ascontiguousarray(shown)}))
        return np.asarray(found[0], np.float32)

    def stage(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = [shown[start : start + DRAFTED] for start in range(0, len(shown), DRAFTED)]
        return np.concatenate(list(together.map(part, parts)))

    return stage


class _Shown(CalibrationDataReader):  # type: ignore[misc]
    """Pictures or maps, a few at a time, as the quantiser asks for them."""

    def __init__(self, shown: NDArray[np.float32]) -> None:
        self.parts = iter([shown[start : start + 8] for start in range(0, len(shown), 8)])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        part = next(self.parts, None)
        return None if part is None else {"pictures": part}


class _Alone(nn.Module):
    """Any module, its input under the name that a graph's has here."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.module(pictures)
        return found


class _Outputs(nn.Module):
    """Logits, and the maps they come from."""

    def __init__(self, module: SplitNetwork) -> None:
        super().__init__()
        self.module = module

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.module.maps(pictures)
        return self.module.classify(maps), maps


def _graph(module: nn.Module, *, maps: bool = True, shape: Sequence[int] = (1, SIZE, SIZE)) -> bytes:
    traced = _Outputs(module) if maps and isinstance(module, SplitNetwork) else _Alone(module)
    return graph_cache.kept(traced.eval(), tuple(shape), lambda: _made_graph(traced, shape))


def _made_graph(traced: nn.Module, shape: Sequence[int]) -> bytes:
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


def _session(graph: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that go on spinning after a pass starve whoever computes next: another network, numpy, torch.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


BACKEND = Backend("onnxruntime", opened, drafted, frozenset({"cpu"}), ("onnxruntime", "torch"))
