"""Models with random weights, for tests about how an answer is made and not about what it says."""

import hashlib

import safetensors.torch
import torch

from inference.engine.networks import NETWORKS
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.records import WeightsRecord
from inference.engine.weights.loaded_model import LoadedModel, load


def packed(network: str, *, seed: int = 0) -> bytes:
    """A weights file of a network with random weights."""
    torch.manual_seed(seed)
    return safetensors.torch.save(NETWORKS[network].build().state_dict())


def record_of(content: bytes, architecture: str, modality: str = "ultrasound", **changes) -> WeightsRecord:
    """The record that belongs to a weights file, unless a change says otherwise."""
    recipe = RECIPES[NETWORKS[architecture].recipes[modality]]
    fields = {
        "network": architecture,
        "version": "0.0",
        "modality": modality,
        "weights_sha256": hashlib.sha256(content).hexdigest(),
        "preprocessing": recipe.id,
        "preprocessing_sha256": recipe.sha256,
        "threshold": 0.5,
        "threshold_target": "a test",
        "temperature": 1.5,
    }
    return WeightsRecord(**(fields | changes))


def random_model(network: str, modality: str = "ultrasound", *, seed: int = 0) -> LoadedModel:
    """A loaded model with random weights, run by torch: no draft is made for it."""
    content = packed(network, seed=seed)
    return load(record_of(content, network, modality), content, backend="torch")
