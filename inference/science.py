"""The parts that import torch, behind one name. Only inference.worker opens this door."""

from inference import reproduction
from inference.engine import device, explain, predict, weights
from inference.training import command as training

__all__ = ["device", "explain", "predict", "reproduction", "training", "weights"]
