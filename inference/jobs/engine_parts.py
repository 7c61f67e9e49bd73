"""What a worker's child computes with, behind one name: the parent never opens this door.

Numeric libraries start threads, and a fork would leave them behind. Torch is not here: what trains has a door
of its own, `training_parts`.
"""

from inference.engine import versions
from inference.engine.backends import device
from inference.engine.explain import explainers
from inference.engine.explain.fast_lime import draft_cache
from inference.engine.weights import loaded_model
from inference.results import reproduce as reproduction

__all__ = ["device", "draft_cache", "explainers", "loaded_model", "reproduction", "versions"]
