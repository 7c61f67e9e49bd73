"""From a weights file to a module that is ready to answer."""

from dataclasses import dataclass

import safetensors.torch
import torch
from torch import nn

from inference.engine.networks import NETWORKS, Network
from inference.engine.preprocess import RECIPES
from inference.engine.records import Recipe, WeightsRecord, sha256_hex


class WeightsMismatch(Exception):
    """A weights file that is not what its record says: another hash, network, preprocessing or shape."""


@dataclass(frozen=True)
class LoadedModel:
    """A network with verified weights, in evaluation mode on `device`."""

    record: WeightsRecord
    network: Network
    recipe: Recipe
    module: nn.Module
    device: str


def configure(threads: int) -> None:
    """Threads for one operation, for the whole process, and repeatable algorithms where torch has them."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)


def load(record: WeightsRecord, content: bytes, *, device: str = "cpu") -> LoadedModel:
    """Check the hash before a single byte is parsed, then build. Raises WeightsMismatch."""
    if sha256_hex(content) != record.weights_sha256:
        raise WeightsMismatch("the weights file does not have the hash its record states")
    network, recipe = _network(record), _recipe(record)
    module = network.build()
    try:
        tensors = safetensors.torch.load(content)
        module.load_state_dict({name: _as_stored(tensor) for name, tensor in tensors.items()}, strict=True)
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise WeightsMismatch(f"the weights do not fit the network {record.network}: {error}") from error
    return LoadedModel(record, network, recipe, module.to(device).eval(), device)


def _as_stored(tensor: torch.Tensor) -> torch.Tensor:
    """Half precision saves disk; arithmetic is done in single precision."""
    return tensor.float() if tensor.is_floating_point() else tensor


def _network(record: WeightsRecord) -> Network:
    network = NETWORKS.get(record.network)
    if network is None:
        raise WeightsMismatch(f"there is no network named {record.network}")
    if network.labels != record.labels:
        raise WeightsMismatch(f"the record's labels are not those of {record.network}")
    return network


def _recipe(record: WeightsRecord) -> Recipe:
    recipe = RECIPES.get(record.preprocessing)
    if recipe is None or recipe.sha256 != record.preprocessing_sha256:
        raise WeightsMismatch(f"the preprocessing {record.preprocessing} is not the one it was trained with")
    return recipe
