"""The parts that import torch, behind one name. Only a worker's child opens this door."""

from inference.engine import device, explain, versions, weights
from inference.results import reproduce as reproduction
from inference.training import command as training
from inference.training import options as training_options

__all__ = [
    "device",
    "explain",
    "reproduction",
    "training",
    "training_options",
    "versions",
    "weights",
]
