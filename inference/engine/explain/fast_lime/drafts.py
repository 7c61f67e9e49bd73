"""A draft of a network: a faster pass in eight-bit whole numbers, held to the real one before it is used.

Making one needs torch, and much memory for a moment: a process of its own does it (`quantized`), once.
"""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from inference.engine.backends import Backend, Stage, Weights
from inference.engine.backends.with_onnxruntime import run, session_of
from inference.engine.explain.fast_lime import draft_cache
from inference.engine.explain.fast_lime.calibration_line import Line, along
from inference.formats.stack import Modality

WORTH_IT = 2_000_000
"""Weights from which a draft is worth the seconds it takes to make; the small networks answer in no time."""
AT_ONCE = 8
"""Pictures of a part: parts side by side on one thread each are a tenth faster than threads inside."""
MAKER = "inference.engine.explain.fast_lime.quantized"
LINE, STAGE = "line", "stage"


class DraftFailed(RuntimeError):
    """The process that was to make a draft did not end well."""


def drafted(
    weights: Weights, sha256: str, backend: Backend, modality: Modality, threads: int
) -> tuple[Stage, ...] | None:
    """The stages of a network's draft for one modality.

    None where the backend has none, none is any good, or there is no torch to make one with. sha256: of the
    weights. Raises DraftFailed.
    """
    size = sum(tensor.size for tensor in weights.tensors.values())
    if not backend.has_drafts or size < WORTH_IT or weights.network.members or find_spec("torch") is None:
        return None
    made_of = (sha256, weights.network.name, modality)
    return opened(draft_cache.kept(made_of, partial(_made, weights, modality)), threads)


def packed(stages: Sequence[bytes], line: Line | None) -> bytes:
    """A draft as bytes: its graphs in order, and the line its log-odds are put on; none is no good."""
    arrays: dict[str, NDArray[Any]] = {
        f"{STAGE}{number}": np.frombuffer(one, np.uint8) for number, one in enumerate(stages)
    }
    return bytes(safetensors.numpy.save(arrays if line is None else {**arrays, LINE: line}))


def opened(content: bytes, threads: int) -> tuple[Stage, ...] | None:
    """The stages of a packed draft, ready to run; None of one that is no good."""
    arrays = safetensors.numpy.load(content)
    if LINE not in arrays:
        return None
    line = arrays.pop(LINE)
    graphs = [arrays[f"{STAGE}{number}"].tobytes() for number in range(len(arrays))]
    *early, last = (stage_of(graph, threads) for graph in graphs)
    return (*early, lambda shown: along(line, last(shown)))


def stage_of(graph: bytes, threads: int) -> Stage:
    """A piece of a draft, its parts side by side."""
    session = session_of(graph, 1)
    together = ThreadPoolExecutor(threads, thread_name_prefix="draft")

    def part(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        return run(session, shown, AT_ONCE)[0]

    def stage(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = [shown[start : start + AT_ONCE] for start in range(0, len(shown), AT_ONCE)]
        return np.concatenate(list(together.map(part, parts)))

    return stage


def _made(weights: Weights, modality: Modality) -> bytes:
    """Here, where torch is at hand anyway; else by a process that ends with it."""
    if "torch" in sys.modules:
        from inference.engine.explain.fast_lime import quantized

        return quantized.made(weights, modality)
    done = subprocess.run(
        [sys.executable, "-P", "-m", MAKER, weights.network.name, modality],
        input=safetensors.numpy.save(dict(weights.tensors)),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise DraftFailed(done.stderr.decode(errors="replace")[-500:])
    return done.stdout
