"""The parts that import torch, behind one name. Only inference.worker opens this door."""

from inference import reproduction
from inference.engine import device, explain, predict, weights
from inference.training import command as training
from inference.training import options as training_options

__all__ = ["device", "explain", "predict", "reproduction", "training", "training_options", "weights"]
