"""The parts that import torch, behind one name. Only a child that trains opens this door."""

from inference.training.cli import options, train

__all__ = ["options", "train"]
