"""PyTorch: the reference, the way to a GPU, and to gradients."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.engine.backends.backend import Pass, Passed, Weights
from inference.engine.backends.device import torch_threads
from inference.engine.backends.graphs import Tensors
from inference.engine.networks import Network
from inference.engine.networks.split_network import SplitNetwork


def configure() -> None:
    """As many threads as `device` says, and repeatable algorithms where torch has them."""
    torch.set_num_threads(torch_threads[0])
    torch.use_deterministic_algorithms(True, warn_only=True)


def built(network: Network, tensors: Tensors) -> nn.Module:
    """The network's module with these weights, in evaluation mode. Raises RuntimeError for other tensors.

    Half precision saves disk; arithmetic is done in single precision.
    """
    stored = {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
    single = {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in stored.items()
    }
    with torch.inference_mode(mode=False):  # it may be asked for gradients later, whoever wants it first
        module = network.build()
        module.load_state_dict(single)
    return module.eval()


def tensors_of(module: nn.Module) -> Tensors:
    """A module's parameters and buffers by name, as a weights file holds them."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}


def opened(weights: Weights, device: str, threads: int) -> Pass:  # noqa: ARG001 - threads are the process's
    """The module as it is, on its device."""
    module = weights.module.to(device)

    def passed(pictures: NDArray[np.float32]) -> Passed:
        with torch.inference_mode():
            seen = torch.tensor(pictures, device=device)
            if not isinstance(module, SplitNetwork):
                return Passed(module(seen).cpu().numpy().astype(np.float64), None)
            maps = module.maps(seen)
            return Passed(module.classify(maps).cpu().numpy().astype(np.float64), maps.cpu().numpy())

    return passed


configure()
