"""Synthetic fetal heads in axial section with known anatomy, for training, tests, demos and simulation."""

from inference.phantom.anatomy import sample_spec
from inference.phantom.painter import render
from inference.phantom.records import Caliper, Defects, HeadSpec, LateralVentricle, Phantom
from inference.phantom.volume import VolumePhantom, volume

__all__ = [
    "Caliper",
    "Defects",
    "HeadSpec",
    "LateralVentricle",
    "Phantom",
    "VolumePhantom",
    "render",
    "sample_spec",
    "volume",
]
