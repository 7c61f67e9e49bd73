"""Networks that answer, hang or wait as the file named by STAND_IN says; without torch workers start fast."""

import hashlib
import os
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


class Never(Exception):
    """What nothing here raises."""


def parts() -> ModuleType:
    """A module such as inference.jobs.engine_parts, of what a worker asks of it."""
    found = ModuleType("inference.jobs.engine_parts")
    vars(found).update(
        draft_cache=SimpleNamespace(keep_in=lambda _folder: None),
        loaded_model=SimpleNamespace(configure=lambda **_: None, WeightsMismatch=Never),
        device=SimpleNamespace(best=lambda: "cpu"),
        versions=SimpleNamespace(load=_load, predict=_predict),
    )
    return found


def _load(record: Any, _content: bytes, *, device: str) -> SimpleNamespace:
    return SimpleNamespace(record=record, device=device)


def _predict(model: SimpleNamespace, stacks: list[Any], **_: Any) -> list[Any]:
    _behave()
    return [_answer(model.record, stack) for stack in stacks]


def _behave() -> None:
    """answer: at once. spin: compute for ever. hold: wait until the file says something else."""
    path = Path(os.environ["STAND_IN"])
    path.with_suffix(".seen").write_text(path.read_text())
    if path.read_text() == "spin":
        while True:
            pass
    while path.read_text() == "hold":
        time.sleep(0.01)


def _answer(record: Any, stack: Any) -> Any:
    from inference.engine.records import Answer, NotAnalysable

    return Answer(
        analysable=False,
        refusal=NotAnalysable("stand_in", "A stand-in reads nothing."),
        label=None,
        probability=None,
        threshold=record.threshold,
        logits=None,
        frame_logits=(),
        frames=(0,),
        frame_rule="the only frame",
        network=record.network,
        version=record.version,
        modality=record.modality,
        weights_sha256=record.weights_sha256,
        preprocessing=record.preprocessing,
        preprocessing_sha256=record.preprocessing_sha256,
        input_sha256=hashlib.sha256(stack.pixels.tobytes()).hexdigest(),
        quality={},
        seconds=0.0,
        backend="stand-in",
        device="cpu",
        versions={},
    )
