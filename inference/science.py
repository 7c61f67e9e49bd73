"""The parts of the engine that import torch, behind one name. Only inference.worker opens this door."""

from inference.engine import device, explain, predict, weights
from inference.training import command as training

__all__ = ["device", "explain", "predict", "training", "weights"]
