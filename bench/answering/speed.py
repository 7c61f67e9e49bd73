"""Speed: milliseconds of one core for one ultrasound picture, without reading the file; and memory."""

import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.answering.pictures import shown
from bench.answering.table import Row, mean
from inference.engine.atrium.measure import measure, shipped_measurer
from inference.engine.head.by_skull import Head, find_head
from inference.engine.head.shipped import find_outlined
from inference.engine.input_gate.sononet_gate import shipped_input_gate, verdict
from inference.engine.preprocessing.prepare import RECIPES, prepare
from refusals import Refusal

PICTURES = 24
RECIPE = RECIPES["ultrasound-outline-2-128"]
ROOT = Path(__file__).parents[2]


def rows(data: Path, every: int) -> list[Row]:
    """Processor time, so that other work on the machine does not count."""
    stacks = [
        one.stack()
        for one in shown(data, max(every, 7))
        if one.source == "lateral_ventricle" or one.kind == "brain"
    ]
    stacks = stacks[:PICTURES]
    frames = [stack.pixels[0].astype(np.float32) for stack in stacks]
    gate = shipped_input_gate()
    heads = [find_outlined(frame) for frame in frames]
    asked: dict[str, tuple[Callable[[int], object], float | None]] = {
        "the search of before": (lambda i: find_head(frames[i], "ultrasound"), None),
        "head": (lambda i: find_outlined(frames[i]), 15.0),
        "gate": (lambda i: verdict(gate, frames[i], heads[i]) if heads[i] else None, None),
        "calipers on the atrium": (lambda i: _measured(frames[i], heads[i]), None),
        "head, gate and preparation": (lambda i: _prepared(stacks[i]), None),
        "head, gate, preparation and calipers": (
            lambda i: (_prepared(stacks[i]), _measured(frames[i], heads[i])),
            80.0,
        ),
    }
    found = []
    for name, (step, most) in asked.items():
        step(0)
        found.append(
            mean(
                name, "brains of every source", [_timed(step, i) for i in range(len(frames))], "ms", most=most
            )
        )
    return [*found, _memory(next(one.path for one in shown(data, every) if one.kind == "brain"))]


CHILD = """
import hashlib, resource, sys
from pathlib import Path
import numpy, onnxruntime, scipy.ndimage, torch, torchvision
def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = most()
from bench.answering.speed import _measured, _prepared, find_outlined
from inference.formats.picture import decode
from inference.formats.source import Source
data = Path(sys.argv[1]).read_bytes()
stack = decode(Source(data, "ultrasound", hashlib.sha256(data).hexdigest()))
_prepared(stack)
frame = stack.pixels[0].astype(numpy.float32)
_measured(frame, find_outlined(frame))
print(most() - before)
"""


def _memory(picture: Path) -> Row:
    """What head, gate, preparation and calipers take in a process that has loaded the libraries alone."""
    asked = [sys.executable, "-c", CHILD, str(picture)]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    name = "memory of head, gate, preparation and calipers, beside the libraries"
    return Row(name, "one picture", float(told), math.nan, math.nan, 1, "MiB", most=300.0)


def _timed(step: Callable[[int], object], number: int) -> float:
    started = time.process_time()
    step(number)
    return 1000 * (time.process_time() - started)


def _measured(frame: NDArray[np.float32], head: Head | None) -> object:
    return measure(shipped_measurer(), frame, head.ellipse) if head else None


def _prepared(stack: object) -> object:
    try:
        return prepare(stack, RECIPE)  # type: ignore[arg-type]
    except Refusal as refused:
        return refused
