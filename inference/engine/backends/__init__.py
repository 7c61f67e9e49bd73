"""What computes: PyTorch anywhere, ONNX Runtime on a CPU. Tests hold them to the same answers."""

from collections.abc import Sequence

from torch import nn

from inference.engine.backends import with_onnxruntime, with_torch
from inference.engine.backends.backend import Backend, Pass, Passed, Stage

BACKENDS: dict[str, Backend] = {
    "torch": with_torch.BACKEND,
    "onnxruntime": with_onnxruntime.BACKEND,
}


def best_for(device: str) -> Backend:
    """The fastest backend that works on a device."""
    return BACKENDS["onnxruntime" if device == "cpu" else "torch"]


def stage_of(module: nn.Module, shape: Sequence[int]) -> Stage:
    """Any small module as a function of pictures (n, *shape), on one thread of a CPU."""
    return with_onnxruntime.staged(module, shape)


__all__ = ["BACKENDS", "Backend", "Pass", "Passed", "Stage", "best_for", "stage_of"]
