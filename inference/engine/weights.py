"""From a weights file to a module that is ready to answer."""

from collections.abc import Iterable
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import nn

from inference.engine.members import ENSEMBLE, member_networks
from inference.engine.networks import NETWORKS, Network, ensemble_of
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
    recipe = _recipe(record)
    try:
        tensors = safetensors.torch.load(content)
        network = _network(record, tensors)
        module = network.build()
        module.load_state_dict({name: _as_stored(tensor) for name, tensor in tensors.items()}, strict=True)
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise WeightsMismatch(f"the weights do not fit the network {record.network}: {error}") from error
    return LoadedModel(record, network, recipe, module.to(device).eval(), device)


def _as_stored(tensor: torch.Tensor) -> torch.Tensor:
    """Half precision saves disk; arithmetic is done in single precision."""
    return tensor.float() if tensor.is_floating_point() else tensor


def _network(record: WeightsRecord, tensors: Iterable[str]) -> Network:
    wanted = member_networks(tensors) if record.network == ENSEMBLE else [record.network]
    unknown = [name for name in wanted if name not in NETWORKS]
    if unknown or not wanted:
        raise WeightsMismatch(f"there is no network named {', '.join(unknown) or record.network}")
    networks = [NETWORKS[name] for name in wanted]
    network = ensemble_of(networks) if record.network == ENSEMBLE else networks[0]
    if network.labels != record.labels:
        raise WeightsMismatch(f"the record's labels are not those of {record.network}")
    return network


def _recipe(record: WeightsRecord) -> Recipe:
    recipe = RECIPES.get(record.preprocessing)
    if recipe is None or recipe.sha256 != record.preprocessing_sha256:
        raise WeightsMismatch(f"the preprocessing {record.preprocessing} is not the one it was trained with")
    return recipe
