"""How good a picture is: whether it can be analysed at all, and what could be better about it."""

from inference.engine.quality.analysable import (
    NotAnalysable,
    frame_contrast,
    head_quality,
    outline_quality,
    refuse,
    refuse_coarse_slices,
)
from inference.engine.quality.checks import CHECKS, VERSION, Check, check

__all__ = [
    "CHECKS",
    "VERSION",
    "Check",
    "NotAnalysable",
    "check",
    "frame_contrast",
    "head_quality",
    "outline_quality",
    "refuse",
    "refuse_coarse_slices",
]
