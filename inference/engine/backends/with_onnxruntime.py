"""ONNX Runtime: the fastest single precision on a CPU (bench/explain.py prints how much)."""

import hashlib
import logging
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from weakref import WeakValueDictionary

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
from inference.engine.networks.ensemble import Ensemble, combined
from inference.engine.networks.network import SplitNetwork

AT_ONCE = 4
"""Pictures of one run. More save no time and change no logit, and a session keeps for ever what its largest
run needed: VGG16 703 MB for 40 pictures, 57 MB for four."""
DRAFTED = 8
"""Pictures of a part: parts side by side on one thread each are a tenth faster than threads inside."""
REMEMBERED_BYTES = 64 << 20
"""Of what networks made of pictures lately: an ensemble and its members are asked about the same ones."""
SIZE = 128
"""Side of the pictures a network is traced with; how many are shown stays free."""


def opened(module: nn.Module, device: str, threads: int) -> Pass:
    """The module as one graph, whose outputs are the logits and, where it is cut, the maps.

    An ensemble has none of its own: it is its members' sessions, and what they say is put together here.
    """
    if isinstance(module, Ensemble):
        members = [opened(member, device, threads) for member in module.members.values()]
        temperatures = module.temperatures.numpy()

        def together(pictures: NDArray[np.float32]) -> Passed:
            said = np.stack([member(pictures).logits for member in members]).astype(np.float32)
            return Passed(combined(said, temperatures).astype(np.float64), None)

        return together
    graph = _graph(module)
    name = hashlib.sha256(graph).hexdigest()
    session = _shared_session(graph, name, threads)

    def passed(pictures: NDArray[np.float32]) -> Passed:
        key = name, hashlib.blake2b(np.ascontiguousarray(pictures).data, digest_size=16).hexdigest()
        if key not in remembered:
            _remember(key, _ran(session, pictures))
        remembered.move_to_end(key)
        return remembered[key]

    return passed


_sessions: WeakValueDictionary[tuple[str, int], onnxruntime.InferenceSession] = WeakValueDictionary()
"""By graph and threads: a version and the ensemble that holds it run one session while either is open."""
remembered: OrderedDict[tuple[str, str], Passed] = OrderedDict()
"""By graph and pictures, what was asked last at the end."""


def _shared_session(graph: bytes, name: str, threads: int) -> onnxruntime.InferenceSession:
    session = _sessions.get((name, threads))
    if session is None:
        session = _sessions[name, threads] = _session(graph, threads)
    return session


def _ran(session: onnxruntime.InferenceSession, pictures: NDArray[np.float32]) -> Passed:
    """A few pictures at a time; the arrays are shared by whoever asks again, so they are read-only."""
    parts = [
        cast(
            list[Any],
            session.run(None, {"pictures": np.ascontiguousarray(pictures[start : start + AT_ONCE])}),
        )
        for start in range(0, max(len(pictures), 1), AT_ONCE)
    ]
    logits, *maps = (np.concatenate(of_parts) for of_parts in zip(*parts, strict=True))
    found = Passed(logits.astype(np.float64), maps[0] if maps else None)
    for array in (found.logits, *maps):
        array.flags.writeable = False
    return found


def _remember(key: tuple[str, str], found: Passed) -> None:
    remembered[key] = found
    while len(remembered) > 1 and sum(map(_bytes, remembered.values())) > REMEMBERED_BYTES:
        remembered.popitem(last=False)


def _bytes(found: Passed) -> int:
    return found.logits.nbytes + (0 if found.maps is None else found.maps.nbytes)


def staged(module: nn.Module, shape: Sequence[int]) -> Stage:
    """A module from pictures (n, *shape) to one array, on one thread."""
    session = _session(_graph(module, maps=False, shape=shape), 1)

    def stage(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = [pictures[start : start + AT_ONCE] for start in range(0, max(len(pictures), 1), AT_ONCE)]
        return np.concatenate([_first(session, part) for part in parts])

    return stage


def _first(session: onnxruntime.InferenceSession, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    found = cast(list[Any], session.run(None, {"pictures": np.ascontiguousarray(pictures)}))
    return np.asarray(found[0], np.float32)


def drafted(module: nn.Module, shown: NDArray[np.float32], threads: int) -> Stage:
    """The module in eight-bit whole numbers, three to four times as fast, scaled by what is shown."""
    how = ("draft", shown.shape, hashlib.sha256(np.ascontiguousarray(shown).data).hexdigest())
    session = _session(graph_cache.kept(_Alone(module).eval(), how, lambda: _quantized(module, shown)), 1)
    together = ThreadPoolExecutor(threads, thread_name_prefix="draft")

    def stage(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = [shown[start : start + DRAFTED] for start in range(0, len(shown), DRAFTED)]
        return np.concatenate(list(together.map(partial(_first, session), parts)))

    return stage


def _quantized(module: nn.Module, shown: NDArray[np.float32]) -> bytes:
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
        return path.read_bytes()


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
