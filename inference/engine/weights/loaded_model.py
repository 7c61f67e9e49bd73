"""From a weights file to a module that is ready to answer."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from digests import sha256_hex
from inference.engine.backends import BACKENDS, Backend, Pass, Passed, Stage, Weights, best_for
from inference.engine.backends.device import best, let_torch_use
from inference.engine.backends.graphs import WrongTensors
from inference.engine.explain.fast_lime.drafts import drafted
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

if TYPE_CHECKING:
    from torch import nn

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
    recipe: Recipe
    weights: Weights
    device: str
    backend: Backend
    measures: bool = False
    widths: Widths | None = None

    @property
    def network(self) -> Network:
        """Its architecture."""
        return self.weights.network

    @property
    def module(self) -> "nn.Module":
        """Torch's module, for what needs gradients. Imports torch."""
        return self.weights.module.to(self.device)

    def passed(self, pictures: NDArray[np.float32]) -> Passed:
        """One forward pass of pictures (n, 1, size, size)."""
        return self.open()(pictures)

    def open(self) -> Pass:
        """The pass itself, opened unless it was lately. Raises WrongTensors, or torch's RuntimeError."""
        key = (self.record.weights_sha256, self.network.name, self.backend.name, self.device)
        if key not in _passes:
            _passes[key] = self.backend.opened(self.weights, self.device, _threads[0])
            while len(_passes) > PASSES_KEPT:
                _passes.popitem(last=False)
        _passes.move_to_end(key)
        return _passes[key]

    def draft(self, modality: Modality) -> tuple[Stage, ...] | None:
        """A faster pass, nearly exact, in stages, for who asks hundreds of times; None without one."""
        key = (self.record.weights_sha256, self.network.name, self.backend.name, modality)
        if key not in _drafts:
            _drafts[key] = drafted(
                self.weights, self.record.weights_sha256, self.backend, modality, _threads[0]
            )
            while len(_drafts) > PASSES_KEPT:
                _drafts.popitem(last=False)
        return _drafts[key]


PASSES_KEPT = 12
_passes: OrderedDict[tuple[str, ...], Pass] = OrderedDict()
"""Passes opened lately: they belong to their weights alone."""
_drafts: OrderedDict[tuple[str, ...], tuple[Stage, ...] | None] = OrderedDict()
_threads = [1]


def configure(threads: int, *, learning: bool = False) -> None:
    """Threads for one operation, for the whole process.

    Where ONNX Runtime computes, torch and BLAS keep to one thread: theirs go on spinning after their work and
    slowed ONNX Runtime by a fifth to a third, and LIME's fit tenfold (bench/explain.py). learning: torch
    computes, with all threads.
    """
    _threads[0] = threads
    _passes.clear()
    _drafts.clear()
    alone = learning or best_for(best()).name == "torch"
    threadpool_limits(threads if alone else 1, user_api="blas")
    let_torch_use(threads if alone else 1)


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
    chosen = BACKENDS[backend] if backend else best_for(device)
    if device.partition(":")[0] not in chosen.works_on:
        raise ValueError(f"{chosen.name} does not work on {device}")
    try:
        tensors = safetensors.numpy.load(content)
        network = _network(record, tensors)
        measuring = measuring_member(tensors) if record.network == ENSEMBLE else None
        of_networks = {
            name: tensor
            for name, tensor in tensors.items()
            if measuring is None or not name.startswith(prefix_of(measuring))
        }
        model = LoadedModel(
            record,
            recipe,
            Weights(network, of_networks),
            device,
            chosen,
            measures=measuring is not None,
        )
        model.open()
    except (safetensors.SafetensorError, WrongTensors, RuntimeError) as error:
        raise WeightsMismatch(f"the weights do not fit the network {record.network}: {error}") from error
    return model


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
