"""What computes: ONNX Runtime on a CPU, PyTorch anywhere. Tests hold them to the same answers.

Torch is imported by whoever asks it to compute, and by nobody else.
"""

from inference.engine.backends import with_onnxruntime
from inference.engine.backends.backend import Backend, Pass, Passed, Stage, Weights


def _by_torch(weights: Weights, device: str, threads: int) -> Pass:
    from inference.engine.backends import with_torch

    return with_torch.opened(weights, device, threads)


BACKENDS: dict[str, Backend] = {
    "torch": Backend(
        "torch", _by_torch, has_drafts=False, works_on=frozenset({"cpu", "cuda"}), libraries=("torch",)
    ),
    "onnxruntime": Backend(
        "onnxruntime",
        with_onnxruntime.opened,
        has_drafts=True,
        works_on=frozenset({"cpu"}),
        libraries=("onnxruntime",),
    ),
}


def best_for(device: str) -> Backend:
    """The fastest backend that works on a device."""
    return BACKENDS["onnxruntime" if device == "cpu" else "torch"]


__all__ = ["BACKENDS", "Backend", "Pass", "Passed", "Stage", "Weights", "best_for"]
