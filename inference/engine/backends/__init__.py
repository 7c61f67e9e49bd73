"""What computes: PyTorch anywhere, ONNX Runtime on a CPU. Tests hold them to the same answers."""

from inference.engine.backends import with_onnxruntime, with_torch
from inference.engine.backends.backend import Backend, Pass, Passed, Stage

BACKENDS: dict[str, Backend] = {
    "torch": with_torch.BACKEND,
    "onnxruntime": with_onnxruntime.BACKEND,
}


def best_for(device: str) -> Backend:
    """The fastest backend that works on a device."""
    return BACKENDS["onnxruntime" if device == "cpu" else "torch"]


__all__ = ["BACKENDS", "Backend", "Pass", "Passed", "Stage", "best_for"]
