"""How good a picture is: whether it can be analysed at all, and what could be better about it."""

from inference.engine.quality.analysable import (
    frame_contrast,
    head_quality,
    outline_quality,
    refuse_coarse_slices,
)
from inference.engine.quality.checks import CHECKS, VERSION, Check, check
from refusals import Refusal

__all__ = [
    "CHECKS",
    "VERSION",
    "Check",
    "Refusal",
    "check",
    "frame_contrast",
    "head_quality",
    "outline_quality",
    "refuse",
    "refuse_coarse_slices",
]
