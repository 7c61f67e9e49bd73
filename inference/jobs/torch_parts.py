"""The parts that import torch, behind one name. Only a worker's child opens this door."""

from inference.engine import versions
from inference.engine.backends import device, graph_cache
from inference.engine.explain import explainers
from inference.engine.weights import loaded_model
from inference.results import reproduce as reproduction
from inference.training.cli import options as training_options
from inference.training.cli import train as training

__all__ = [
    "device",
    "explainers",
    "graph_cache",
    "loaded_model",
    "reproduction",
    "training",
    "training_options",
    "versions",
]
