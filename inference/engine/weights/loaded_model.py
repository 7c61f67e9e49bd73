"""From a weights file to a module that is ready to answer."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import nn

from digests import sha256_hex
from inference.engine.backends import BACKENDS, Backend, Pass, Passed, Stage, best_for
from inference.engine.backends.device import best
from inference.engine.explain.fast_lime.quantized import drafted
from inference.engine.networks import NETWORKS, Network, ensemble_of
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.records import Recipe, WeightsRecord
from inference.engine.weights.ensemble_file import (
    ENSEMBLE,
    measuring_member,
    member_networks,
    prefix_of,
)
from inference.formats.stack import Modality, PictureStack

Widths = Callable[[PictureStack, Sequence[int] | None, int | None], float | None]
"""The probability that a scan's atrium is wide, of the frames that were chosen and by an age in days; None
where nothing is measured."""


class WeightsMismatch(Exception):
    """A weights file that is not what its record says: another hash, network, preprocessing or shape."""


@dataclass(frozen=True)
class LoadedModel:
    """A network with verified weights, in evaluation mode on `device`, run by `backend`.

    measures: whether an ensemble has a member that measures; widths: that member, opened by `versions.load`.
    """

    record: WeightsRecord
    network: Network
    recipe: Recipe
    module: nn.Module
    device: str
    backend: Backend
    measures: bool = False
    widths: Widths | None = None

    def passed(self, pictures: NDArray[np.float32]) -> Passed:
        """One forward pass of pictures (n, 1, size, size)."""
        key = (self.record.weights_sha256, self.backend.name, self.device)
        if key not in _passes:
            _passes[key] = self.backend.opened(self.module, self.device, _threads[0])
            while len(_passes) > PASSES_KEPT:
                _passes.popitem(last=False)
        _passes.move_to_end(key)
        return _passes[key](pictures)

    def draft(self, modality: Modality) -> tuple[Stage, ...] | None:
        """A faster pass, nearly exact, in stages, for who asks hundreds of times; None without one."""
        key = (self.record.weights_sha256, f"{self.backend.name} draft", modality)
        if key not in _drafts:
            _drafts[key] = drafted(self.module, self.backend, self.network, modality, _threads[0])
            while len(_drafts) > PASSES_KEPT:
                _drafts.popitem(last=False)
        return _drafts[key]


PASSES_KEPT = 12
_passes: OrderedDict[tuple[str, str, str], Pass] = OrderedDict()
"""Passes opened lately: an ONNX graph takes about a second to make, and belongs to its weights alone."""
_drafts: OrderedDict[tuple[str, str, str], tuple[Stage, ...] | None] = OrderedDict()
_threads = [1]


def configure(threads: int, *, learning: bool = False) -> None:
    """Threads for one operation, for the whole process, and repeatable algorithms where torch has them.

    Where ONNX Runtime computes, torch and BLAS keep to one thread: theirs go on spinning after their work and
    slowed ONNX Runtime by a fifth to a third, and LIME's fit tenfold (bench/explain.py). learning: torch
    computes, with all threads.
    """
    _threads[0] = threads
    _passes.clear()
    _drafts.clear()
    alone = learning or best_for(best()).name == "torch"
    torch.set_num_threads(threads if alone else 1)
    threadpool_limits(threads if alone else 1, user_api="blas")
    torch.use_deterministic_algorithms(True, warn_only=True)


def threads() -> int:
    """As configured, for whoever computes beside a network."""
    return _threads[0]


def load(
    record: WeightsRecord, content: bytes, *, device: str = "cpu", backend: str | None = None
) -> LoadedModel:
    """Check the hash before a single byte is parsed, then build. Raises WeightsMismatch.

    backend: one of BACKENDS; the fastest that works on the device unless somebody says otherwise.
    """
    if sha256_hex(content) != record.weights_sha256:
        raise WeightsMismatch("the weights file does not have the hash its record states")
    recipe = recipe_of(record)
    try:
        tensors = safetensors.torch.load(content)
        network = _network(record, tensors)
        module = network.build()
        measuring = measuring_member(tensors) if record.network == ENSEMBLE else None
        of_networks = {
            name: _as_stored(tensor)
            for name, tensor in tensors.items()
            if measuring is None or not name.startswith(prefix_of(measuring))
        }
        module.load_state_dict(of_networks, strict=True)
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise WeightsMismatch(f"the weights do not fit the network {record.network}: {error}") from error
    chosen = BACKENDS[backend] if backend else best_for(device)
    if device.partition(":")[0] not in chosen.works_on:
        raise ValueError(f"{chosen.name} does not work on {device}")
    opened = module.to(device).eval()
    return LoadedModel(record, network, recipe, opened, device, chosen, measures=measuring is not None)


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


def recipe_of(record: WeightsRecord) -> Recipe:
    """The preprocessing that a record names, as it was then. Raises WeightsMismatch."""
    recipe = RECIPES.get(record.preprocessing)
    if recipe is None or recipe.sha256 != record.preprocessing_sha256:
        raise WeightsMismatch(f"the preprocessing {record.preprocessing} is not the one it was trained with")
    return recipe
