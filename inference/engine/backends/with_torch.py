"""PyTorch: the reference, and the way to a GPU."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.backends.backend import Backend, Pass, Passed
from inference.engine.networks.network import SplitNetwork


def opened(module: nn.Module, device: str, threads: int) -> Pass:  # noqa: ARG001 - threads are the process's
    """The module as it is, on its device."""

    def passed(pictures: NDArray[np.float32]) -> Passed:
        with torch.inference_mode():
            seen = torch.tensor(pictures, device=device)
            if not isinstance(module, SplitNetwork):
                return Passed(module(seen).cpu().numpy().astype(np.float64), None)
            maps = module.maps(seen)
            return Passed(module.classify(maps).cpu().numpy().astype(np.float64), maps.cpu().numpy())

    return passed


BACKEND = Backend("torch", opened, None, frozenset({"cpu", "cuda"}), ("torch",))
