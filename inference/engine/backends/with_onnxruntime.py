"""ONNX Runtime: the fastest single precision on a CPU (bench/explain.py prints how much)."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.engine.backends.backend import Pass, Passed, Weights
from inference.engine.backends.graphs import Floats, Graph, Tensors, WrongTensors, graph_of
from inference.engine.weights.ensemble_file import PREFIX, TEMPERATURES

AT_ONCE = 4
"""Pictures of one run. More save no time and change no logit, and a session keeps for ever what its largest
run needed: VGG16 703 MB for 40 pictures, 57 MB for four."""
REMEMBERED_BYTES = 64 << 20
"""Of what networks made of pictures lately: an ensemble and its members are asked about the same ones."""
Many = Callable[[Floats], tuple[Floats, ...]]
"""Pictures (n, ...) to all that a graph makes of them."""


def opened(weights: Weights, device: str, threads: int) -> Pass:
    """The network's graph, whose outputs are the logits and, where it is cut, the maps. Raises WrongTensors.

    An ensemble has none of its own: it is its members' sessions, and what they say is put together here.
    """
    if weights.network.members:
        members = [
            opened(weights.of_member(number), device, threads)
            for number in range(len(weights.network.members))
        ]
        temperatures = _temperatures(weights)

        def together(pictures: NDArray[np.float32]) -> Passed:
            said = np.stack([member(pictures).logits for member in members]).astype(np.float32)
            return Passed(combined(said, temperatures).astype(np.float64), None)

        return together
    name, session = _shared_session(graph_of(weights.network.name), weights.tensors, threads)

    def passed(pictures: NDArray[np.float32]) -> Passed:
        key = name, hashlib.blake2b(np.ascontiguousarray(pictures).data, digest_size=16).hexdigest()
        if key not in remembered:
            _remember(key, _passed(session, pictures))
        remembered.move_to_end(key)
        return remembered[key]

    return passed


def _temperatures(weights: Weights) -> Floats:
    """One for each member: all that an ensemble's file holds beside its members. Raises WrongTensors."""
    own = {name: one for name, one in weights.tensors.items() if not name.startswith(PREFIX)}
    wanted = (len(weights.network.members),)
    if own.keys() != {TEMPERATURES} or own[TEMPERATURES].shape != wanted:
        raise WrongTensors(f"beside its members an ensemble holds {TEMPERATURES} {wanted} and nothing else")
    return np.asarray(own[TEMPERATURES], np.float32)


def combined(logits: NDArray[np.float32], temperatures: NDArray[np.float32]) -> NDArray[np.float32]:
    """As `Ensemble.forward` puts them together: logits (members, n, 2) to (n, 2)."""
    odds = (logits[..., 1] - logits[..., 0]) / temperatures[:, None]
    half = odds.mean(axis=0) / np.float32(2)
    return np.stack([-half, half], axis=1)


_sessions: WeakValueDictionary[tuple[str, int], onnxruntime.InferenceSession] = WeakValueDictionary()
"""By graph with its weights, and threads: a version and the ensemble that holds it run one session while
either is open."""
remembered: OrderedDict[tuple[str, str], Passed] = OrderedDict()
"""By graph with its weights and pictures, what was asked last at the end."""


def _shared_session(graph: Graph, tensors: Tensors, threads: int) -> tuple[str, onnxruntime.InferenceSession]:
    constants = graph.filled(tensors)
    digest = hashlib.sha256(graph.content)
    for constant in constants.values():
        digest.update(np.ascontiguousarray(constant).data)
    name = digest.hexdigest()
    session = _sessions.get((name, threads))
    if session is None:
        session = _sessions[name, threads] = session_of(graph.content, threads, constants)
    return name, session


def _passed(session: onnxruntime.InferenceSession, pictures: NDArray[np.float32]) -> Passed:
    """The arrays are shared by whoever asks again, so they are read-only."""
    logits, *maps = run(session, pictures)
    found = Passed(logits.astype(np.float64), maps[0] if maps else None)
    found.logits.flags.writeable = False
    if found.maps is not None:
        found.maps.flags.writeable = False
    return found


def _remember(key: tuple[str, str], found: Passed) -> None:
    remembered[key] = found
    while len(remembered) > 1 and sum(map(_bytes, remembered.values())) > REMEMBERED_BYTES:
        remembered.popitem(last=False)


def _bytes(found: Passed) -> int:
    return found.logits.nbytes + (0 if found.maps is None else found.maps.nbytes)


def stage_of(name: str, tensors: Tensors, prefix: str = "") -> Many:
    """The shipped graph `name` with weights, from pictures (n, ...) to all it gives, on one thread.

    prefix: how the names of its tensors begin. Raises WrongTensors.
    """
    graph = graph_of(name)
    session = session_of(graph.content, 1, graph.filled(tensors, prefix))
    return lambda pictures: run(session, pictures)


def run(
    session: onnxruntime.InferenceSession, pictures: NDArray[np.float32], at_once: int = AT_ONCE
) -> tuple[Floats, ...]:
    """All outputs, a few pictures at a time."""
    parts = [
        cast(
            list[Any],
            session.run(None, {"pictures": np.ascontiguousarray(pictures[start : start + at_once])}),
        )
        for start in range(0, max(len(pictures), 1), at_once)
    ]
    return tuple(np.asarray(np.concatenate(of_parts), np.float32) for of_parts in zip(*parts, strict=True))


def session_of(
    graph: bytes, threads: int, constants: dict[str, Floats] | None = None
) -> onnxruntime.InferenceSession:
    """A graph, ready to run; constants: those that it leaves open, by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that go on spinning after a pass starve whoever computes next: another network, numpy, torch.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if constants:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(one) for one in constants.values()]
        options.add_external_initializers(list(constants), values)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
